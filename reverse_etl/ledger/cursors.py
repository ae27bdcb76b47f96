"""How far each reader of the landing log has read, moved in the transaction that keeps what it read."""

from sqlalchemy import Connection, select, update

from reverse_etl.ledger.insert import insert_new
from reverse_etl.ledger.tables import cursors


def cursor_of(connection: Connection, name: str) -> int:
    """Return the seq up to which a reader has read."""
    return connection.scalar(select(cursors.c.seq).where(cursors.c.name == name)) or 0


def alone_from(connection: Connection, name: str) -> int:
    """Return where a cursor stands, for this transaction alone to move: what comes later is later news."""
    insert_new(connection, cursors, [{"name": name, "seq": 0}])
    stands = connection.scalar(select(cursors.c.seq).where(cursors.c.name == name).with_for_update())
    return stands or 0


def move_cursor(connection: Connection, name: str, seq: int) -> None:
    """Move a cursor forward; a slower reader of the same records leaves it where it is."""
    insert_new(connection, cursors, [{"name": name, "seq": 0}])
    connection.execute(update(cursors).where(cursors.c.name == name, cursors.c.seq < seq).values(seq=seq))
