"""CSV drop: what was decided, as files that another system picks up.

Call      one file of up to 5,000 rows, below ``CSV_DROP_URL`` (a folder, ``s3://``, or any other fsspec URL):
          ``<day>/<instant>-<rows>-<hash>.csv``, UTF-8 with a header (RFC 4180). A reader sees whole files only.
Source    ours: docs/activation.md has the columns. ``kind`` tells an enrollment (``marketing``, ``transactional``) from
          an ``exit`` and an ``opt_out``.
Limits    none.
Repeats   a file is named for the newest instant in it and for its content, so the same batch again is the same file. A
          row whose outcome is unknown is looked for, by its ``id``, in the files that may hold it before it is written
          alone. Both know only what still lies there: a reader that takes files away drops an ``id`` that it has had.
Retries   what the file system did not say for certain. What says that it can't be used (no such bucket, no permission,
          a full disk) stops the run.
Sheets    a cell that a spreadsheet would run as a formula begins with ``'``, which is not part of the value. Phone
          numbers, which begin with ``+``, are left as they are: nothing but a number can be made of them.
Content   addresses of open channels only; details of products only where ``destination_fields`` lists them.
"""

import asyncio
import csv
import errno
import hashlib
import io
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from reverse_etl.addresses import Channel
from reverse_etl.destinations.base import Answer, Batch, Effect, RefusedError
from reverse_etl.destinations.drop_folder import DropFolder
from reverse_etl.destinations.head import Head
from reverse_etl.destinations.parts import ended_enrollment, identifiers, utc_text
from reverse_etl.kinds import EXIT, OPT_OUT, ORDER
from reverse_etl.ledger.rows import Enrollment

COLUMNS = (
    "id",
    "kind",
    "at",
    "enrollment_id",
    "flow",
    "flow_display_name",
    "customer_id",
    "channels",
    "email",
    "phone",
    "flowhub_customer_id",
    "expires_at",
    "reason",
    "context",
)
MOST_ROWS = 5_000
_BATCH = Batch(most=MOST_ROWS, takes_ends=True)
_FORMULA = re.compile(r"[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]")
_PHONE = re.compile(r"\+\d+")
_UNUSABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOTDIR}
_NAME = re.compile(r"(?P<at>\d{8}T\d{6}Z)-(?P<rows>\d+)-[0-9a-f]{32}\.csv")
_DAY = slice(0, 10)


@dataclass(frozen=True)
class CsvDrop(Head):
    """One folder that a reader empties."""

    folder: DropFolder = field(repr=False)
    _: KW_ONLY
    name: str = "csv"
    dedupes: bool = True
    concurrency: int = 1
    batch: Batch = _BATCH

    @property
    def account(self) -> str:
        """There is one folder, and nobody counts."""
        return self.name

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the row's cells, as they are to be read."""
        if row.kind == ORDER:
            raise RefusedError("a CSV drop takes no orders")
        is_closed = row.kind == OPT_OUT
        known = identifiers(row, row.channels if is_closed else channels)
        expires_at = None if row.expires_at is None or row.kind in (EXIT, OPT_OUT) else row.expires_at
        cells = {
            "id": row.enrollment_id,
            "kind": row.kind,
            "at": utc_text(row.triggered_at),
            "enrollment_id": None if is_closed else ended_enrollment(row),
            "flow": None if is_closed else row.flow_name,
            "flow_display_name": None if is_closed else row.flow_display_name,
            "customer_id": None if is_closed else row.customer_id,
            "channels": " ".join(row.channels if is_closed else channels),
            **known,
            "expires_at": None if expires_at is None else utc_text(expires_at),
            "reason": row.context.get("reason") if row.kind in (EXIT, OPT_OUT) else None,
            "context": json.dumps(row.context, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        }
        return {column: cells.get(column) for column in COLUMNS}

    @asynccontextmanager
    async def session(self) -> AsyncIterator["_Session"]:
        """Remember what has been read for the time of one run."""
        yield _Session(self.folder)

    async def check(self) -> Answer:
        """Write a file under a hidden name, and take it away."""
        path = f".{secrets.token_hex(8)}.check"

        def try_it() -> None:
            self.folder.create(path, b"")
            self.folder.remove(path)

        return await _outcome(try_it, "files can be written there")


def file_of(bodies: Sequence[Mapping[str, Any]]) -> tuple[str, bytes]:
    """Return the path and the content of a batch: the same for the same rows, in whatever order they come."""
    rows = sorted(bodies, key=lambda body: (body["at"], body["id"]))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[column]) for column in COLUMNS] for row in rows)
    content = text.getvalue().encode()
    newest = rows[-1]["at"]
    digest = hashlib.sha256(content).hexdigest()[:32]
    return f"{newest[_DAY]}/{_stamp(newest)}-{len(rows):04d}-{digest}.csv", content


def _cell(value: str | None) -> str:
    text = value or ""
    return f"'{text}" if _FORMULA.match(text) and not _PHONE.fullmatch(text) else text


def _stamp(at: str) -> str:
    """Return an instant as names have it: to the second, so that they sort by time."""
    return re.sub(r"[-:]|\.\d+", "", at)


@dataclass
class _Session:
    folder: DropFolder
    _ids: dict[str, frozenset[str]] = field(default_factory=dict)

    async def send(self, bodies: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Write one file; a row that comes alone may be in one already."""
        answer = await _outcome(lambda: self._write(bodies))
        return [answer] * len(bodies)

    def _write(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        if len(bodies) == 1 and self._is_there(bodies[0]):
            return
        self.folder.create(*file_of(bodies))

    def _is_there(self, body: Mapping[str, Any]) -> bool:
        return any(body["id"] in self._read(path) for path in self._may_hold(body["at"]))

    def _may_hold(self, at: str) -> Iterator[str]:
        """Yield the files of several rows whose newest is no older than this one; a file of one row is its name."""
        for day in self.folder.names(""):
            if day < at[_DAY]:
                continue
            for name in self.folder.names(day):
                found = _NAME.fullmatch(name)
                if found and int(found["rows"]) > 1 and found["at"] >= _stamp(at):
                    yield f"{day}/{name}"

    def _read(self, path: str) -> frozenset[str]:
        """Return the ids in a file, which never changes; none where the reader has taken it away meanwhile."""
        if path not in self._ids:
            content = self.folder.read(path) or b""
            rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
            self._ids[path] = frozenset(row["id"] for row in rows)
        return self._ids[path]


async def _outcome(work: Callable[[], None], known: str | None = None) -> Answer:
    """Say what became of work on the folder; what a file system says may hold secrets, so only its kind is told."""
    try:
        await asyncio.to_thread(work)
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        return Answer(Effect.STOP, f"it can't be written ({type(error).__name__}); check CSV_DROP_URL")
    except OSError as error:
        if error.errno in _UNUSABLE:
            return Answer(
                Effect.STOP, f"it can't be written ({errno.errorcode[error.errno]}); check CSV_DROP_URL"
            )
        return _unknown(error)
    except Exception as error:  # noqa: BLE001 - what object storage raises is not of one family
        return _unknown(error)
    return Answer(Effect.TAKEN, known)


def _unknown(error: Exception) -> Answer:
    return Answer(
        Effect.UNKNOWN, f"nobody knows what became of the file ({type(error).__name__}); see CSV_DROP_URL"
    )
