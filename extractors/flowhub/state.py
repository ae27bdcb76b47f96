"""What the pulls remember: cursors, unfinished runs, and the hash of each record's last landed version.

A page is committed here after its batch has landed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from extractors.flowhub.run import Run, Stream
from extractors.state import SourceState
from perennial.salt import Salt

_ASKED_AT_ONCE = 500
_ERASED = "erased:"
_TABLES = """
create table if not exists flowhub_runs (
    stream text not null, location_id text not null, pull_id text not null, started_at text not null,
    window_after text, window_before text, next_page integer not null, records integer not null,
    changed integer not null, total integer, page_length integer not null, last_digest text not null,
    primary key (stream, location_id)
) strict, without rowid;
create table if not exists flowhub_cursors (
    stream text not null, location_id text not null, started_at text not null, swept_at text,
    primary key (stream, location_id)
) strict, without rowid;
create table if not exists flowhub_hashes (
    stream text not null, location_id text not null, record text not null, hash text not null,
    primary key (stream, location_id, record)
) strict, without rowid;
"""


class PullState(SourceState):
    """Flowhub's part of the state."""

    def __init__(self, path: Path, salt: Salt) -> None:
        """Open it; ``salt`` tells the records of people who were erased."""
        super().__init__(path, "flowhub", _TABLES, ("flowhub_runs", "flowhub_cursors", "flowhub_hashes"))
        self._salt = salt

    def unfinished(self, stream: Stream, location_id: str) -> Run | None:
        """Return the run that a pull has begun and not ended."""
        found = self._db.execute(
            "select * from flowhub_runs where stream = ? and location_id = ?", (stream, location_id)
        )
        names = [column[0] for column in found.description]
        row = found.fetchone()
        return _run(dict(zip(names, row, strict=True)), stream) if row else None

    def begin(self, run: Run) -> None:
        """Write down a run before its first request, in place of an older one."""
        with self._transaction():
            self._keep(run)

    def cursor(self, stream: Stream, location_id: str) -> datetime | None:
        """Return when the last complete run began."""
        return self._instant("started_at", stream, location_id)

    def swept(self, stream: Stream, location_id: str) -> datetime | None:
        """Return when the last complete run without a window began."""
        return self._instant("swept_at", stream, location_id)

    def last_complete(self) -> dict[str, datetime]:
        """Return by stream when the newest complete run began, wherever it was."""
        found = self._db.execute("select stream, max(started_at) from flowhub_cursors group by stream")
        return {stream: datetime.fromisoformat(at) for stream, at in found}

    def hashes(self, stream: Stream, location_id: str, records: Iterable[str]) -> dict[str, str]:
        """Return the hash of the last landed version of each record that has one."""
        wanted = list(records)
        found = self._known(stream, location_id, wanted)
        if self._has_erased(stream, location_id):
            # the record of an erased person is known by its hash only: unchanged it does not land again
            names = {self._erased_name(record): record for record in wanted if record not in found}
            erased = self._known(stream, location_id, list(names))
            found |= {names[name]: digest for name, digest in erased.items()}
        return found

    def erase(self, stream: Stream, records: Iterable[str]) -> int:
        """Forget the names of an erased person's records, but not that they were seen; return how many there were.

        A pull that shows such a record as it was brings nobody back; a version that is new does land.
        """
        with self._transaction():
            count = sum(
                self._db.execute(
                    "update or replace flowhub_hashes set record = ? where stream = ? and record = ?",
                    (self._erased_name(record), stream, record),
                ).rowcount
                for record in records
            )
        self._scrub()
        return count

    def _erased_name(self, record: str) -> str:
        return f"{_ERASED}{self._salt.hash('record', record)}"

    def _has_erased(self, stream: Stream, location_id: str) -> bool:
        found = self._db.execute(
            "select 1 from flowhub_hashes where stream = ? and location_id = ? and record >= ? and record < ? limit 1",
            (stream, location_id, _ERASED, _ERASED[:-1] + ";"),
        )
        return found.fetchone() is not None

    def _known(self, stream: Stream, location_id: str, wanted: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            some = wanted[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(some))
            found.update(
                self._db.execute(
                    "select record, hash from flowhub_hashes "  # noqa: S608 - only question marks are put in
                    f"where stream = ? and location_id = ? and record in ({marks})",
                    (stream, location_id, *some),
                ).fetchall(),
            )
        return found

    def page_landed(self, run: Run, hashes: Mapping[str, str]) -> None:
        """Commit a page whose batch has landed: the run as it stands now, and its records' hashes."""
        with self._transaction():
            self._keep(run)
            self._keep_hashes(run, hashes)

    def complete(self, run: Run, hashes: Mapping[str, str], *, sweep: bool) -> None:
        """Commit the last page of a run whose marker has landed: the cursor moves to where the run began."""
        with self._transaction():
            self._keep_hashes(run, hashes)
            self._finish(run, sweep=sweep)

    def snapshot_landed(self, run: Run, hashes: Mapping[str, str]) -> None:
        """Commit a whole snapshot: what is not in it is forgotten, and lands again when it comes back."""
        with self._transaction():
            self._db.execute(
                "delete from flowhub_hashes where stream = ? and location_id = ?",
                (run.stream, run.location_id),
            )
            self._keep_hashes(run, hashes)
            self._finish(run, sweep=True)

    def give_up(self, run: Run) -> None:
        """Drop a run without moving its cursor: the next one reads the same window."""
        self._db.execute(
            "delete from flowhub_runs where stream = ? and location_id = ?", (run.stream, run.location_id)
        )

    def _instant(
        self, column: Literal["started_at", "swept_at"], stream: Stream, location_id: str
    ) -> datetime | None:
        row = self._db.execute(
            "select started_at, swept_at from flowhub_cursors where stream = ? and location_id = ?",
            (stream, location_id),
        ).fetchone()
        found = row[("started_at", "swept_at").index(column)] if row else None
        return datetime.fromisoformat(found) if found else None

    def _keep(self, run: Run) -> None:
        self._db.execute(
            "insert or replace into flowhub_runs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.stream,
                run.location_id,
                run.pull_id,
                run.started_at.isoformat(),
                _day_text(run.window_after),
                _day_text(run.window_before),
                run.next_page,
                run.records,
                run.changed,
                run.total,
                run.page_length,
                run.last_digest,
            ),
        )

    def _keep_hashes(self, run: Run, hashes: Mapping[str, str]) -> None:
        self._db.executemany(
            "insert or replace into flowhub_hashes values (?, ?, ?, ?)",
            ((run.stream, run.location_id, record, digest) for record, digest in hashes.items()),
        )

    def _finish(self, run: Run, *, sweep: bool) -> None:
        self.give_up(run)
        began = run.started_at.isoformat()
        self._db.execute(
            "insert into flowhub_cursors values (?, ?, ?, ?) on conflict (stream, location_id) do update set "
            "started_at = excluded.started_at, swept_at = coalesce(excluded.swept_at, swept_at)",
            (run.stream, run.location_id, began, began if sweep else None),
        )


def _run(row: Mapping[str, Any], stream: Stream) -> Run:
    return Run(
        pull_id=row["pull_id"],
        stream=stream,
        location_id=row["location_id"],
        started_at=datetime.fromisoformat(row["started_at"]),
        window_after=_day(row["window_after"]),
        window_before=_day(row["window_before"]),
        next_page=row["next_page"],
        records=row["records"],
        changed=row["changed"],
        total=row["total"],
        page_length=row["page_length"],
        last_digest=row["last_digest"],
    )


def _day_text(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
