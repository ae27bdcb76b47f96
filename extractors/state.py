"""What pulls remember between two runs: one SQLite file in the home, with tables for each source.

The state is only ever behind the landing log: what landed is committed here afterwards. Losing the file costs
a full read and rows that landed before (the warehouse drops them), never data.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from extractors.landing.log import LandingLog
from perennial.errors import PerennialError

_BUSY_SECONDS = 30.0  # pulls of other streams write at the same time


class SourceState:
    """One source's tables in the file; use as a context manager. One stream is written by one pull at a time."""

    def __init__(self, path: Path, source: str, tables: str, names: Sequence[str]) -> None:
        """Open the file and make the source's tables: its log, and those that the script makes."""
        self._path = path
        self._log = f"{source}_log"
        self._names = (self._log, *names)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")
            self._db.executescript(
                f"create table if not exists {self._log} (one integer primary key check (one = 1), "
                f"landing_url text not null, seq integer not null, batch text not null) strict; {tables}"
            )
        except sqlite3.DatabaseError as error:
            raise _state_error(path, error) from None

    def __enter__(self) -> Self:
        """Return the state."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._db.close()

    def note_log(self, landing_url: str, seq: int, batch: str) -> None:
        """Remember which log, up to where, this state speaks of."""
        self._db.execute(
            f"insert into {self._log} values (1, ?, ?, ?) on conflict (one) do update set "  # noqa: S608 - our name
            "landing_url = excluded.landing_url, seq = excluded.seq, batch = excluded.batch "
            f"where excluded.seq > {self._log}.seq or excluded.landing_url <> {self._log}.landing_url",
            (landing_url, seq, batch),
        )

    def speaks_of(self, log: LandingLog, landing_url: str) -> bool:
        """Tell whether what this state calls landed is in this log: it may be another one, or emptied."""
        row = self._db.execute(f"select landing_url, seq, batch from {self._log}").fetchone()  # noqa: S608 - our name
        if row is None:
            return True
        known_url, seq, name = row
        there = log.batches(after=seq - 1, upto=seq)
        same = known_url == landing_url and log.last_seq() >= seq
        return same and all(batch.name == name for batch in there)

    def forget(self) -> None:
        """Drop everything of this source, so that its next pull reads all from the start."""
        with self._transaction():
            for name in self._names:
                self._db.execute(f"delete from {name}")  # noqa: S608 - our names

    def _scrub(self) -> None:
        """Write the file anew, so that nothing of what was deleted is left between the other rows."""
        try:
            self._db.execute("vacuum")
            self._db.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.DatabaseError as error:
            raise _state_error(self._path, error) from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:  # a full disk has already rolled it back
                    self._db.execute("rollback")
                raise
        except sqlite3.DatabaseError as error:
            raise _state_error(self._path, error) from None


def _state_error(path: Path, error: sqlite3.DatabaseError) -> PerennialError:
    if error.sqlite_errorname in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
        return PerennialError(
            f"the extractors' state {path} can't be read: it is damaged",
            "move that file away: the next pull reads everything again; the warehouse drops what it has",
        )
    return PerennialError(
        f"the extractors' state {path} can't be written ({error.sqlite_errorname})",
        "free space on that disk, give the right to write there, or end what else holds the file; "
        "what landed stays, and the next pull goes on from there",
    )
