"""What the vendors got and served: every call of AIQ and Klaviyo is kept, the others are counted."""

import json
import sqlite3
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from perennial.clock import Clock

SHORTEST_ID = 30

_SCHEMA = """
create table if not exists calls (
    id integer primary key,
    vendor text not null,
    received_at text not null,
    method text not null,
    path text not null,
    status integer not null,
    outcome text not null,
    reason text not null,
    event_name text not null,
    body text not null
);
create index if not exists calls_of_vendor on calls (vendor, id);
"""


@dataclass(frozen=True)
class Call:
    """A call as it was received. ``outcome``: accepted, duplicate, rejected, unauthorized or rate_limited."""

    method: str
    path: str
    status: int
    outcome: str
    reason: str
    event_name: str
    body: str


class Received:
    """The calls, in an SQLite file that outlives the sandbox."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Open the file, making it where there is none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A call must outlive a killed sandbox, not a power cut.
        self._connection.executescript("pragma journal_mode = wal; pragma synchronous = normal;")
        self._connection.executescript(_SCHEMA)
        self.served: Counter[tuple[str, str, str, str]] = Counter()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def keep(self, vendor: str, call: Call) -> None:
        """Keep a call."""
        values = (
            vendor,
            self._clock.now().astimezone(UTC).isoformat(),
            call.method,
            call.path,
            call.status,
            call.outcome,
            call.reason,
            call.event_name,
            call.body,
        )
        with self._lock:
            self._connection.execute(
                "insert into calls"
                " (vendor, received_at, method, path, status, outcome, reason, event_name, body)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )

    def count(self, vendor: str, method: str, path: str, outcome: str) -> None:
        """Count a call and how it ended, with ids in the path left out."""
        short = "/".join(part if len(part) < SHORTEST_ID else "{id}" for part in path.split("/"))
        with self._lock:
            self.served[(vendor, method, short, outcome)] += 1

    def outcomes(self, vendor: str) -> dict[str, int]:
        """Return how many calls of a vendor ended how."""
        with self._lock:
            rows = self._connection.execute(
                "select outcome, count(*) from calls where vendor = ? group by 1 order by 1", [vendor]
            ).fetchall()
        return dict(rows)

    def accepted_events(self, vendor: str) -> dict[str, int]:
        """Return how many accepted calls there were of each event name."""
        with self._lock:
            rows = self._connection.execute(
                "select event_name, count(*) from calls"
                " where vendor = ? and outcome = 'accepted' group by 1 order by 2 desc, 1",
                [vendor],
            ).fetchall()
        return dict(rows)

    def calls(self, vendor: str, outcome: str | None = None, limit: int = 100_000) -> list[dict[str, object]]:
        """Return the last calls of a vendor, oldest first; a body that is JSON is given as such."""
        with self._lock:
            rows = self._connection.execute(
                "select id, received_at, method, path, status, outcome, reason, event_name, body from calls"
                " where vendor = ? and (? is null or outcome = ?) order by id desc limit ?",
                [vendor, outcome, outcome, limit],
            ).fetchall()
        names = ("id", "received_at", "method", "path", "status", "outcome", "reason", "event_name", "body")
        return [dict(zip(names, (*row[:-1], _parsed(row[-1])), strict=True)) for row in reversed(rows)]

    def bodies(self, vendor: str, outcome: str) -> list[object]:
        """Return the bodies of all calls that ended so, oldest first."""
        return [call["body"] for call in self.calls(vendor, outcome)]

    def forget(self) -> None:
        """Drop every call."""
        with self._lock:
            self._connection.execute("delete from calls")
            self.served.clear()


def _parsed(body: str) -> object:
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        return body


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant; one without a zone is refused."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("instant: needs a zone, write it like 2017-06-10T16:30:00Z")
    return instant.astimezone(UTC)
