"""What a destination refuses to keep equal: dead letters of their own kind, which every sync tries again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, update

from reverse_etl.ledger.tables import sync_items
from reverse_etl.sync.book import NOTHING
from reverse_etl.sync.mirror import Mirror

if TYPE_CHECKING:
    from reverse_etl.desk import Desk

DISCARD = "mirror_discard"
_item = sync_items.c


@dataclass(frozen=True, slots=True)
class Refused:
    """A person whose traits, or whose place on a list, a destination refuses; it holds no address."""

    mirror: Mirror
    customer_id: str
    attempts: int
    error: str
    failed_at: datetime
    wanted: str


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
        func.coalesce(_item.wanted, NOTHING),
    ).where(_item.error.is_not(None), _item.is_open)
    if destination is not None:
        query = query.where(_item.destination == destination)
    found = connection.execute(query.order_by(_item.failed_at, _item.customer_id))
    return [Refused(Mirror(name, kind, target), *others) for name, kind, target, *others in found]


def discard(desk: "Desk", letters: Sequence[Refused], *, by: str | None = None) -> None:
    """Try these no more until something else is wanted of them; lands, and takes effect by being read."""
    for one in letters:
        subject = {
            "destination": one.mirror.destination,
            "kind": one.mirror.kind,
            "target": one.mirror.target,
            "customer_id": one.customer_id,
            "wanted": one.wanted,
        }
        desk.land(DISCARD, subject, key=f"{one.mirror}|{one.customer_id}|{one.wanted}", by=by)


def take_word(connection: Connection, told: Mapping[str, Any]) -> None:
    """Do what a landed word says; when something else is wanted by now it says nothing."""
    subject = told["subject"]
    wanted = subject["wanted"]
    connection.execute(
        update(sync_items)
        .where(
            *(_item[name] == subject[name] for name in ("destination", "kind", "target", "customer_id")),
            func.coalesce(_item.wanted, NOTHING) == wanted,
            _item.error.is_not(None),
        )
        .values(discarded=wanted, is_open=False)
    )
