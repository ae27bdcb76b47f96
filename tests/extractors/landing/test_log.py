"""What the ordered log promises, on a local disk and on an fsspec file system."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from tests.extractors.landing.samples import RECEIVED_AT, cart, order

COLUMNS = ["seq", "row_no", "source", "stream", "source_key", "received_at", "headers", "request", "payload"]
TYPES = ["BIGINT", "INTEGER", *["VARCHAR"] * 3, "TIMESTAMP WITH TIME ZONE", *["VARCHAR"] * 3]


@pytest.fixture(params=["path", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the root of an empty log."""
    if request.param == "memory":
        root = f"/{uuid4().hex}"
        yield f"memory:/{root}"
        MemoryFileSystem().rm(root, recursive=True) if MemoryFileSystem().exists(root) else None
    else:
        yield f"file://{tmp_path}/landing" if request.param == "file" else str(tmp_path / "landing")


def test_an_empty_log_has_no_batches_and_leaves_no_trace(tmp_path: Path) -> None:
    """Reading makes no folder: a reader may have no right to."""
    log = LandingLog(str(tmp_path / "landing"))
    assert (log.last_seq(), log.files(), log.batches(), list(log.read("jane", "cart_status"))) == (
        0,
        [],
        [],
        [],
    )
    assert list(tmp_path.iterdir()) == []


def test_batches_take_the_next_seq_and_keep_their_records_as_received(url: str) -> None:
    """Text, headers, request, key and instant come back unchanged."""
    log = LandingLog(url)
    first = log.append("journal/a/1", [cart(1), order(1), cart(2)])
    second = log.append("journal/a/2", [cart(3)])
    assert (first.seq, first.rows, first.streams) == (1, 3, {"jane/cart_status": 2, "flowhub/orders": 1})
    assert (second.seq, second.rows) == (2, 1)
    landed = list(LandingLog(url).read("jane", "cart_status"))
    assert [(record.seq, record.row_no) for record in landed] == [(1, 1), (1, 3), (2, 1)]
    assert [record.payload for record in landed] == [cart(n).payload for n in (1, 2, 3)]
    assert landed[0].headers == {"X-Jane-Request-Timestamp": "1488371400"}
    assert landed[0].received_at == RECEIVED_AT
    [landed_order] = log.read("flowhub", "orders")
    assert landed_order.request == {"url": "http://127.0.0.1/v1/orders", "page": 1}
    assert landed_order.source_key is None


def test_readers_see_only_the_range_they_ask_for(url: str) -> None:
    """A moment reads up to its own seq and not beyond."""
    log = LandingLog(url)
    for number in range(1, 6):
        log.append(f"b/{number}", [cart(number)])
    assert [batch.seq for batch in log.batches(after=1, upto=3)] == [2, 3]
    assert [(file.first_seq, file.last_seq, file.rows) for file in log.files(after=3)] == [
        (4, 4, 1),
        (5, 5, 1),
    ]
    assert [record.seq for record in log.read("jane", "cart_status", after=2, upto=4)] == [3, 4]
    assert log.batches(after=5) == []
    assert log.batches(after=9, upto=20) == []


def test_the_same_name_lands_once(url: str) -> None:
    """A retry, from this process or another, changes nothing."""
    log = LandingLog(url)
    first = log.append("decisions/7", [cart(1)])
    log.append("decisions/8", [cart(2)])
    assert log.append("decisions/7", [cart(9), cart(10)]) == first
    assert LandingLog(url).append("decisions/7", [cart(9)]) == first
    assert log.last_seq() == 2


def test_a_reader_sees_what_another_appends_later(url: str) -> None:
    """A kept log object probes the tail again."""
    reader, writer = LandingLog(url), LandingLog(url)
    assert reader.last_seq() == 0
    writer.append("b/1", [cart(1)])
    assert reader.last_seq() == 1
    writer.append("b/2", [cart(2)])
    assert [batch.name for batch in reader.batches()] == ["b/1", "b/2"]


def test_an_empty_batch_and_a_strange_name_are_refused(url: str) -> None:
    """Both are mistakes of the caller."""
    log = LandingLog(url)
    with pytest.raises(ValueError, match="no records"):
        log.append("b/1", [])
    for name in ("", "../../etc/passwd", "a b", "a\nb"):
        with pytest.raises(ValueError, match="name"):
            log.append(name, [cart(1)])
    assert log.last_seq() == 0


def test_a_time_without_a_zone_is_refused_and_another_zone_becomes_utc(url: str) -> None:
    """No instant is ever guessed."""
    with pytest.raises(ValueError, match="time zone"):
        Record("jane", "cart_status", None, RECEIVED_AT.replace(tzinfo=None), "{}")
    denver = RECEIVED_AT.astimezone(timezone(timedelta(hours=-7)))
    log = LandingLog(url)
    log.append("b/1", [Record("jane", "cart_status", None, denver, "{}")])
    [landed] = log.read("jane", "cart_status")
    assert (landed.received_at, landed.received_at.tzname()) == (RECEIVED_AT, "UTC")


