"""Forgetting a person in the ledger: her enrollments, what was sent, what was answered."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, or_, select

from extractors.landing.log import LandingLog
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import PerennialError
from reverse_etl.ledger.claims import reap
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments, exits, receipt_batches, receipts
from reverse_etl.receipts import land_receipts
from reverse_etl.states import Status
from reverse_etl.tail import Tail

_CALL_SECONDS = 60.0  # longer than any call may take
_LOOK_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many enrollments of hers the ledger held, and the destinations that had been sent any."""

    enrollments: int
    destinations: frozenset[str]


def known_at(ledger: Ledger, customer_ids: Collection[str], decisions: Collection[str]) -> Forgotten:
    """Count what the ledger holds of a person."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(enrollments.c.destination, enrollments.c.first_attempt_at).where(
                _hers(customer_ids, decisions)
            )
        ).all()
    return Forgotten(len(rows), frozenset(name for name, tried_at in rows if tried_at is not None))


def forget(
    ledger: Ledger, log: LandingLog, clock: Clock, customer_ids: Collection[str], decisions: Collection[str]
) -> int:
    """Take a person out of the ledger and return how many enrollments went; doing it again takes out nothing.

    Her addresses are closed first, so nothing more is sent; a call in flight is waited for; what is known of her
    sent messages lands before it goes, so that no batch of receipts is short of a row. Raises ``PerennialError``
    where a call does not end.
    """
    Tail(ledger, log, clock).catch_up()
    crash_point("erasure_closed")
    deadline = time.monotonic() + _CALL_SECONDS
    while True:
        land_receipts(ledger, log)
        with ledger.write() as connection:
            gone = _take_out(connection, customer_ids, decisions, clock)
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


def _take_out(
    connection: Connection, customer_ids: Collection[str], decisions: Collection[str], clock: Clock
) -> int | None:
    """Delete her rows; None, and nothing deleted, while one is in a call or has a receipt that must land first."""
    rows = connection.execute(
        select(enrollments.c.enrollment_id, enrollments.c.destination, enrollments.c.status)
        .where(_hers(customer_ids, decisions))
        .with_for_update()
    ).all()
    if any(status == Status.ATTEMPTING for _, _, status in rows):
        for destination in {destination for _, destination, _ in rows}:
            reap(connection, destination, clock.now())
        return None
    ids = sorted({enrollment_id for enrollment_id, _, _ in rows} | set(decisions))
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
    return len(rows)


def _hers(customer_ids: Collection[str], decisions: Collection[str]) -> ColumnElement[bool]:
    return or_(
        enrollments.c.customer_id.in_(sorted(customer_ids)),
        enrollments.c.enrollment_id.in_(sorted(decisions)),
    )
