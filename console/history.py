"""Writing a run's history without waiting for the disk at every event.

Dagster opens and closes the SQLite files of its history several times an event; each close of the last connection
moves the write-ahead log into the file, and each commit waits for the disk. A run of the job writes hundreds of
events: measured, that took longer than the build. The history is only for looking at, so it is synced once at the
end; the ledger and the landing log, which promise more, are never touched by this.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from perennial.home import Home


@contextmanager
def quick_history(home: Home) -> Iterator[None]:
    """Keep the history's files open and relax their syncs (``synchronous = normal``) within the block."""
    root = home.dagster.resolve()
    kept: dict[Path, sqlite3.Connection] = {}

    def relax(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        if not isinstance(connection, sqlite3.Connection):
            return
        path = _path_of(connection)
        if path is None or not path.is_relative_to(root):
            return
        connection.execute("pragma synchronous = normal")
        if path not in kept:
            kept[path] = sqlite3.connect(path, check_same_thread=False)
            kept[path].execute("select count(*) from sqlite_master").fetchall()

    event.listen(Engine, "connect", relax)
    try:
        yield
    finally:
        event.remove(Engine, "connect", relax)
        for connection in kept.values():
            connection.close()


def _path_of(connection: sqlite3.Connection) -> Path | None:
    """Return the file of a connection; None for one in memory."""
    [(_, _, file)] = connection.execute("pragma database_list").fetchall()
    return Path(file).resolve() if file else None
