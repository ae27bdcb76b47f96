"""A power cut at any moment takes nothing back that anybody was told of.

The way of a record (journal, segments, sealer, log, manifest, rewrites, compaction) is gone once on a disk that is
watched (``power.py``). Then every moment of it becomes a power cut, in which all that no finished sync covers is lost,
or any part of it, and recovery must find what was promised before that moment. Taking any sync out is noticed.
"""

import asyncio
import os
import random
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractors.landing.compaction import compact
from extractors.landing.journal import Journal
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from extractors.landing.sealer import seal, seal_orphans
from perennial.errors import LandingError
from tests.extractors.landing.power import Cut, Disk
from tests.extractors.landing.samples import cart, order
from tests.extractors.landing.test_rewriting import forget, unchanged

A_DAY = timedelta(days=1)
AT_ONCE = timedelta(0)
# Every place in the code that syncs. A new one is missing here until it is added, and then it must matter.
PLACES = (
    "make_folder",
    "LocalStore._draft",
    "LocalStore.create",
    "LocalStore.replace",
    "Manifest.refresh",
    "Rewriting._remove",
    "SegmentWriter._open",
    "SegmentWriter.write",
)


@dataclass
class Promises:
    """What has been told so far: to senders (2xx), to those who append, to readers, to who wants to be forgotten."""

    acknowledged: set[str] = field(default_factory=set)
    landed: dict[str, int] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)


def land(log: LandingLog, name: str, records: list[Record], told: Promises) -> None:
    """Append, and note what was returned."""
    told.landed[name] = log.append(name, records).seq


async def keep(journal: Journal, numbers: list[int], told: Promises) -> None:
    """Acknowledge records."""
    await journal.append([cart(number) for number in numbers])
    told.acknowledged |= {f"key-{number}" for number in numbers}


async def seal_all(journal: Journal, log: LandingLog, told: Promises) -> None:
    """Seal what a journal holds."""
    for segment in await journal.rotate():
        batch = seal(segment, log)
        journal.forget(segment)
        assert batch is not None
        told.landed[batch.name] = batch.seq


async def play(disk: Disk[Promises]) -> None:
    """Go the whole way of a record, with a worker and a writer that die on it."""
    told, home = disk.promises, disk.root / "home"
    journal, log = Journal(home / "journal", segment_records=3), LandingLog(str(home / "landing"))
    await keep(journal, [1], told)
    await keep(journal, [2, 3], told)
    await seal_all(journal, log, told)
    await keep(journal, [4], told)
    land(log, "pull/1", [order(1), order(2)], told)
    await seal_all(journal, log, told)
    land(log, "pull/2", [order(3)], told)

    dead = Journal(home / "journal")
    await keep(dead, [5, 6], told)
    os.close(dead._writer._lock)  # noqa: SLF001 -- as when its process dies
    await keep(journal, [7], told)
    for batch in seal_orphans(home / "journal", log):
        told.landed[batch.name] = batch.seq

    # A writer dies between making an entry and syncing it. What a reader has seen of it stays.
    with disk.dying_at("LocalStore.create"):
        log.append("pull/3", [order(4)])
    told.landed |= {batch.name: batch.seq for batch in LandingLog(str(home / "landing")).batches()}
    log = LandingLog(str(home / "landing"))
    land(log, "pull/3", [order(4)], told)

    log.rewrite(1, 2, unchanged, keep_old_for=A_DAY)
    told.acknowledged.discard("key-2")  # from here on it may be gone, and from there on it must be
    log.rewrite(1, 1, forget(cart(2).payload), keep_old_for=AT_ONCE)
    told.forgotten.add(cart(2).payload)
    await seal_all(journal, log, told)
    land(log, "pull/4", [order(5)], told)
    compact(log, upto=6, keep_old_for=AT_ONCE)
    await journal.close()


def recover(root: Path, told: Promises) -> None:
    """Start again on what a power cut left, and find everything that was promised."""
    home = root / "home"
    log = LandingLog(str(home / "landing"))
    seal_orphans(home / "journal", log)
    assert [found for found in log.verify() if isinstance(found, LandingError)] == []
    batches = {batch.name: batch.seq for batch in log.batches()}
    assert told.landed.items() <= batches.items()
    assert sorted(batches.values()) == list(range(1, len(batches) + 1))
    keys = [record.source_key for record in log.read("jane", "cart_status") if record.source_key]
    assert len(keys) == len(set(keys))
    assert told.acknowledged <= set(keys)
    for name in told.landed:
        assert log.append(name, [order(9)]).seq == told.landed[name]
    assert log.append("after/1", [order(9)]).seq == len(batches) + 1
    for path in home.rglob("*.parquet"):
        assert told.forgotten.isdisjoint(_payloads(path)), f"{path.name} still has what was erased"


def _payloads(path: Path) -> set[str]:
    try:
        return set(pq.read_table(path, columns=["payload"])["payload"].to_pylist())
    except (OSError, pa.ArrowException):  # a writer's draft that nobody names
        return set()


def watched(root: Path, monkeypatch: pytest.MonkeyPatch, without: str = "") -> Disk[Promises]:
    """Go the way on a watched disk."""
    monkeypatch.setattr("extractors.landing.manifest._PAGE", 3)
    root.mkdir()
    disk = Disk(root, Promises(), without=without)
    with disk.watching(monkeypatch):
        asyncio.run(play(disk))
    # What follows happens to folders that no power cut threatens.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return disk


def survive(cut: Cut[Promises], target: Path, chance: random.Random | None) -> None:
    """Cut the power, and start again."""
    cut.leave(target, chance)
    try:
        recover(target, cut.promises)
    finally:
        shutil.rmtree(target)


def test_nothing_that_was_told_is_lost_at_any_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what was not synced, and with any part of it."""
    disk = watched(tmp_path / "disk", monkeypatch)
    assert len(disk.cuts) > 150
    assert disk.places == set(PLACES)
    assert len(disk.promises.landed) >= 8
    chance = random.Random(20170301)  # noqa: S311 -- luck, no secret
    for cut in disk.cuts:
        for luck in (None, chance):
            try:
                survive(cut, tmp_path / "after", luck)
            except BaseException as error:
                error.add_note(f"at a power cut before {cut.before}")
                raise


@pytest.mark.parametrize("place", PLACES)
def test_a_sync_that_is_taken_out_is_missed(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one carries a promise; a check that did not notice would prove nothing."""
    disk = watched(tmp_path / "disk", monkeypatch, without=place)
    with pytest.raises((AssertionError, LandingError, OSError)):
        _survive_all(disk.cuts[::-1], tmp_path / "after")  # what was never synced is missing to the end


def _survive_all(cuts: list[Cut[Promises]], target: Path) -> None:
    for cut in cuts:
        survive(cut, target, None)
