"""What an operator does with refused rows: take them up again after a fix, or set them aside for good.

The mart ``quarantine`` shows them; what is done is landed, so that a rebuild knows it. A retry lands the rows' own
payloads once more, as rows of their stream: every model sees them as it sees anything that lands. The log says which
rows were closed, at once, while the mart follows with the next build.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from extractors.landing.log import LandingLog
from extractors.landing.operations import land_operation
from extractors.landing.records import LandedRecord, Record
from extractors.landing.tombstone import is_tombstone
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.published import open_published

RETRY, DISCARD = "quarantine_retry", "quarantine_discard"
OPEN = "open"
_BATCH = "quarantine/retry/"
_READ = """
    select stream, seq, row_no, reason, status, received_at, payload from marts.quarantine
    where ($stream is null or stream = $stream) and ($status is null or status = $status)
        and ($reason is null or contains(lower(reason), lower($reason)))
    order by seq, row_no
"""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row lies in the log; people write it ``seq/row``."""

    seq: int
    row_no: int

    def __str__(self) -> str:
        return f"{self.seq}/{self.row_no}"

    @classmethod
    def of(cls, text: str) -> "Place":
        """Read ``41/2``; ``PerennialError`` for anything else."""
        seq, slash, row_no = text.partition("/")
        if not (slash and seq.isdecimal() and row_no.isdecimal()):
            raise PerennialError(
                f"{text!r} names no row", "write seq/row as perennial quarantine list shows it, such as 41/2"
            )
        return cls(int(seq), int(row_no))


@dataclass(frozen=True, slots=True)
class Refused:
    """A row in quarantine; ``reason`` is the rule's name and its sentence, ``payload`` the text as received."""

    place: Place
    stream: str
    reason: str
    status: str
    received_at: datetime
    payload: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: of a stream, with words in their reason, or these; all where nothing is said."""

    stream: str | None = None
    reason: str | None = None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the rows that were closed now, and how many of the selected had been closed before."""

    places: tuple[Place, ...]
    before: int = 0
    batch: str | None = None


def refused(home: Home, selection: Selection, status: str | None = OPEN) -> list[Refused]:
    """Return the rows of quarantine as of the newest published set.

    Raises ``PerennialError`` where nothing is published yet, or when a place that is named is not among them.
    """
    published = open_published(home)
    with published.connection as connection:
        if "marts.quarantine" not in published.names:
            raise PerennialError("no quarantine is published yet", "build first: perennial run")
        wanted = {"stream": selection.stream, "reason": selection.reason, "status": status}
        try:
            rows = connection.execute(_READ, wanted).fetchall()
        except duckdb.BinderException:
            raise PerennialError(
                "what is published was built by an older version of Perennial", "build again: perennial run"
            ) from None
    found = [
        Refused(Place(seq, row_no), stream, reason, state, received_at.replace(tzinfo=UTC), payload)
        for stream, seq, row_no, reason, state, received_at, payload in rows
    ]
    if not selection.places:
        return found
    missing = {*selection.places} - {row.place for row in found}
    if missing:
        raise PerennialError(
            f"not {status or 'in quarantine'} as of build {published.build_no}: "
            f"{', '.join(map(str, sorted(missing)))}",
            "perennial quarantine list --status all shows every row with its place",
        )
    return [row for row in found if row.place in selection.places]


def retry(
    home: Home, log: LandingLog, clock: Clock, rows: Sequence[Refused], *, by: str | None = None
) -> Done:
    """Land these rows' payloads again, as one batch; a row that was closed before is left alone.

    Twice is once, and a crash after any line is mended by the next retry or discard: the batch is named after
    its rows, and the log says which rows were taken.
    """
    with _one_desk(home):
        _finish(log, clock, by)
        places = _still_open(log, rows)
        if not places:
            return Done((), before=len(rows))
        streams = {row.place: row.stream for row in rows}
        name = f"{_BATCH}{_digest(places)}"
        log.append(name, [_again(log, streams[place], place) for place in places])
        crash_point("retry_landed")
        _tell(log, clock, RETRY, places, by, batch=name)
        return Done(places, len(rows) - len(places), name)


def discard(
    home: Home, log: LandingLog, clock: Clock, rows: Sequence[Refused], *, by: str | None = None
) -> Done:
    """Set these rows aside for good; their payloads stay in the log and in quarantine."""
    with _one_desk(home):
        _finish(log, clock, by)
        places = _still_open(log, rows)
        if places:
            _tell(log, clock, DISCARD, places, by)
        return Done(places, len(rows) - len(places))


@contextmanager
def _one_desk(home: Home) -> Iterator[None]:
    """Let operators work one after the other: two who take the same row at once would take it twice."""
    with (home.root / "quarantine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _still_open(log: LandingLog, rows: Iterable[Refused]) -> tuple[Place, ...]:
    closed = {place for told in _told(log) for place in _places(told["subject"]["rows"])}
    return tuple(sorted({row.place for row in rows} - closed))


def _finish(log: LandingLog, clock: Clock, by: str | None) -> None:
    """Tell of the batches that a crash left without their word."""
    known = {told["subject"].get("batch") for told in _told(log)}
    for batch in log.batches():
        if batch.name.startswith(_BATCH) and batch.name not in known:
            taken = [
                Place(**record.request["retries"])
                for source, _, stream in (name.partition("/") for name in batch.streams)
                for record in log.read(source, stream, batch.seq - 1, batch.seq)
            ]
            _tell(log, clock, RETRY, sorted(taken), by, batch=batch.name)


def _again(log: LandingLog, stream: str, place: Place) -> Record:
    source, _, name = stream.partition("/")
    row = _row(log, source, name, place)
    if is_tombstone(row.payload):
        raise PerennialError(
            f"row {place} has no payload any more: its person was erased",
            f"leave it out, or discard it: perennial quarantine discard {place}",
        )
    origin = {"seq": place.seq, "row_no": place.row_no}
    request = {**row.request, "retries": origin, "original": row.request.get("original", origin)}
    return Record(source, name, row.source_key, row.received_at, row.payload, row.headers, request)


def _row(log: LandingLog, source: str, stream: str, place: Place) -> LandedRecord:
    for record in log.read(source, stream, place.seq - 1, place.seq):
        if record.row_no == place.row_no:
            return record
    raise PerennialError(
        f"row {place} is not in the landing log", "the published quarantine is not of this log: build again"
    )


def _tell(  # noqa: PLR0913, PLR0917 - each is a part of what is told
    log: LandingLog,
    clock: Clock,
    operation: str,
    places: Sequence[Place],
    by: str | None,
    batch: str | None = None,
) -> None:
    rows = [{"seq": place.seq, "row_no": place.row_no} for place in places]
    subject: dict[str, object] = {"rows": rows} if batch is None else {"rows": rows, "batch": batch}
    land_operation(log, clock, operation, subject, by=by, key=_digest(places))


def _told(log: LandingLog) -> Iterator[dict[str, Any]]:
    for record in log.read("perennial", "operations"):
        told = json.loads(record.payload)
        if told.get("operation") in {RETRY, DISCARD}:
            yield told


def _places(rows: Iterable[Mapping[str, int]]) -> Iterator[Place]:
    return (Place(row["seq"], row["row_no"]) for row in rows)


def _digest(places: Sequence[Place]) -> str:
    return hashlib.sha256(",".join(map(str, places)).encode()).hexdigest()[:32]
