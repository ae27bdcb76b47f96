"""The journal and its sealer: what was acknowledged lands once, whoever dies when."""

import asyncio
import errno
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from extractors.landing.journal import Journal, JournalFullError
from extractors.landing.log import LandingLog
from extractors.landing.sealer import Sealer, seal, seal_orphans
from extractors.landing.segments import Segment
from perennial.errors import LandingError
from tests.extractors.landing.samples import cart


def _keys(log: LandingLog) -> list[str | None]:
    return [record.source_key for record in log.read("jane", "cart_status")]


def _abandon(journal: Journal) -> None:
    """Let go of the lock as a dying process does: nothing is rotated, nothing removed."""
    os.close(journal._writer._lock)  # noqa: SLF001


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


def test_a_segment_becomes_one_batch_named_from_it_and_is_removed(tmp_path: Path) -> None:
    """Sealing it again, as after a crash between landing and removing, lands nothing."""

    async def run() -> tuple[Journal, list[Segment]]:
        journal = Journal(tmp_path / "journal")
        await journal.append([cart(1), cart(2)])
        await journal.append([cart(3)])
        return journal, await journal.rotate()

    journal, [segment] = asyncio.run(run())
    log = LandingLog(str(tmp_path / "landing"))
    content = segment.path.read_bytes()
    batch = seal(segment, log)
    assert batch is not None
    assert (batch.name, batch.rows) == (f"journal/{journal.receiver}/1", 3)
    assert not segment.path.exists()
    segment.path.write_bytes(content)
    assert seal(segment, log) == batch
    assert seal(segment, log) is None
    assert (_keys(log), log.last_seq()) == (["key-1", "key-2", "key-3"], 1)
    [landed, *_] = log.read("jane", "cart_status")
    assert (landed.payload, landed.headers, landed.received_at) == (
        cart(1).payload,
        cart(1).headers,
        cart(1).received_at,
    )


def test_many_callers_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Group commit: far fewer syncs than callers, and nobody is answered before the sync of her group."""
    syncs: list[float] = []
    sync = os.fsync

    def counted(handle: int) -> None:
        time.sleep(0.005)
        sync(handle)
        syncs.append(time.monotonic())

    monkeypatch.setattr(os, "fsync", counted)

    async def run() -> list[tuple[float, float]]:
        journal = Journal(tmp_path / "journal")
        syncs.clear()

        async def call(number: int) -> tuple[float, float]:
            began = time.monotonic()
            await journal.append([cart(number)])
            return began, time.monotonic()

        return await asyncio.gather(*(call(number) for number in range(200)))

    calls = asyncio.run(run())
    assert 1 <= len(syncs) <= 10
    assert all(any(began < sync_ended <= ended for sync_ended in syncs) for began, ended in calls)


def test_the_sealer_lands_within_its_interval_and_at_the_end(tmp_path: Path) -> None:
    """While it runs a record is in the log soon after; what came last lands when it stops."""
    log = LandingLog(str(tmp_path / "landing"))

    async def run() -> None:
        journal, stop = Journal(tmp_path / "journal"), asyncio.Event()
        running = asyncio.create_task(Sealer(journal, tmp_path / "journal", log, every=0.05).run(stop))
        await journal.append([cart(1)])
        await _until(lambda: log.last_seq() >= 1)
        await journal.append([cart(2)])
        stop.set()
        await running
        await journal.close()

    asyncio.run(run())
    assert _keys(log) == ["key-1", "key-2"]
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_full_segment_is_sealed_without_waiting(tmp_path: Path) -> None:
    """The number of records ends a segment too."""
    log = LandingLog(str(tmp_path / "landing"))

    async def run() -> None:
        journal, stop = Journal(tmp_path / "journal", segment_records=10), asyncio.Event()
        running = asyncio.create_task(Sealer(journal, tmp_path / "journal", log, every=3600).run(stop))
        await asyncio.sleep(0.05)
        for number in range(25):
            await journal.append([cart(number)])
        await _until(lambda: log.last_seq() >= 2)
        stop.set()
        await running
        await journal.close()

    asyncio.run(run())
    assert sum(batch.rows for batch in log.batches()) == 25


def test_a_dead_receivers_segments_are_sealed_and_a_live_ones_left_alone(tmp_path: Path) -> None:
    """The lock tells them apart."""
    log = LandingLog(str(tmp_path / "landing"))

    async def run() -> None:
        dead, live = Journal(tmp_path / "journal"), Journal(tmp_path / "journal")
        await dead.append([cart(1)])
        await dead.rotate()
        await dead.append([cart(2)])
        await live.append([cart(3)])
        assert seal_orphans(tmp_path / "journal", log) == []
        _abandon(dead)
        assert [batch.rows for batch in seal_orphans(tmp_path / "journal", log)] == [1, 1]
        assert [path.name for path in (tmp_path / "journal").iterdir()] == [live.receiver]
        await live.append([cart(4)])
        await live.close()
        assert len(list((tmp_path / "journal" / live.receiver).glob("*.segment"))) == 1

    asyncio.run(run())
    assert [batch.rows for batch in seal_orphans(tmp_path / "journal", log)] == [2]
    assert _keys(log) == ["key-1", "key-2", "key-3", "key-4"]


def test_a_torn_tail_is_cut_and_damage_inside_is_kept_for_a_person(tmp_path: Path) -> None:
    """Both land what is whole; only damage leaves a file behind."""
    log = LandingLog(str(tmp_path / "landing"))

    async def run(journal: Journal) -> None:
        await journal.append([cart(1), cart(2), cart(3)])

    torn = Journal(tmp_path / "journal")
    asyncio.run(run(torn))
    _abandon(torn)
    [path] = (tmp_path / "journal" / torn.receiver).glob("*.segment")
    path.write_bytes(path.read_bytes()[:-5])
    assert [batch.rows for batch in seal_orphans(tmp_path / "journal", log)] == [2]
    assert not path.exists()

    damaged = Journal(tmp_path / "journal")
    asyncio.run(run(damaged))
    _abandon(damaged)
    [path] = (tmp_path / "journal" / damaged.receiver).glob("*.segment")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    assert [batch.rows for batch in seal_orphans(tmp_path / "journal", log)] == [2]
    assert not path.exists()
    assert path.with_suffix(".damaged").read_bytes() == bytes(content)
    assert _keys(log) == ["key-1", "key-2", "key-1", "key-3"]


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    """Beyond the bound a caller is refused at once, and the others still get theirs."""

    async def run() -> None:
        journal = Journal(tmp_path / "journal", max_waiting_bytes=1_000)
        calls = [journal.append([cart(number, "x" * 300)]) for number in range(10)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, JournalFullError)]
        assert 0 < len(refused) < 10
        assert all(answer is None or isinstance(answer, JournalFullError) for answer in answers)
        assert journal.waiting_bytes == 0
        await journal.append([cart(99)])
        await journal.close()
        landed = seal_orphans(tmp_path / "journal", LandingLog(str(tmp_path / "landing")))
        assert sum(batch.rows for batch in landed) == 10 - len(refused) + 1

    asyncio.run(run())


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_refuses_acknowledges_nothing_and_the_next_append_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """What was acknowledged before stays, and the refused record doesn't hide what comes after."""

    async def run() -> None:
        journal = Journal(tmp_path / "journal")
        await journal.append([cart(1)])
        with monkeypatch.context() as patch:
            work = getattr(os, call)
            failed: list[str] = []

            def refuse(*arguments: int) -> int:
                if not failed:
                    failed.append(call)
                    if call == "write":
                        os.pwrite(arguments[0], b"half of it", 10_000)
                    raise OSError(errno.ENOSPC, "No space left on device")
                result: int = work(*arguments)
                return result

            patch.setattr(os, call, refuse)
            with pytest.raises(LandingError, match="the disk is full") as caught:
                await journal.append([cart(2)])
            assert "free space" in caught.value.fix
            await journal.append([cart(3)])
        await journal.close()

    asyncio.run(run())
    log = LandingLog(str(tmp_path / "landing"))
    seal_orphans(tmp_path / "journal", log)
    assert _keys(log) == ["key-1", "key-3"]


