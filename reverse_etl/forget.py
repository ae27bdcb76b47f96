"""Forgetting a person in the ledger: her enrollments, what was sent, what was answered, what was kept equal."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select

from extractors.landing.log import LandingLog
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import PerennialError
from reverse_etl.claims import reap
from reverse_etl.kinds import OPT_OUT, ORDER
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments, exits, receipt_batches, receipts, suppressions
from reverse_etl.receipts import land_receipts
from reverse_etl.states import Status
from reverse_etl.sync.book import drop_people, kept_equal_at
from reverse_etl.sync.marks import is_in_hand
from reverse_etl.tail import Tail

_CALL_SECONDS = 60.0  # longer than any call may take
_LOOK_AGAIN_SECONDS = 0.2
_LOOKED_UP_WITHIN = timedelta(days=1)  # by when people have looked an ambiguous order up at the till


@dataclass(frozen=True, slots=True)
class Hers:
    """What the ledger knows a person by: whom enrollments are for, and which enrollments and orders are hers.

    An order is hers by its push alone: the ``customer_id`` of then may be somebody else's since.
    """

    customer_ids: Collection[str]
    decisions: Collection[str]
    pushes: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds of her: how many enrollments, who was told of her, the orders that are not settled."""

    enrollments: int
    destinations: frozenset[str]
    open_orders: frozenset[str] = frozenset()


def known_at(ledger: Ledger, hers: Hers, clock: Clock) -> Known:
    """Count what the ledger holds of a person."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(enrollments.c.destination, enrollments.c.first_attempt_at).where(_are_of(hers))
        ).all()
        waiting = _open_orders(connection, hers, clock.now())
        told = {name for name, tried_at in rows if tried_at is not None} | kept_equal_at(
            connection, hers.customer_ids
        )
    return Known(len(rows), frozenset(told), waiting)


def refuse_open(orders: Collection[str]) -> None:
    """Raise ``PerennialError`` where an order is on its way into the till: forgotten now, it would get lost."""
    if orders:
        raise PerennialError(
            f"orders of this person are not settled at the till yet: {', '.join(sorted(orders))}",
            "let `perennial push` send what is pending (or switch FLOWHUB_SYNC_ORDERS off and push, which ends it); "
            "look an ambiguous one up at the till within a day, from then on it is not waited for; then call this "
            "again",
        )


def forget(  # noqa: PLR0913 - the parts of the ledger, and what the caller keeps of it
    ledger: Ledger,
    log: LandingLog,
    clock: Clock,
    hers: Hers,
    remember: Callable[[Known], None] = lambda _known: None,
    *,
    is_settled: bool = False,
    tells: Sequence[str] = (),
) -> int:
    """Take a person out of the ledger and return how many enrollments went; doing it again takes out nothing.

    Her addresses are closed first, so nothing more is sent; a call in flight is waited for; what is known of her
    sent messages lands before it goes, so that no batch of receipts is short of a row. ``remember`` is told what
    there is of her before it goes. Raises ``PerennialError`` where a call does not end, and where an order of hers
    is not settled; with ``is_settled`` all of them were, so what waits was taken in again by a slower push. ``tells``
    are the destinations that hear of what others closed meanwhile.
    """
    Tail(ledger, log, clock, tells).catch_up()
    crash_point("erasure_closed")
    deadline = time.monotonic() + _CALL_SECONDS
    while True:
        land_receipts(ledger, log)
        # no call begins any more, so whoever was sent something is known by now
        remember(known_at(ledger, hers, clock))
        with ledger.write() as connection:
            if not is_settled:
                refuse_open(_open_orders(connection, hers, clock.now()))
            gone = _take_out(connection, hers, clock)
        if gone is not None:
            break
        if time.monotonic() > deadline:
            raise PerennialError(
                "a call about this person is still in flight",
                "end the push that makes it (perennial worker, or perennial push), then call this again",
            )
        time.sleep(_LOOK_AGAIN_SECONDS)
    crash_point("erasure_ledger")
    ledger.scrub()
    return gone


def _take_out(connection: Connection, hers: Hers, clock: Clock) -> int | None:
    """Delete her rows; None, and nothing deleted, while one is in a call or has a receipt that must land first."""
    rows = connection.execute(
        select(enrollments.c.enrollment_id, enrollments.c.destination, enrollments.c.status)
        .where(_are_of(hers))
        .with_for_update()
    ).all()
    if any(status == Status.ATTEMPTING for _, _, status in rows):
        for destination in {destination for _, destination, _ in rows}:
            reap(connection, destination, clock.now())
        return None
    if is_in_hand(connection, hers.customer_ids, clock.now()):
        return None
    ids = sorted({enrollment_id for enrollment_id, _, _ in rows} | {*hers.decisions, *hers.pushes})
    to_land = connection.scalar(
        select(receipts.c.receipt_no)
        .outerjoin(receipt_batches, receipts.c.batch == receipt_batches.c.first_receipt_no)
        .where(
            receipts.c.enrollment_id.in_(ids),
            or_(receipts.c.batch.is_(None), ~receipt_batches.c.is_landed),
        )
        .limit(1)
    )
    if to_land is not None:
        return None
    for table in (receipts, exits, enrollments):
        connection.execute(delete(table).where(table.c.enrollment_id.in_(ids)))
    drop_people(connection, hers.customer_ids)
    return len(rows)


def _open_orders(connection: Connection, hers: Hers, now: datetime) -> frozenset[str]:
    rows = connection.execute(
        select(enrollments.c.order_id, enrollments.c.enrollment_id).where(
            _are_of(hers),
            enrollments.c.kind == ORDER,
            or_(
                enrollments.c.status == Status.PENDING,
                and_(
                    enrollments.c.status == Status.AMBIGUOUS,
                    enrollments.c.first_attempt_at > now - _LOOKED_UP_WITHIN,
                ),
            ),
        )
    )
    return frozenset(order_id or enrollment_id for order_id, enrollment_id in rows)


def _are_of(hers: Hers) -> ColumnElement[bool]:
    erased = select(suppressions.c.address_hash).where(suppressions.c.reason == "erased")
    return or_(
        and_(enrollments.c.kind != ORDER, enrollments.c.customer_id.in_(sorted(hers.customer_ids))),
        # whose address it closes is told by its hash alone
        and_(enrollments.c.kind == OPT_OUT, enrollments.c.customer_id.in_(erased)),
        enrollments.c.enrollment_id.in_(sorted({*hers.decisions, *hers.pushes})),
    )
