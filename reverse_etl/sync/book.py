"""The ledger's book, item by item: what is wanted at a destination, and what it has confirmed.

How a mirror stands as a whole is its mark's to say (``marks.py``). Every function is a part of the caller's
transaction. An item is *open* while it is not as it is wanted; ``begin`` notes that a call is about to be made for it,
``settle`` what became of it. In between it may have had its effect or not, so it is made again: whatever is kept equal
may be set twice.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    null,
    or_,
    select,
    update,
)

from reverse_etl.ledger.insert import insert_into, insert_new
from reverse_etl.ledger.tables import sync_items
from reverse_etl.sync.marks import key_of, of_mirror, renew
from reverse_etl.sync.mirror import LISTS, Item, Mirror
from reverse_etl.sync.wanted import Row

NOTHING = ""  # what is being sent where something is taken away
_AT_A_TIME = 500

_item = sync_items.c
# Traits of somebody of whom nothing is wanted stay as they are there.
_MAY_BE_OPEN = or_(_item.kind == LISTS, _item.wanted.is_not(None))
_ONE = and_(
    _item.destination == bindparam("of_destination"),
    _item.kind == bindparam("of_kind"),
    _item.target == bindparam("of_target"),
    _item.item == bindparam("of_item"),
)


@dataclass(frozen=True, slots=True)
class Sending:
    """What a call is about to say of an item: the fingerprint of it, and which fields may hold a value then."""

    item: str
    fingerprint: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item's call: ``error`` says why it was refused, None that it was taken.

    ``fields`` are those that hold a value there since, where the call told all of them.
    """

    item: str
    error: str | None = None
    vendor_id: str | None = None
    fields: tuple[str, ...] | None = None


def take_in(connection: Connection, mirror: Mirror, rows: Sequence[Row]) -> None:
    """Note what is wanted of some items."""
    values = [
        {
            **key_of(mirror),
            "item": row.item,
            "customer_id": row.customer_id,
            "wanted": row.fingerprint,
            "fields": [],
            "is_open": True,
        }
        for row in rows
    ]
    for first in range(0, len(values), _AT_A_TIME):
        _want(connection, values[first : first + _AT_A_TIME])


def want_no_more(connection: Connection, mirror: Mirror, items: Sequence[str]) -> None:
    """Note that some items are not wanted any more."""
    _each(
        connection,
        mirror,
        {item: {} for item in items},
        {"wanted": null(), "discarded": null(), "is_open": _item.kind == LISTS},
    )
    _drop_what_is_over(connection, mirror)


def wanted_count(connection: Connection, mirror: Mirror) -> int:
    """Return how many items the book wants."""
    return _count(connection, mirror, _item.wanted.is_not(None))


def wanted_items(connection: Connection, mirror: Mirror) -> Iterator[list[str]]:
    """Yield the items that the book wants, some thousand at a time."""
    query = select(_item.item).where(of_mirror(sync_items, mirror), _item.wanted.is_not(None))
    for part in connection.execution_options(yield_per=5_000).scalars(query).partitions():
        yield list(part)


def counts(connection: Connection, mirror: Mirror) -> tuple[int, int, int]:
    """Return how many items are confirmed there, are to be added or changed, and are to be taken away."""
    found = connection.execute(
        select(
            func.count().filter(_item.confirmed.is_not(None)),
            func.count().filter(_item.is_open, _item.wanted.is_not(None)),
            func.count().filter(_item.is_open, _item.wanted.is_(None)),
        )
        .select_from(sync_items)
        .where(of_mirror(sync_items, mirror))
    ).one()
    return found[0], found[1], found[2]


def open_items(connection: Connection, mirror: Mirror) -> Iterator[tuple[str, bool]]:
    """Yield what is not as it is wanted, in its order, each with whether it is to be there."""
    query = select(_item.item, _item.wanted.is_not(None)).where(of_mirror(sync_items, mirror), _item.is_open)
    yield from connection.execute(query.order_by(_item.item)).tuples()


