"""Reading what is published: plain DuckDB over Parquet, never the warehouse's own file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from perennial.errors import PerennialError
from perennial.home import Home


@dataclass(frozen=True)
class Published:
    """The current set, open for reading: each table and view under its own name (``marts.dim_customers``)."""

    build_no: int
    as_of: datetime
    names: frozenset[str]
    connection: duckdb.DuckDBPyConnection


def open_published(home: Home, file: Path | None = None) -> Published:
    """Open the set that ``current.json`` names; close its ``connection`` after use.

    The set stays readable for an hour after the next one is published. A new ``file`` gets its views, for another
    process to read. Raises ``PerennialError`` when nothing is published yet.
    """
    pointer = home.published / "current.json"
    try:
        current = json.loads(pointer.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PerennialError(
            f"nothing is published in {home.root} yet", "build first: make run, or perennial run"
        ) from None
    connection = duckdb.connect(str(file) if file else ":memory:")
    connection.execute("set TimeZone = 'UTC'")
    selects = {
        name: f"select * from read_parquet('{_quoted(str((home.published / path).resolve()))}')"  # noqa: S608 - our own file
        for name, path in current["tables"].items()
    }
    waiting = {**selects, **current["views"]}
    while waiting:
        made = [name for name, sql in waiting.items() if _create(connection, name, sql)]
        if not made:
            raise PerennialError(
                f"the published views {', '.join(sorted(waiting))} can't be read",
                "build again: perennial run",
            )
        for name in made:
            del waiting[name]
    return Published(
        build_no=int(current["build_no"]),
        as_of=datetime.fromisoformat(current["as_of"]),
        names=frozenset([*current["tables"], *current["views"]]),
        connection=connection,
    )


def rows(home: Home, table: str, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
    """Query the current set; no rows where nothing is published yet, or no ``table``, which an older version lacks."""
    if not (home.published / "current.json").exists():
        return []
    published = open_published(home)
    with published.connection as connection:
        if table not in published.names:
            return []
        found = connection.execute(query, list(values))
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _create(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> bool:
    """Create a view, or return False where it reads one that is not there yet."""
    schema, _, table = name.partition(".")
    connection.execute(f'create schema if not exists "{schema}"')
    try:
        connection.execute(f'create view "{schema}"."{table}" as {sql}')
    except duckdb.CatalogException:
        return False
    return True


def _quoted(text: str) -> str:
    return text.replace("'", "''")
