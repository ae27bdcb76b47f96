"""What a destination refuses to keep equal: dead letters of their own kind, which every sync tries again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from reverse_etl.ledger.tables import sync_items
from reverse_etl.sync.book import NOTHING
from reverse_etl.sync.mirror import Mirror

_item = sync_items.c


@dataclass(frozen=True, slots=True)
class Refused:
    """A person whose traits, or whose place on a list, a destination refuses; it holds no address."""

    mirror: Mirror
    customer_id: str
    attempts: int
    error: str
    failed_at: datetime


def refused(connection: Connection, destination: str | None = None) -> list[Refused]:
    """Return who is refused and was not discarded, the oldest first, with the vendor's reason and pointer."""
    query = select(
        _item.destination,
        _item.kind,
        _item.target,
        _item.customer_id,
        _item.attempts,
        _item.error,
        _item.failed_at,
    ).where(_item.error.is_not(None), _item.is_open)
    if destination is not None:
        query = query.where(_item.destination == destination)
    return [
        Refused(
            Mirror(row.destination, row.kind, row.target),
            row.customer_id,
            row.attempts,
            row.error,
            row.failed_at,
        )
        for row in connection.execute(query.order_by(_item.failed_at, _item.customer_id))
    ]


def discard(connection: Connection, letters: list[Refused]) -> None:
    """Try these no more until something else is wanted of them."""
    for one in letters:
        connection.execute(
            update(sync_items)
            .where(
                _item.destination == one.mirror.destination,
                _item.kind == one.mirror.kind,
                _item.target == one.mirror.target,
                _item.customer_id == one.customer_id,
                _item.error.is_not(None),
            )
            .values(discarded=func.coalesce(_item.wanted, NOTHING), is_open=False)
        )
