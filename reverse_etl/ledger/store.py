"""Opening the ledger's database: commits that are durable, the schema at its newest revision, one salt."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from perennial.errors import PerennialError
from perennial.salt import Salt
from reverse_etl.ledger.tables import cursors, enrollments, exits, receipts, suppressions, sync_items

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0009"  # the newest revision in migrations/versions; a test compares
_MIGRATION_LOCK = 7_233_601  # any number that nothing else in the database locks
_BUSY_SECONDS = 60
_BACKENDS = ("sqlite", "postgresql")


class LedgerError(PerennialError):
    """The ledger can't be opened, read or written."""


class Ledger:
    """The ledger's database. One instance serves any number of threads.

    Addresses stand in it as salted hashes; each of its connections knows the salt.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is alone in writing (SQLite) and durable when the block ends."""
        with _said_plainly(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection to read from; it waits for no writer."""
        with (
            _said_plainly(),
            self.engine.connect().execution_options(perennial_reads=True) as connection,
        ):
            yield connection

    @contextmanager
    def rehearse(self) -> Iterator["Ledger"]:
        """Open a ledger that takes back all that was written to it when the block ends; writers wait meanwhile."""
        with _said_plainly(), self.engine.connect() as connection:
            transaction = connection.begin()
            try:
                yield _Rehearsal(self.engine, connection)
            finally:
                transaction.rollback()

    def scrub(self) -> None:
        """Write the database anew, so that nothing of a deleted row is left between the others.

        PostgreSQL keeps deleted bytes in its own write-ahead log and backups until they are recycled.
        """
        tables = ", ".join(table.name for table in (enrollments, receipts, exits, suppressions, sync_items))
        statements = {
            "sqlite": ("vacuum", "pragma wal_checkpoint(truncate)"),
            "postgresql": (f"vacuum (full) {tables}",),
        }
        with _said_plainly(), _outside_transactions(self.engine) as connection:
            for statement in statements[connection.dialect.name]:
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


class _Rehearsal(Ledger):
    """A ledger all of whose transactions are parts of one that is never committed."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        super().__init__(engine)
        self._connection = connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._connection.begin_nested():
            yield self._connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        yield self._connection


@contextmanager
def _outside_transactions(engine: Engine) -> Iterator[Connection]:
    """Open a connection whose statements stand alone: `vacuum` works in no transaction."""
    with engine.connect().execution_options(perennial_alone=True) as connection:
        if connection.dialect.name != "sqlite":  # whose driver leaves that to us
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


def open_ledger(url: str, salt: Salt) -> Ledger:
    """Open the ledger, make it or bring it to the newest revision; two queries when it is there already.

    What was hashed with another salt is of no use: the landing log is read again for it. Raises ``LedgerError``
    when it can't be reached, or was made by a newer version.
    """
    ledger = Ledger(_engine(url, salt))
    with ledger.read() as connection:
        revision = _revision(connection)
        is_salted = revision == HEAD and _is_salted(connection, salt)
    if revision != HEAD:
        with ledger.write() as connection:
            _upgrade(connection)
    if not is_salted:
        with ledger.write() as connection:
            _salt(connection, salt)
    return ledger


def salt_in(connection: Connection) -> Salt:
    """Return the salt of the ledger that a connection belongs to."""
    salt: Salt = connection.get_execution_options()["perennial_salt"]
    return salt


def _engine(url: str, salt: Salt) -> Engine:
    with _said_plainly():
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    if backend not in _BACKENDS:
        raise LedgerError(
            "PERENNIAL_LEDGER_URL names a database that the ledger doesn't work on",
            f"use one of {', '.join(_BACKENDS)}",
        )
    if backend == "sqlite" and parsed.database:
        _make_private(Path(parsed.database))
    try:
        engine = create_engine(
            parsed,
            execution_options={"perennial_salt": salt},
            json_serializer=_json,
            json_deserializer=msgspec.json.decode,
        )
    except ImportError as error:
        raise LedgerError(
            f"the driver for PERENNIAL_LEDGER_URL is not installed: {error.name}",
            "install it, or write postgresql+psycopg2:// and install psycopg2-binary",
        ) from error
    if backend == "sqlite":
        _make_sqlite_durable(engine)
    return engine


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _make_private(path: Path) -> None:
    """Make the file readable by its owner only before anything is in it: it holds addresses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} can't be opened: {error.strerror}",
            "check PERENNIAL_LEDGER_URL, and that this user may write there",
        ) from error


def _make_sqlite_durable(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        connection.isolation_level = None  # the driver's own BEGIN comes too late to lock; ours is below
        connection.execute("pragma journal_mode = wal")
        connection.execute(
            "pragma synchronous = full"
        )  # in WAL anything less may lose commits at a power cut
        connection.execute("pragma foreign_keys = on")
        connection.execute(f"pragma busy_timeout = {_BUSY_SECONDS * 1000}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        if connection.get_execution_options().get("perennial_alone", False):
            return
        # A transaction that reads first and writes later would fail when another writer came in between.
        reads = connection.get_execution_options().get("perennial_reads", False)
        connection.exec_driver_sql("begin" if reads else "begin immediate")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return revision


def _is_salted(connection: Connection, salt: Salt) -> bool:
    return connection.scalar(select(cursors.c.seq).where(cursors.c.name == _salt_name(salt))) is not None


def _salt(connection: Connection, salt: Salt) -> None:
    """Forget what another salt hashed, and read the landing log's facts again from the start."""
    _alone(connection)
    if _is_salted(connection, salt):  # another process was first
        return
    connection.execute(delete(suppressions))
    connection.execute(delete(cursors).where(cursors.c.name.like("salt:%") | (cursors.c.name == "facts")))
    connection.execute(insert(cursors).values(name=_salt_name(salt), seq=0))


def _salt_name(salt: Salt) -> str:
    return f"salt:{salt.salt_id}"


def _alone(connection: Connection) -> None:
    """Wait until no other process makes the ledger ready; on SQLite a writer is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def _upgrade(connection: Connection) -> None:
    # Only here, so that a push that finds its ledger ready doesn't pay for the import.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    _alone(connection)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(
            "the ledger was made by a newer version of Perennial, or its revision is damaged",
            "install the newer version again, or point PERENNIAL_LEDGER_URL at this version's ledger",
        ) from error


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn a database's error into one with a next step, without the values of the statement that failed."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise LedgerError(
            f"the ledger can't be used: {type(cause).__name__}: {_first_line(cause)}",
            "check PERENNIAL_LEDGER_URL, free space on its disk, and that its server runs; "
            "nothing was half-written",
        ) from None


def _first_line(error: BaseException) -> str:
    # PostgreSQL's later lines (DETAIL) quote values.
    return str(error).splitlines()[0] if str(error) else ""
