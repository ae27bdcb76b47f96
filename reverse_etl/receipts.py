"""Landing the ledger's receipts, each of them in exactly one batch.

Those of orders are a stream of their own, ``perennial/order_receipts``: they name the cart and the order that the till
made of it, and other models read them. So are those of notices, ``perennial/notice_receipts``: they are about no
enrollment of their own.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, func, insert, select, text, update

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.crash import crash_point
from reverse_etl.kinds import NOTICES, ORDER
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments, holds, receipt_batches, receipts
from reverse_etl.states import Status

_ROWS_A_BATCH = 5_000
_STREAMS = {ORDER: "order_receipts", **dict.fromkeys(NOTICES, "notice_receipts")}


def land_receipts(ledger: Ledger, log: LandingLog) -> int:
    """Land what has not landed; return the number of receipts.

    A batch's range is committed before it lands and names it, and a name lands once: whatever is killed in
    between, the next call ends with the same batch. Two callers at once land the same batches, too.
    """
    while _plan(ledger):
        pass
    crash_point("receipts_planned")
    with ledger.read() as connection:
        planned = connection.execute(
            select(receipt_batches.c.first_receipt_no, receipt_batches.c.last_receipt_no)
            .where(~receipt_batches.c.is_landed)
            .order_by(receipt_batches.c.first_receipt_no)
        ).all()
    landed = 0
    for first, last in planned:
        with ledger.read() as connection:
            rows = connection.execute(
                select(receipts, enrollments.c.kind, enrollments.c.cart_id, holds.c.measured)
                .outerjoin(enrollments, enrollments.c.enrollment_id == receipts.c.enrollment_id)
                .outerjoin(
                    holds,
                    and_(holds.c.hold_id == enrollments.c.hold_id, receipts.c.status == Status.HELD),
                )
                .where(receipts.c.batch == first)
                .order_by(receipts.c.receipt_no)
            ).all()
        if rows:  # landed by another push, and erased since: nothing is left to land
            log.append(f"receipts/{first}-{last}", [_record(row) for row in rows])
        crash_point("receipts_landed")
        with ledger.write() as connection:
            marked = connection.execute(
                update(receipt_batches)
                .where(receipt_batches.c.first_receipt_no == first, ~receipt_batches.c.is_landed)
                .values(is_landed=True)
            )
        landed += len(rows) if marked.rowcount else 0
    return landed


def _plan(ledger: Ledger) -> bool:
    """Give receipts without a batch one; False when there are none."""
    unplanned = select(receipts.c.receipt_no).where(receipts.c.batch.is_(None))
    with ledger.read() as connection:
        if connection.execute(unplanned.limit(1)).first() is None:
            return False
    with ledger.write() as connection:
        _plan_alone(connection)
        # Committed after a higher number (PostgreSQL), a number lands with a later batch: rows are listed one
        # by one, the range only names them.
        numbers = connection.scalars(unplanned.order_by(receipts.c.receipt_no).limit(_ROWS_A_BATCH)).all()
        if not numbers:
            return False
        connection.execute(
            insert(receipt_batches).values(
                first_receipt_no=numbers[0], last_receipt_no=numbers[-1], is_landed=False
            )
        )
        connection.execute(
            update(receipts)
            .where(receipts.c.batch.is_(None), receipts.c.receipt_no.in_(numbers))
            .values(batch=numbers[0])
        )
    return True


def _plan_alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(text("'receipts'")))))


def _record(row: Row[Any]) -> Record:
    payload = {
        "receipt_no": row.receipt_no,
        "enrollment_id": row.enrollment_id,
        "destination": row.destination,
        "status": row.status,
        "attempts": row.attempts,
        "accepted_at": row.accepted_at.isoformat() if row.accepted_at else None,
        "error": row.error,
        "at": row.at.isoformat(),
    }
    if row.kind == ORDER:
        payload |= {"cart_id": row.cart_id, "reference": row.reference}
    if row.measured is not None:  # what its hold was measured by: a ledger that is made anew knows it again
        payload |= {"measured": row.measured}
    return Record(
        source="perennial",
        stream=_STREAMS.get(row.kind, "receipts"),
        source_key=str(row.receipt_no),
        received_at=row.at,
        payload=msgspec.json.encode(payload).decode(),
    )
