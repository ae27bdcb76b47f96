"""Files for another system: whole, named for what is in them, and safe to open."""

import asyncio
import csv
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fsspec import register_implementation
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from perennial.settings import Settings
from reverse_etl.destinations.base import Answer, Effect
from reverse_etl.destinations.csv_drop import COLUMNS, CsvDrop, file_of
from reverse_etl.destinations.drop_folder import DropFolder, drop_folder
from reverse_etl.destinations.registry import destinations_for
from reverse_etl.kinds import EXIT
from reverse_etl.ledger.rows import Enrollment
from tests.reverse_etl.rows import BOTH, closed, row
from tests.reverse_etl.scene import NOON, Scene, decision


class _Moving(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system that can't create a file only where none is, and so has to move one."""

    protocol = "moving"


@pytest.fixture(params=["local", "file", "memory", "moving"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> DropFolder:
    """Return an empty folder of each kind."""
    MemoryFileSystem.store.clear()
    if request.param == "moving":
        register_implementation("moving", _Moving, clobber=True)
    places = {"local": str(tmp_path), "file": f"file://{tmp_path}", "memory": "memory://drop"}
    return drop_folder(places.get(request.param, f"moving://{tmp_path}"))


def bodies(*rows: Enrollment) -> list[Mapping[str, Any]]:
    """Return the cells of rows whose channels are all open."""
    drop = CsvDrop(drop_folder("memory://nobody"))
    return [drop.body(one, BOTH) for one in rows]


def send(folder: DropFolder, *batches: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """Send batches in one run; return the answers."""

    async def run() -> list[Answer]:
        async with CsvDrop(folder).session() as session:
            return [answer for batch in batches for answer in await session.send(batch)]

    return asyncio.run(run())


def read(folder: DropFolder) -> list[dict[str, str]]:
    """Return the rows of all files, in the order of their names."""
    rows: list[dict[str, str]] = []
    for day in folder.names(""):
        for name in folder.names(day):
            content = folder.read(f"{day}/{name}") or b""
            rows += csv.DictReader(io.StringIO(content.decode(), newline=""))
    return rows


def test_a_push_leaves_one_file(scene: Scene) -> None:
    """Of all rows, with columns that stay; ``kind`` tells them apart."""
    scene.decide(*(decision(number, destination="csv") for number in range(3)))
    assert scene.push().by_destination == {"csv": {"accepted": 3}}
    [file] = [path for path in (scene.home / "drop").rglob("*") if path.is_file()]
    assert file.parent.name == "2026-03-15"
    assert file.name.startswith("20260315T180000Z-0003-")
    rows = read(drop_folder(str(scene.home / "drop")))
    assert [one["id"] for one in rows] == ["d000000", "d000001", "d000002"]
    assert tuple(rows[0]) == COLUMNS
    assert rows[2] == {
        "id": "d000002",
        "kind": "marketing",
        "at": "2026-03-15T18:00:00Z",
        "enrollment_id": "d000002",
        "flow": "cart_abandoned_recovery",
        "flow_display_name": "Cart abandoned recovery",
        "customer_id": "c_2",
        "channels": "sms email",
        "email": "ann2@example.com",
        "phone": "+13035550002",
        "flowhub_customer_id": "fh-2",
        "expires_at": "2026-03-15T18:30:00Z",
        "reason": "",
        "context": '{"cart_id":"2","cart_total":41.8,"utm_campaign":"cart-abandoned-recovery"}',
    }


def test_ends_share_a_file(scene: Scene) -> None:
    """Many end at once, as when a shop is closed for a day: that is one file more, not one for each."""
    scene.decide(*(decision(number, destination="csv") for number in range(30)))
    scene.push()
    ends = [
        {"kind": "exit", "enrollment_id": f"d{number:06d}", "exited_at": NOON.isoformat(), "reason": "bought"}
        for number in range(30)
    ]
    scene.decide(*ends)
    scene.push()
    assert len([path for path in (scene.home / "drop").rglob("*") if path.is_file()]) == 2
    rows = read(drop_folder(str(scene.home / "drop")))
    assert Counter(one["kind"] for one in rows) == {"marketing": 30, "exit": 30}


def test_ends_and_closed_addresses_are_rows_too() -> None:
    """An end names its enrollment; a closed address nothing else of the person."""
    ended, opted_out = bodies(row(7, EXIT), closed("email"))
    assert (ended["kind"], ended["enrollment_id"], ended["reason"]) == ("exit", "d000007", "bought")
    assert {name: value for name, value in opted_out.items() if value} == {
        "id": "opt_out:email:7",
        "kind": "opt_out",
        "at": "2026-03-15T18:00:00Z",
        "channels": "email",
        "email": "ann7@example.com",
        "reason": "unsubscribed",
        "context": '{"channel":"email","reason":"unsubscribed","said_at":"2026-03-15T17:59:58Z"}',
    }


def test_the_same_batch_is_the_same_file(folder: DropFolder) -> None:
    """In whatever order its rows come: a push that was killed before it committed writes nothing new."""
    batch = bodies(row(1), row(2), row(3))
    answers = send(folder, batch, batch[::-1], batch)
    assert {answer.effect for answer in answers} == {Effect.TAKEN}
    assert [one["id"] for one in read(folder)] == ["d000001", "d000002", "d000003"]


def test_a_row_that_may_be_in_a_file_is_looked_for(folder: DropFolder) -> None:
    """After a kill each row comes alone: it is there, or it is written once."""
    batch = bodies(row(1), row(2, triggered_at=NOON.replace(hour=23)), row(3))
    send(folder, batch)
    late = bodies(row(4, triggered_at=NOON.replace(day=16)))
    send(folder, *([one] for one in (*batch, *late, *late)))
    assert sorted(one["id"] for one in read(folder)) == ["d000001", "d000002", "d000003", "d000004"]
    files = [name for day in folder.names("") for name in folder.names(day)]
    assert len(files) == 2


def test_a_reader_never_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being written has a hidden name until all of it is on the disk; nothing of it is left."""
    folder = drop_folder(str(tmp_path))
    seen: list[list[str]] = []
    real = os.fsync

    def watched(handle: int) -> None:
        seen.append(folder.names("2026-03-15"))
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    send(folder, bodies(row(1), row(2)))
    assert ([] in seen, len(folder.names("2026-03-15"))) == (True, 1)
    before_it_is_whole = seen[: seen.index(folder.names("2026-03-15"))]
    assert not any(before_it_is_whole)
    assert not list(tmp_path.rglob(".*"))


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full stops the run and is named; the file is not there, nor a part of it."""

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        [answer] = send(drop_folder(str(tmp_path / "drop")), bodies(row(1)))
    assert (answer.effect, answer.reason) == (Effect.STOP, "it can't be written (ENOSPC); check CSV_DROP_URL")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_folder_that_can_not_be_written_stops_the_run(tmp_path: Path) -> None:
    """A file stands where the folder should."""
    (tmp_path / "drop").write_text("not a folder")
    [answer] = send(drop_folder(str(tmp_path / "drop")), bodies(row(1)))
    assert answer.effect is Effect.STOP
    assert "CSV_DROP_URL" in (answer.reason or "")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=HYPERLINK(A1)", "'=HYPERLINK(A1)"),
        ("+1 (303) 555", "'+1 (303) 555"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\uff1dcmd", "'\uff1dcmd"),
        ('a, "b"\nc', 'a, "b"\nc'),
    ],
)
def test_no_cell_is_run_as_a_formula(value: str, cell: str) -> None:
    """A name that a shopper chose is text, whatever it begins with; what CSV quotes comes back as it was."""
    _, content = file_of(bodies(row(7, flow_display_name=value)))
    [read_back] = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert read_back["flow_display_name"] == cell
    assert read_back["phone"] == "+13035550007"


def test_a_place_that_nothing_here_writes_to_is_a_setting_to_mend() -> None:
    """An unknown scheme is told by its setting, without the URL."""
    missing = destinations_for(Settings(_env_file=None, csv_drop_url="gopher://secret@x/y"), ["csv"]).missing
    assert "CSV_DROP_URL" in missing["csv"]
    assert "secret" not in missing["csv"]


def test_a_check_leaves_nothing(folder: DropFolder, tmp_path: Path) -> None:
    """It tries to write, and takes away what it wrote."""
    assert asyncio.run(CsvDrop(folder).check()).effect is Effect.TAKEN
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert folder.names("") == []
