"""What the pull remembers: a cursor a metric, unfinished runs, and the events that landed lately."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from extractors.klaviyo.pages import Event
from extractors.state import SourceState

_TABLES = """
create table if not exists klaviyo_runs (
    metric_id text primary key, pull_id text not null, started_at text not null, since text not null,
    is_sweep integer not null, next_cursor text, page integer not null
) strict, without rowid;
create table if not exists klaviyo_cursors (
    metric_id text primary key, started_at text not null, swept_at text
) strict, without rowid;
create table if not exists klaviyo_events (
    metric_id text not null, event_id text not null, hash text not null, happened_at text not null,
    primary key (metric_id, event_id)
) strict, without rowid;
"""
_ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Run:
    """A walk through all pages of one metric since an instant; ``page`` is the next one, from 1."""

    metric_id: str
    pull_id: str
    started_at: datetime
    since: datetime
    is_sweep: bool
    next_cursor: str | None = None
    page: int = 1


class KlaviyoState(SourceState):
    """Klaviyo's part of the state."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        super().__init__(path, "klaviyo", _TABLES, ("klaviyo_runs", "klaviyo_cursors", "klaviyo_events"))

    def unfinished(self, metric_id: str) -> Run | None:
        """Return the run that a pull has begun and not ended."""
        row = self._db.execute(
            "select pull_id, started_at, since, is_sweep, next_cursor, page from klaviyo_runs where metric_id = ?",
            (metric_id,),
        ).fetchone()
        if row is None:
            return None
        pull_id, started_at, since, is_sweep, next_cursor, page = row
        return Run(
            metric_id,
            pull_id,
            datetime.fromisoformat(started_at),
            datetime.fromisoformat(since),
            bool(is_sweep),
            next_cursor,
            page,
        )

    def cursor(self, metric_id: str) -> tuple[datetime | None, datetime | None]:
        """Return when the last complete run began, and the last complete one that reached far back."""
        row = self._db.execute(
            "select started_at, swept_at from klaviyo_cursors where metric_id = ?", (metric_id,)
        ).fetchone()
        if row is None:
            return None, None
        started_at, swept_at = row
        return datetime.fromisoformat(started_at), datetime.fromisoformat(swept_at) if swept_at else None

    def last_complete(self) -> datetime | None:
        """Return when the newest complete run of any metric began."""
        [[at]] = self._db.execute("select max(started_at) from klaviyo_cursors").fetchall()
        return datetime.fromisoformat(at) if at else None

    def hashes(self, metric_id: str, event_ids: Iterable[str]) -> dict[str, str]:
        """Return the hash of the last landed version of each event that has one."""
        found: dict[str, str] = {}
        wanted = list(event_ids)
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            some = wanted[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(some))
            found.update(
                self._db.execute(
                    "select event_id, hash from klaviyo_events "  # noqa: S608 - only question marks are put in
                    f"where metric_id = ? and event_id in ({marks})",
                    (metric_id, *some),
                ).fetchall(),
            )
        return found

    def begin(self, run: Run) -> None:
        """Write down a run before its first request, and wherever it stands after a page."""
        with self._transaction():
            self._keep(run)

    def page_landed(self, run: Run, landed: Mapping[str, Event]) -> None:
        """Commit a page whose batch has landed: the run as it stands now, and its events."""
        with self._transaction():
            self._keep_events(run, landed)
            self._keep(run)

    def complete(self, run: Run, landed: Mapping[str, Event], *, forget_before: datetime) -> None:
        """Commit the last page: the cursor moves to where the run began, old events are forgotten."""
        began = run.started_at.isoformat()
        with self._transaction():
            self._keep_events(run, landed)
            self._db.execute("delete from klaviyo_runs where metric_id = ?", (run.metric_id,))
            self._db.execute(
                "insert into klaviyo_cursors values (?, ?, ?) on conflict (metric_id) do update set "
                "started_at = excluded.started_at, swept_at = coalesce(excluded.swept_at, swept_at)",
                (run.metric_id, began, began if run.is_sweep else None),
            )
            self._db.execute(
                "delete from klaviyo_events where metric_id = ? and happened_at < ?",
                (run.metric_id, forget_before.isoformat()),
            )

    def _keep(self, run: Run) -> None:
        self._db.execute(
            "insert or replace into klaviyo_runs values (?, ?, ?, ?, ?, ?, ?)",
            (
                run.metric_id,
                run.pull_id,
                run.started_at.isoformat(),
                run.since.isoformat(),
                int(run.is_sweep),
                run.next_cursor,
                run.page,
            ),
        )

    def _keep_events(self, run: Run, landed: Mapping[str, Event]) -> None:
        self._db.executemany(
            "insert or replace into klaviyo_events values (?, ?, ?, ?)",
            (
                (run.metric_id, event_id, event.hash, (event.at or run.started_at).isoformat())
                for event_id, event in landed.items()
            ),
        )
