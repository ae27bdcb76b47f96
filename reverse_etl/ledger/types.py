"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

# SQLite counts up by itself only in a column declared INTEGER.
COUNTER: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


class _Iso(sqlite.DATETIME):
    """SQLite's own text of a time, ``YYYY-MM-DD HH:MM:SS.ffffff``, left to the methods of ``datetime``.

    SQLAlchemy writes and reads the same text with a template and a pattern.
    """

    def bind_processor(self, dialect: Dialect) -> None:
        """Leave what goes in as it is."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Leave what comes out as it is."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware going in, UTC coming out; a naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the database keeps."""
        return _Iso() if dialect.name == "sqlite" else self.impl  # type: ignore[no-untyped-call]  # of SQLAlchemy

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any | None:  # noqa: ANN401 - the database's own
        """Turn an instant into what the database keeps."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant in the ledger needs a time zone")
        utc = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return utc.replace(tzinfo=None).isoformat(" ", "microseconds")
        return utc

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - the base class's signature
        """Give back the instant, in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
