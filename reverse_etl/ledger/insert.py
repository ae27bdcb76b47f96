"""Inserting beside what is there already, on both databases."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

_INSERTS: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}


def insert_into(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - the dialect's own, with on_conflict
    """Return an insert that can say what happens to a row that is there already."""
    return _INSERTS[connection.dialect.name](table)


def insert_new(
    connection: Connection, table: Table, rows: list[dict[str, Any]], *, returning: str | None = None
) -> int:
    """Insert what isn't there yet; return how many rows that were."""
    if not rows:
        return 0
    statement: Insert = insert_into(connection, table).on_conflict_do_nothing()
    column = table.c[returning] if returning else next(iter(table.primary_key.columns))
    return len(connection.execute(statement.returning(column), rows).all())