def test_duckdb_reads_the_files_in_the_agreed_shape(tmp_path: Path) -> None:
    """The columns are an interface: names, order and types."""
    log = LandingLog(str(tmp_path / "landing"))
    log.append("b/1", [cart(1), order(1)])
    log.append("b/2", [cart(2)])
    paths = [file.path for file in log.files()]
    relation = duckdb.read_parquet(paths).order("seq, row_no")
    assert relation.columns == COLUMNS
    assert [str(kind) for kind in relation.types] == TYPES
    found = relation.project("seq, row_no, json_extract_string(payload, '$.cart.id')").fetchall()
    assert found == [(1, 1, "1"), (1, 2, None), (2, 1, "2")]


def test_a_checkpoint_takes_over_full_thousands_and_hides_nothing(tmp_path: Path) -> None:
    """For the writer, a reader of an older state and a new one alike."""
    root = tmp_path / "landing"
    log, old_reader = LandingLog(str(root)), LandingLog(str(root))
    for number in range(1, 1_003):
        log.append(f"b/{number}", [cart(number)])
        if number == 500:
            assert old_reader.last_seq() == 500
    assert (root / "manifest/checkpoint.json").exists()
    fresh = LandingLog(str(root))
    for reader in (log, old_reader, fresh):
        assert reader.last_seq() == 1_002
        assert [batch.seq for batch in reader.batches()] == list(range(1, 1_003))
        assert [batch.seq for batch in reader.batches(after=998, upto=1_001)] == [999, 1_000, 1_001]
    assert fresh.append("b/3", [cart(9)]).seq == 3
    # A reader with the checkpoint doesn't need the entries that it took over.
    for seq in range(1, 1_001):
        (root / f"manifest/{seq:012d}.json").unlink()
    late = LandingLog(str(root))
    assert (late.last_seq(), len(late.batches()), late.append("b/4", [cart(9)]).seq) == (1_002, 1_002, 4)
    assert late.append("b/new", [cart(9)]).seq == 1_003


def test_a_deleted_checkpoint_is_made_anew(tmp_path: Path) -> None:
    """The entries are enough."""
    root = tmp_path / "landing"
    log = LandingLog(str(root))
    for number in range(1, 1_002):
        log.append(f"b/{number}", [cart(number)])
    before = log.batches()
    (root / "manifest/checkpoint.json").unlink()
    assert log.batches() == before
    log.append("b/next", [cart(1)])
    assert (root / "manifest/checkpoint.json").exists()
    assert LandingLog(str(root)).batches()[:-1] == before


def test_threads_share_one_log(url: str) -> None:
    """The seqs are dense and unique, and each thread keeps its order."""
    log = LandingLog(url)

    def work(thread: int) -> None:
        for number in range(10):
            log.append(f"t{thread}/{number}", [cart(number)])
            log.batches()

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batches = LandingLog(url).batches()
    assert [batch.seq for batch in batches] == list(range(1, 41))
    assert len({batch.name for batch in batches}) == 40
    for thread_no in range(4):  # each thread's own order is kept
        own = [batch.name for batch in batches if batch.name.startswith(f"t{thread_no}/")]
        assert own == [f"t{thread_no}/{number}" for number in range(10)]


def _append_many(url: str, process: int) -> None:
    log = LandingLog(url)
    for number in range(15):
        log.append(f"p{process}/{number}", [cart(number)] * (1 + number % 3))
        log.append(f"shared/{number}", [cart(number)])


def test_processes_append_at_the_same_time(tmp_path: Path) -> None:
    """A reader meanwhile never sees a gap; a name that several race for lands once."""
    url = str(tmp_path / "landing")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append_many, args=(url, number)) for number in range(3)]
    for process in processes:
        process.start()
    seen: list[int] = []
    watcher = LandingLog(url)
    while any(process.is_alive() for process in processes):
        seen.append(watcher.last_seq())
        # Visible order is seq order: whatever is the last, all before it can be read already.
        assert [batch.seq for batch in watcher.batches()][: seen[-1]] == list(range(1, seen[-1] + 1))
        time.sleep(0.02)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert seen == sorted(seen)
    batches = LandingLog(url).batches()
    assert [batch.seq for batch in batches] == list(range(1, 3 * 15 + 15 + 1))
    assert len({batch.name for batch in batches}) == len(batches)
    for batch in batches:
        rows = duckdb.read_parquet(f"{url}/{batch.path}").project("seq, row_no").fetchall()
        assert rows == [(batch.seq, row_no) for row_no in range(1, batch.rows + 1)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payloads=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_comes_back_as_it_was(tmp_path: Path, payloads: list[str]) -> None:
    """NUL, quotes, emoji and line ends included."""
    log = LandingLog(str(tmp_path / uuid4().hex))
    log.append("b/1", [cart(number, text) for number, text in enumerate(payloads)])
    assert [record.payload for record in log.read("jane", "cart_status")] == payloads