def due(  # noqa: PLR0913 - which ones, each named at the call
    connection: Connection, mirror: Mirror, *, after: str, limit: int, is_wanted: bool, failed: bool
) -> list[Item]:
    """Return open items with no call in flight, in their order after an item: to be set, or to be taken away.

    Those that the destination has refused before are asked for on their own.
    """
    rows = connection.execute(
        select(*(_item[name] for name in Item.__slots__))
        .where(
            of_mirror(sync_items, mirror),
            _item.is_open,
            _item.sending.is_(None),
            _item.wanted.is_not(None) if is_wanted else _item.wanted.is_(None),
            _item.error.is_not(None) if failed else _item.error.is_(None),
            _item.item > after,
        )
        .order_by(_item.item)
        .limit(limit)
    )
    return [Item(**{**row._asdict(), "fields": tuple(row.fields)}) for row in rows]


def begin(connection: Connection, mirror: Mirror, items: Sequence[Sending], now: datetime) -> None:
    """Note that a call is about to be made, and keep the mirror for as long as it may take."""
    _each(
        connection,
        mirror,
        {one.item: {"to_sending": one.fingerprint, "to_fields": list(one.fields)} for one in items},
        {
            "sending": bindparam("to_sending"),
            "fields": bindparam("to_fields", type_=_item.fields.type),
            "attempts": _item.attempts + 1,
        },
    )
    renew(connection, mirror, now)


def note_job(connection: Connection, mirror: Mirror, items: Sequence[str], job_id: str) -> None:
    """Note under which job, and in which place of it, items are worked on."""
    _each(
        connection,
        mirror,
        {item: {"to_place": place} for place, item in enumerate(items)},
        {"job_id": job_id, "place": bindparam("to_place", type_=_item.place.type)},
    )


def jobs(connection: Connection, mirror: Mirror) -> list[str]:
    """Return the jobs whose end is not known yet."""
    query = select(_item.job_id).where(
        of_mirror(sync_items, mirror), _item.sending.is_not(None), _item.job_id.is_not(None)
    )
    return sorted(job_id for job_id in connection.scalars(query.distinct()) if job_id is not None)


def of_job(connection: Connection, mirror: Mirror, job_id: str) -> list[str]:
    """Return the items of a job, in their places."""
    query = select(_item.item).where(
        of_mirror(sync_items, mirror), _item.sending.is_not(None), _item.job_id == job_id
    )
    return list(connection.scalars(query.order_by(_item.place)))


def in_doubt(connection: Connection, mirror: Mirror) -> int:
    """Return for how many items a call was begun of which nothing is known."""
    return _count(connection, mirror, _item.sending.is_not(None), _item.job_id.is_(None))


def in_flight(connection: Connection, mirror: Mirror) -> int:
    """Return for how many items a call was begun of which the end is not known."""
    return _count(connection, mirror, _item.sending.is_not(None))


def let_go(connection: Connection, mirror: Mirror, job_id: str | None = None) -> None:
    """Let what is in doubt, or what is in a job of which nothing is known, be sent again."""
    of_job = _item.job_id.is_(None) if job_id is None else _item.job_id == job_id
    connection.execute(
        update(sync_items)
        .where(of_mirror(sync_items, mirror), _item.sending.is_not(None), of_job)
        .values(sending=None, job_id=None, place=None)
    )


