"""Landed files that are written again: what compaction and erasure promise, and what a crash leaves of one."""

import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from extractors.landing import inspect
from extractors.landing.batches import LandedFile
from extractors.landing.compaction import compact, groups
from extractors.landing.log import LandingLog
from extractors.landing.records import LandedRecord
from perennial.errors import LandingError
from tests.extractors.landing.samples import cart, order

A_DAY = timedelta(days=1)
AT_ONCE = timedelta(0)


@pytest.fixture(params=["path", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the root of an empty log."""
    if request.param == "memory":
        root = f"/{uuid4().hex}"
        yield f"memory:/{root}"
        MemoryFileSystem().rm(root, recursive=True)
    else:
        yield str(tmp_path / "landing")


def unchanged(rows: pa.Table) -> pa.Table:
    """Return rows as they are."""
    return rows


def forget(payload: str) -> Callable[[pa.Table], pa.Table]:
    """Return a change that empties the rows with a payload, as an erasure does."""

    def change(rows: pa.Table) -> pa.Table:
        hit = [found == payload for found in rows["payload"].to_pylist()]
        for name, empty in (("payload", ""), ("headers", "{}"), ("source_key", None)):
            told = rows[name].to_pylist()
            texts = [empty if one else text for one, text in zip(hit, told, strict=True)]
            rows = rows.set_column(
                rows.schema.get_field_index(name), rows.schema.field(name), [pa.array(texts, pa.string())]
            )
        return rows

    return change


def fill(log: LandingLog, batches: int = 6) -> list[LandedRecord]:
    """Land some batches of two streams, and return their carts."""
    for number in range(1, batches + 1):
        log.append(f"b/{number}", [cart(10 * number), order(number), cart(10 * number + 1)])
    return carts(log)


def carts(log: LandingLog) -> list[LandedRecord]:
    """Return what a reader sees."""
    return list(log.read("jane", "cart_status"))


def parquet_files(url: str) -> int:
    """Return how many files there are, named by an entry or not."""
    if url.startswith("memory"):
        return sum(
            path.endswith(".parquet") for path in MemoryFileSystem().find(url.removeprefix("memory:/"))
        )
    return len(list(Path(url).rglob("*.parquet")))


def test_a_merged_range_is_one_file_with_the_same_rows_in_the_same_places(url: str) -> None:
    """For the writer, a reader of the state before and a new one; batches keep their names and counts."""
    log, old_reader = LandingLog(url), LandingLog(url)
    records, batches = fill(log), old_reader.batches()
    rewrite = log.rewrite(2, 4, unchanged, keep_old_for=A_DAY)
    assert rewrite is not None
    assert (rewrite.seq, rewrite.first_seq, rewrite.last_seq, len(rewrite.replaced)) == (1, 2, 4, 3)
    for reader in (log, old_reader, LandingLog(url)):
        assert carts(reader) == records
        assert [(file.first_seq, file.last_seq, file.rows) for file in reader.files()] == [
            (1, 1, 3), (2, 4, 9), (5, 5, 3), (6, 6, 3),
        ]  # fmt: skip
        assert [(b.name, b.streams, b.landed_at) for b in reader.batches()] == [
            (b.name, b.streams, b.landed_at) for b in batches
        ]
        assert [(file.first_seq, file.last_seq) for file in reader.files(after=2, upto=5)] == [(3, 4), (5, 5)]
        assert reader.append("b/3", [cart(9)]).seq == 3
    assert [record.seq for record in log.read("jane", "cart_status", after=2, upto=3)] == [3, 3]
    assert parquet_files(url) == 7
    assert log.append("b/7", [cart(70)]).seq == 7


def test_a_file_that_reaches_beyond_the_range_is_rewritten_whole(url: str) -> None:
    """Otherwise two files would hold the same rows."""
    log = LandingLog(url)
    records = fill(log)
    log.rewrite(1, 3, unchanged, keep_old_for=A_DAY)
    log.rewrite(4, 5, unchanged, keep_old_for=A_DAY)
    second = log.rewrite(3, 4, unchanged, keep_old_for=A_DAY)
    assert second is not None
    assert (second.seq, second.first_seq, second.last_seq, len(second.replaced)) == (3, 1, 5, 2)
    assert carts(LandingLog(url)) == records
    assert [one.seq for one in log.rewrites(after=1)] == [2, 3]


def test_an_erased_row_stays_in_its_place_with_its_text_gone_from_every_file(url: str) -> None:
    """Also from the files that a compaction had replaced and kept for its readers."""
    log = LandingLog(url)
    records = fill(log)
    log.rewrite(2, 4, unchanged, keep_old_for=A_DAY)
    [gone] = [record for record in records if record.source_key == "key-31"]
    assert log.rewrite(3, 3, forget(gone.payload), keep_old_for=AT_ONCE) is not None
    assert parquet_files(url) == 4
    after = carts(LandingLog(url))
    assert [(record.seq, record.row_no) for record in after] == [(one.seq, one.row_no) for one in records]
    [tombstone] = [one for one, was in zip(after, records, strict=True) if one != was]
    assert (tombstone.payload, tombstone.source_key, tombstone.headers) == ("", None, {})
    assert tombstone.received_at == gone.received_at
    assert [found for found in LandingLog(url).verify() if isinstance(found, LandingError)] == []
    assert log.rewrite(3, 3, forget(gone.payload), keep_old_for=AT_ONCE) is None, "nothing is left to change"
    assert log.rewrite(1, 1, unchanged, keep_old_for=AT_ONCE) is None


def _without_a_row(rows: pa.Table) -> pa.Table:
    return rows.slice(1)


def _reversed(rows: pa.Table) -> pa.Table:
    return rows.take(list(reversed(range(rows.num_rows))))


def _of_another_stream(rows: pa.Table) -> pa.Table:
    return rows.set_column(3, rows.schema.field(3), [pa.array(["other"] * rows.num_rows)])


def _left_out(rows: pa.Table) -> pa.Table:
    return rows.set_column(8, "payload", [pa.nulls(rows.num_rows, pa.string())])


@pytest.mark.parametrize("change", [_without_a_row, _reversed, _of_another_stream, _left_out])
def test_a_change_that_breaks_its_word_changes_nothing(
    url: str, change: Callable[[pa.Table], pa.Table]
) -> None:
    """Counts, cursors and order stand on rows staying where they are."""
    log = LandingLog(url)
    records = fill(log)
    with pytest.raises(ValueError, match="a rewrite may"):
        log.rewrite(2, 3, change, keep_old_for=AT_ONCE)
    assert carts(LandingLog(url)) == records
    assert parquet_files(url) == 6


@pytest.mark.parametrize(("first", "last"), [(0, 2), (3, 2), (5, 7)])
def test_a_range_that_has_not_landed_is_refused(url: str, first: int, last: int) -> None:
    """Closed ranges only: what an append is about to take is nobody's to rewrite."""
    log = LandingLog(url)
    fill(log)
    with pytest.raises(ValueError, match="have not all landed"):
        log.rewrite(first, last, unchanged, keep_old_for=A_DAY)


def test_replaced_files_go_when_their_time_is_over_and_not_before(url: str) -> None:
    """A reader that began before goes on; one that finds its file gone looks where its rows are now."""
    log, slow = LandingLog(url), LandingLog(url)
    records = fill(log)
    reading = slow.read("jane", "cart_status")
    first = next(reading)
    log.rewrite(1, 3, unchanged, keep_old_for=A_DAY)
    assert log.sweep() == 0
    assert parquet_files(url) == 7
    log.rewrite(1, 6, unchanged, keep_old_for=AT_ONCE)
    assert parquet_files(url) == 1
    assert log.sweep() == 0
    assert [first, *reading] == records


def test_a_second_rewrite_keeps_what_it_replaces_for_its_own_time(url: str) -> None:
    """The time of an earlier one says nothing about files that were in use until now."""
    log = LandingLog(url)
    fill(log)
    log.rewrite(1, 3, unchanged, keep_old_for=timedelta(microseconds=1))
    log.rewrite(1, 6, unchanged, keep_old_for=A_DAY)
    assert log.sweep() == 3
    assert parquet_files(url) == 5


def test_compaction_merges_full_pages_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one has nothing to do until as much has come again; row groups let a reader skip by seq."""
    monkeypatch.setattr("extractors.landing.compaction.PAGE", 50)
    log = LandingLog(str(tmp_path / "landing"))
    for number in range(1, 54):
        log.append(f"b/{number}", [cart(number), order(number)])
    before = carts(log)
    done = compact(log)
    assert (done.files_before, done.files_after, done.rows) == (50, 1, 100)
    assert done.bytes_after < done.bytes_before / 4
    assert [(file.first_seq, file.last_seq) for file in log.files()] == [
        (1, 50), *((seq, seq) for seq in range(51, 54)),
    ]  # fmt: skip
    assert carts(LandingLog(str(tmp_path / "landing"))) == before
    assert compact(log).rows == 0
    [merged, *_] = log.files()
    rows = duckdb.read_parquet(merged.path).project("seq, row_no").fetchall()
    assert rows == sorted(rows)
    assert len(rows) == 100


def test_row_groups_are_neither_the_whole_file_nor_a_batch(tmp_path: Path) -> None:
    """Their zone maps of seq don't overlap, so that a reader of a few batches reads one group."""
    log = LandingLog(str(tmp_path / "landing"))
    for number in range(1, 10):
        log.append(f"b/{number}", [cart(number)] * 5_000)
    log.rewrite(1, 9, unchanged, keep_old_for=AT_ONCE)
    [file] = log.files()
    metadata = pq.ParquetFile(file.path).metadata
    maps = [metadata.row_group(number).column(0).statistics for number in range(metadata.num_row_groups)]
    assert [(one.min, one.max) for one in maps] == [(1, 4), (5, 8), (9, 9)]


def test_a_few_batches_of_a_merged_file_are_read_without_the_rest_of_it(tmp_path: Path) -> None:
    """Damage to a row group that holds none of them is not even seen; one that is read whole names it."""
    log = LandingLog(str(tmp_path / "landing"))
    for number in range(1, 10):
        log.append(f"b/{number}", [cart(number), *[order(number)] * 4_999])
    log.rewrite(1, 9, unchanged, keep_old_for=AT_ONCE)
    [file] = log.files()
    path = Path(file.path)
    payloads = pq.ParquetFile(path).metadata.row_group(1).column(8)
    page, content = payloads.dictionary_page_offset, path.read_bytes()
    assert page is not None
    path.write_bytes(content[: page + 40] + bytes(40) + content[page + 80 :])

    def found(**which: Any) -> list[int]:
        return [record.seq for record in log.read("jane", "cart_status", **which)]

    assert found(after=1, upto=3) == [2, 3]
    assert found(seqs={9, 2, 44}) == [2, 9]
    assert found(after=2, seqs={9, 2}) == [9]
    with pytest.raises(LandingError, match="missing or damaged"):
        found(seqs={2, 5})


def test_a_file_is_merged_again_only_with_as_much_as_itself() -> None:
    """So nobody writes sixty megabytes every night for the few that came."""

    def files(*sizes: int) -> list[LandedFile]:
        return [LandedFile(seq, seq, "", 1, size, {}) for seq, size in enumerate(sizes, 1)]

    def chosen(*sizes: int) -> list[list[int]]:
        return [[file.bytes for file in group] for group in groups(files(*sizes), 100)]

    assert chosen(1, 1, 1) == [[1, 1, 1]]
    assert chosen(40, 2, 2) == [[2, 2]]
    assert chosen(4, 2, 2) == [[4, 2, 2]]
    assert chosen(30, 30, 30, 30, 30) == [[30, 30, 30], [30, 30]]
    assert chosen(100, 1, 100, 200) == []
    assert chosen() == []


def _append_many(url: str, process: int) -> None:
    log = LandingLog(url)
    for number in range(40):
        log.append(f"p{process}/{number}", [cart(number)])


def test_rewriters_appenders_and_readers_work_side_by_side(tmp_path: Path) -> None:
    """Two that rewrite the same range end with one file for it; nobody ever misses a row or sees one twice."""
    url = str(tmp_path / "landing")
    log = LandingLog(url)
    fill(log, 12)
    context = multiprocessing.get_context("spawn")
    appenders = [context.Process(target=_append_many, args=(url, number)) for number in range(2)]
    for process in appenders:
        process.start()
    failures: list[BaseException] = []

    def rewrite(first: int) -> None:
        own = LandingLog(url)
        try:
            for width in range(1, 9):
                own.rewrite(first, first + width, unchanged, keep_old_for=AT_ONCE)
        except BaseException as error:  # noqa: BLE001 -- the main thread reports it
            failures.append(error)

    rewriters = [threading.Thread(target=rewrite, args=(first,)) for first in (1, 3)]
    for thread in rewriters:
        thread.start()
    reader = LandingLog(url)
    while any(process.is_alive() for process in appenders) or any(one.is_alive() for one in rewriters):
        seen = [(record.seq, record.row_no) for record in carts(reader)]
        assert len(seen) >= 24
        assert seen == sorted(set(seen))
    for thread in rewriters:
        thread.join()
    for process in appenders:
        process.join()
    assert failures == []
    assert [process.exitcode for process in appenders] == [0, 0]
    fresh = LandingLog(url)
    assert [batch.seq for batch in fresh.batches()] == list(range(1, 93))
    assert (fresh.files()[0].first_seq, fresh.files()[0].last_seq) == (1, 11)
    assert [found for found in fresh.verify() if isinstance(found, LandingError)] == []
    assert fresh.sweep() == 0
    assert parquet_files(url) == len(fresh.files())


def test_the_loser_of_a_race_for_a_range_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """On object storage the conditional create alone decides; neither change is lost."""
    url = f"memory://{uuid4().hex}/landing"
    log, rival = LandingLog(url), LandingLog(url)
    records = fill(log)
    pipe = MemoryFileSystem.pipe_file
    raced: list[str] = []

    def slow(self: MemoryFileSystem, path: str, value: bytes, mode: str = "overwrite") -> None:
        pipe(self, path, value, mode=mode)
        if "-r" in path and not raced:
            raced.append(path)
            # The rival is on another machine: no lock of this process holds it back.
            draft = rival._rewriting._draft(  # noqa: SLF001
                rival._rewriting._files(2, 3),  # noqa: SLF001
                forget(records[2].payload),
                AT_ONCE,
            )
            with monkeypatch.context() as elsewhere:
                elsewhere.setattr("extractors.landing.fsspec_store._turns", _no_turns)
                assert draft is not None
                assert rival._rewriting._commit(draft) is not None  # noqa: SLF001

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", slow)
    rewrite = log.rewrite(1, 2, forget(records[0].payload), keep_old_for=AT_ONCE)
    assert rewrite is not None
    assert (rewrite.seq, rewrite.first_seq, rewrite.last_seq) == (2, 1, 3)
    after = carts(LandingLog(url))
    emptied = [one.source_key is None for one in after]
    assert emptied == [was in (records[0], records[2]) for was in records]
    log.sweep()
    assert parquet_files(url) == 4


class _no_turns(dict[str, threading.Lock]):  # noqa: N801 -- stands for a function
    """Gives everybody a turn of her own."""

    def __missing__(self, key: str) -> threading.Lock:
        return threading.Lock()


# Stops a writer at a line, as a power cut would: no handler runs.
_KILLED = """
import os, signal, sys
from datetime import timedelta
from extractors.landing.local_store import LocalStore
from extractors.landing.log import LandingLog
from extractors.landing.rewrites import Rewrites
from tests.extractors.landing.test_rewriting import fill, forget
log = LandingLog(sys.argv[1])
payload = fill(log)[2].payload
def die(*ignored):
    os.kill(os.getpid(), signal.SIGKILL)
line = sys.argv[2]
if line == "in the draft":
    import extractors.landing.local_store as local_store
    local_store.os.fsync = die
elif line == "before the entry":
    Rewrites.add = die
elif line == "after the entry":
    Rewrites.extend_checkpoint = die
else:
    LocalStore.remove = die
log.rewrite(2, 3, forget(payload), keep_old_for=timedelta(0))
"""


@pytest.mark.parametrize(
    "line", ["in the draft", "before the entry", "after the entry", "before the old ones go"]
)
def test_a_crash_in_the_middle_of_a_rewrite_leaves_the_old_files_or_the_new_one(
    tmp_path: Path, line: str
) -> None:
    """Doing it again ends the same, and what nobody names is swept away."""
    root = tmp_path / "landing"
    run = subprocess.run([sys.executable, "-c", _KILLED, str(root), line], check=False)  # our own text
    assert run.returncode == -9
    log = LandingLog(str(root))
    before = carts(log)
    assert [(record.seq, record.row_no) for record in before] == [
        (seq, row) for seq in range(1, 7) for row in (1, 3)
    ]
    is_done = line in ("after the entry", "before the old ones go")
    payload = cart(20).payload
    assert [record.payload for record in before].count(payload) == (0 if is_done else 1)
    assert (log.rewrite(2, 3, forget(payload), keep_old_for=AT_ONCE) is None) == is_done
    log.sweep()
    assert parquet_files(str(root)) == 5
    assert not any(payload.encode() in path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert list((root / "tmp").iterdir()) == []
    assert log.append("b/7", [cart(70)]).seq == 7


def test_a_stray_is_swept_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    """A lost writer's file may hold what an erasure looks for."""
    root = tmp_path / "landing"
    log = LandingLog(str(root))
    fill(log, 3)
    folder = root / "batches/000000000"
    for name in (
        "000000000002-0badf00d.parquet", "000000000009-0badf00d.parquet",
        "000000000001-000000000003-r000001-0badf00d.parquet", "mine.parquet",
    ):  # fmt: skip
        (folder / name).write_bytes(b"torn")
    assert log.sweep() == 3
    assert (folder / "mine.parquet").exists()
    assert len(carts(log)) == 6


def test_a_damaged_entry_of_a_rewrite_is_named_and_made_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Appends go on meanwhile; so are the entries of the batches in a merged file."""
    root = tmp_path / "landing"
    log = LandingLog(str(root))
    records = fill(log)
    log.rewrite(2, 4, unchanged, keep_old_for=AT_ONCE)
    before = log.batches()
    entry = root / "manifest/rewrites/000000000001.json"
    whole = entry.read_bytes()
    entry.write_bytes(b"{")
    with pytest.raises(LandingError, match=r"rewrites/000000000001\.json is damaged") as caught:
        LandingLog(str(root)).batches()
    assert "--repair-rewrite 1" in caught.value.fix
    assert LandingLog(str(root)).append("b/7", [order(7)]).seq == 7
    assert inspect.main([str(root), "--repair-rewrite", "1"]) == 0
    assert entry.read_bytes() == whole
    assert carts(LandingLog(str(root))) == records

    (root / "manifest/000000000003.json").write_bytes(b"{")
    assert inspect.main([str(root), "--verify"]) == 1
    assert "1 problems" in capsys.readouterr().out
    assert inspect.main([str(root), "--repair", "3"]) == 0
    mended = LandingLog(str(root)).batches(2, 3)[0]
    assert (mended.name, mended.streams, mended.landed_at) == (
        before[2].name,
        before[2].streams,
        before[2].landed_at,
    )
    assert inspect.main([str(root), "--verify"]) == 0
    assert inspect.main([str(root), "--repair-rewrite", "5"]) == 1


def test_a_damaged_merged_file_is_one_problem_and_rewrites_have_pages_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of a thousand rewrites reads one page."""
    monkeypatch.setattr("extractors.landing.manifest._PAGE", 4)
    root = tmp_path / "landing"
    log, old_reader = LandingLog(str(root)), LandingLog(str(root))
    records = fill(log)
    for width in range(1, 6):
        log.rewrite(1, 1 + width, unchanged, keep_old_for=AT_ONCE)
        old_reader.batches()
    assert (root / "manifest/rewrites/checkpoint.json").exists()
    for seq in range(1, 5):
        (root / f"manifest/rewrites/{seq:012d}.json").unlink()
    for reader in (log, old_reader, LandingLog(str(root))):
        assert carts(reader) == records
        assert [one.seq for one in reader.rewrites(after=3)] == [4, 5]
    [file] = log.files()
    path = Path(file.path)
    path.write_bytes(path.read_bytes()[:-200])
    assert inspect.main([str(root), "--verify"]) == 1
    assert "1 problems" in capsys.readouterr().out
