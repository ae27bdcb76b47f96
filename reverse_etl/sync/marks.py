"""The ledger's marks: how each mirror stands as a whole. What is in it is the book's to say (``book.py``).

Which sync works on it, up to which build it is known, why it is held, what its last read-back found. Every function is
a part of the caller's transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from reverse_etl.ledger.insert import insert_new
from reverse_etl.ledger.tables import sync_items, sync_marks
from reverse_etl.process import is_dead
from reverse_etl.sync.mirror import LISTS, Mirror

LEASE = timedelta(minutes=10)

_item = sync_items.c
_mark = sync_marks.c
_IS_ITS_ITEM = and_(
    _item.destination == _mark.destination,
    _item.kind == _mark.kind,
    _item.target == _mark.target,
)


def key_of(mirror: Mirror) -> dict[str, str]:
    """Return the columns that name a mirror, in both of its tables."""
    return {"destination": mirror.destination, "kind": mirror.kind, "target": mirror.target}


def of_mirror(table: Table, mirror: Mirror) -> ColumnElement[bool]:
    """Return what picks a mirror's rows of one of its tables."""
    return and_(*(table.c[name] == value for name, value in key_of(mirror).items()))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a mirror stands: ``waiting`` are not as they are wanted, ``refused`` are those whom the destination refuses.

    ``missing`` and ``unexpected`` are what the last read-back found, None where there was none.
    """

    mirror: Mirror
    waiting: int
    refused: int
    held: str | None
    missing: int | None
    unexpected: int | None
    read_at: datetime | None

    @property
    def drifted(self) -> bool:
        """Whether the last read-back found something else than what was confirmed."""
        return bool(self.missing or self.unexpected)

    @property
    def state(self) -> str:
        """In a word what is to be thought of it: what needs a person comes first."""
        words = {"held": self.held, "failed": self.refused, "drift": self.drifted, "open": self.waiting}
        return next((word for word, is_so in words.items() if is_so), "in step")


def standings(connection: Connection) -> list[Standing]:
    """Return how each mirror stands."""
    # few rows by an index of their own, however many items there are
    is_open = and_(_IS_ITS_ITEM, _item.is_open)
    waiting, refused = (
        select(func.count())
        .select_from(sync_items)
        .where(is_open, of_them)
        .correlate(sync_marks)
        .scalar_subquery()
        for of_them in (_item.error.is_(None), _item.error.is_not(None))
    )
    found = connection.execute(
        select(
            _mark.destination,
            _mark.kind,
            _mark.target,
            waiting,
            refused,
            _mark.held,
            _mark.missing,
            _mark.unexpected,
            _mark.read_at,
        ).order_by(_mark.destination, _mark.kind, _mark.target)
    )
    return [
        Standing(Mirror(destination, kind, target), *others) for destination, kind, target, *others in found
    ]


def claim(connection: Connection, mirror: Mirror, holder: str, now: datetime) -> bool:
    """Take a mirror for one sync; False while another process has it. A claim ends with its process or its lease."""
    insert_new(connection, sync_marks, [key_of(mirror)])
    found = connection.execute(
        select(_mark.claimed_by, _mark.claimed_until).where(of_mirror(sync_marks, mirror)).with_for_update()
    ).one()
    is_free = found.claimed_by in (None, holder) or is_dead(found.claimed_by) or found.claimed_until < now
    if is_free:
        _mark_as(connection, mirror, claimed_by=holder, claimed_until=now + LEASE)
    return is_free


def release(connection: Connection, mirror: Mirror, holder: str) -> None:
    """Give a mirror back."""
    mine = and_(of_mirror(sync_marks, mirror), _mark.claimed_by == holder)
    connection.execute(update(sync_marks).where(mine).values(claimed_by=None, claimed_until=None))


def renew(connection: Connection, mirror: Mirror, now: datetime) -> None:
    """Keep a mirror for another lease, because a call is about to be made for it."""
    _mark_as(connection, mirror, claimed_until=now + LEASE)


def build_no(connection: Connection, mirror: Mirror) -> int:
    """Return the build up to which everything that is wanted is in the book."""
    return connection.scalar(select(_mark.build_no).where(of_mirror(sync_marks, mirror))) or 0


def note_build(connection: Connection, mirror: Mirror, number: int) -> None:
    """Note that everything that a build wants is in the book."""
    _mark_as(connection, mirror, build_no=number)


def hold(connection: Connection, mirror: Mirror, reason: str | None) -> None:
    """Note why a mirror is held; None where it is not."""
    _mark_as(connection, mirror, held=reason)


def note_drift(connection: Connection, mirror: Mirror, missing: int, unexpected: int, at: datetime) -> None:
    """Note what a read-back found."""
    _mark_as(connection, mirror, missing=missing, unexpected=unexpected, read_at=at)


def drop_other_lists(connection: Connection, kept: Sequence[Mirror]) -> None:
    """Forget the lists that mirror nothing any more; they stay at the destination as they are."""
    known = connection.execute(
        select(_mark.destination, _mark.target).where(_mark.kind == LISTS, _mark.claimed_by.is_(None))
    ).all()
    gone = {Mirror(destination, LISTS, target) for destination, target in known} - set(kept)
    for mirror in gone:
        for table in (sync_items, sync_marks):
            connection.execute(delete(table).where(of_mirror(table, mirror)))


def is_in_hand(connection: Connection, customer_ids: Collection[str], now: datetime) -> bool:
    """Say whether a sync that is alive makes a call about some people."""
    query = (
        select(_mark.claimed_by)
        .join(sync_items, _IS_ITS_ITEM)
        .where(
            _item.customer_id.in_(sorted(customer_ids)),
            _item.sending.is_not(None),
            _mark.claimed_until >= now,
        )
    )
    return any(holder is not None and not is_dead(holder) for holder in connection.scalars(query.distinct()))


def _mark_as(connection: Connection, mirror: Mirror, **values: Any) -> None:  # noqa: ANN401 - columns of several types
    connection.execute(update(sync_marks).where(of_mirror(sync_marks, mirror)).values(values))