def settle(connection: Connection, mirror: Mirror, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Note what became of calls."""
    taken = {one.item: one for one in outcomes if one.error is None}
    refused = {one.item: one for one in outcomes if one.error is not None}
    idle = {"sending": null(), "job_id": null(), "place": null()}
    _each(
        connection,
        mirror,
        {
            item: {
                "to_vendor_id": one.vendor_id,
                "to_fields": None if one.fields is None else list(one.fields),
                "has_fields": one.fields is not None,
            }
            for item, one in taken.items()
        },
        {
            **idle,
            "confirmed": func.nullif(_item.sending, NOTHING),
            "vendor_id": func.coalesce(bindparam("to_vendor_id"), _item.vendor_id),
            "fields": case(
                (bindparam("has_fields"), bindparam("to_fields", type_=_item.fields.type)), else_=_item.fields
            ),
            "attempts": 0,
            "error": null(),
            "failed_at": null(),
            "is_open": and_(func.coalesce(_item.wanted, NOTHING) != _item.sending, _MAY_BE_OPEN),
        },
    )
    _each(
        connection,
        mirror,
        {item: {"to_error": one.error} for item, one in refused.items()},
        {**idle, "error": bindparam("to_error"), "failed_at": now},
    )
    _drop_what_is_over(connection, mirror)


def confirmed_items(connection: Connection, mirror: Mirror) -> dict[str, str]:
    """Return what is confirmed there, each item with whose it is."""
    query = select(_item.item, _item.customer_id).where(
        of_mirror(sync_items, mirror), _item.confirmed.is_not(None)
    )
    return dict(connection.execute(query).tuples().all())


def note_ids(connection: Connection, mirror: Mirror, ids: Mapping[str, str]) -> None:
    """Note the destination's own ids of items."""
    _each(
        connection,
        mirror,
        {item: {"to_vendor_id": vendor_id} for item, vendor_id in ids.items()},
        {"vendor_id": bindparam("to_vendor_id")},
    )


def add_unexpected(connection: Connection, mirror: Mirror, ids: Mapping[str, str]) -> None:
    """Enter items that are there and that nobody wants; whose they are is not known."""
    values = [
        {
            **key_of(mirror),
            "item": item,
            "customer_id": "",
            "vendor_id": vendor_id,
            "fields": [],
            "is_open": False,
        }
        for item, vendor_id in ids.items()
    ]
    insert_new(connection, sync_items, values)


def believe(connection: Connection, mirror: Mirror, found: Sequence[tuple[str, str | None]]) -> None:
    """Take what a destination was read to hold, for what it has confirmed: item and fingerprint, None for nothing."""
    _each(
        connection,
        mirror,
        {item: {"to_confirmed": confirmed} for item, confirmed in found},
        {
            "confirmed": bindparam("to_confirmed"),
            "is_open": and_(_item.wanted.is_distinct_from(bindparam("to_confirmed")), _MAY_BE_OPEN),
        },
    )
    _drop_what_is_over(connection, mirror)


def kept_equal_at(connection: Connection, customer_ids: Collection[str]) -> set[str]:
    """Return the destinations that were told of some people."""
    query = select(_item.destination).where(
        _item.customer_id.in_(sorted(customer_ids)),
        or_(_item.confirmed.is_not(None), _item.sending.is_not(None), _item.attempts > 0),
    )
    return set(connection.scalars(query.distinct()))


def drop_people(connection: Connection, customer_ids: Collection[str]) -> None:
    """Forget some people."""
    connection.execute(delete(sync_items).where(_item.customer_id.in_(sorted(customer_ids))))


def _count(connection: Connection, mirror: Mirror, *which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(sync_items).where(of_mirror(sync_items, mirror), *which)
    return connection.scalar(query) or 0


def _drop_what_is_over(connection: Connection, mirror: Mirror) -> None:
    """Keep nothing of what is neither wanted nor there."""
    connection.execute(
        delete(sync_items).where(
            of_mirror(sync_items, mirror),
            _item.wanted.is_(None),
            _item.confirmed.is_(None),
            _item.sending.is_(None),
        )
    )


def _want(connection: Connection, values: Sequence[dict[str, Any]]) -> None:
    """Insert what is not there; where items are, note what is wanted of them now."""
    statement = insert_into(connection, sync_items).values(list(values))
    wanted = statement.excluded.wanted
    is_news = wanted.is_distinct_from(_item.wanted)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_item.destination, _item.kind, _item.target, _item.item],
            set_={
                "customer_id": statement.excluded.customer_id,
                "wanted": wanted,
                "is_open": and_(
                    wanted.is_distinct_from(_item.confirmed),
                    or_(_item.discarded.is_(None), wanted != _item.discarded),
                ),
                "attempts": case((is_news, 0), else_=_item.attempts),
                "error": case((is_news, null()), else_=_item.error),
                "discarded": case((is_news, null()), else_=_item.discarded),
            },
        )
    )


def _each(
    connection: Connection,
    mirror: Mirror,
    values: Mapping[str, Mapping[str, Any]],
    changes: Mapping[str, Any],
) -> None:
    """Change some items, each with values of its own."""
    if values:
        of_it = {f"of_{name}": value for name, value in key_of(mirror).items()}
        connection.execute(
            update(sync_items).where(_ONE).values(changes),
            [{**of_it, "of_item": item, **own} for item, own in values.items()],
        )