def test_while_the_log_refuses_the_receiver_goes_on_and_nothing_is_lost(tmp_path: Path) -> None:
    """The segments wait on the journal's disk and land when the log can be written again."""
    (tmp_path / "landing").write_text("in the way")
    log = LandingLog(str(tmp_path / "landing"))

    async def run() -> None:
        journal, stop = Journal(tmp_path / "journal", segment_records=2), asyncio.Event()
        sealer = Sealer(journal, tmp_path / "journal", log, every=0.02)
        running = asyncio.create_task(sealer.run(stop))
        for number in range(6):
            await journal.append([cart(number)])
        await _until(lambda: sealer.problem is not None)
        (tmp_path / "landing").unlink()
        await _until(lambda: sealer.problem is None)
        stop.set()
        await running
        await journal.close()

    asyncio.run(run())
    assert _keys(log) == [f"key-{number}" for number in range(6)]


def _acknowledge_until_killed(home: Path, first: int, acknowledged: Connection) -> None:
    """Write records from several callers at once and report each one after its append has returned."""

    async def caller(journal: Journal, offset: int) -> None:
        number = first + offset
        while True:
            await journal.append([cart(number)])
            acknowledged.send(f"key-{number}")
            number += 4

    async def run() -> None:
        journal = Journal(home / "journal", segment_records=40)
        log = LandingLog(str(home / "landing"))
        sealer = Sealer(journal, home / "journal", log, every=0.01)
        await asyncio.gather(sealer.run(asyncio.Event()), *(caller(journal, offset) for offset in range(4)))

    asyncio.run(run())


def test_every_acknowledged_record_lands_exactly_once_whenever_the_receiver_is_killed(tmp_path: Path) -> None:
    """SIGKILL at random moments of ten lives, each of which first seals what the one before left."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["extractors.landing.sealer", "tests.extractors.landing.samples", "pandas"]
    )
    acknowledged: list[str] = []
    chance = random.Random(20170301)  # noqa: S311
    for life in range(10):
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(
            target=_acknowledge_until_killed, args=(tmp_path, life * 1_000_000, sending)
        )
        process.start()
        sending.close()
        acknowledged.append(receiving.recv())  # it works; now its time runs
        deadline = time.monotonic() + chance.uniform(0, 0.25)
        while (left := deadline - time.monotonic()) > 0:
            if receiving.poll(left):
                acknowledged.append(receiving.recv())
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        try:  # what it reported before it died counts
            while True:
                acknowledged.append(receiving.recv())
        except (EOFError, OSError):
            pass
    log = LandingLog(str(tmp_path / "landing"))
    seal_orphans(tmp_path / "journal", log)
    landed = _keys(log)
    assert len(acknowledged) > 50
    assert len(landed) == len(set(landed))
    assert set(acknowledged) <= set(landed)
    assert list((tmp_path / "journal").iterdir()) == []
