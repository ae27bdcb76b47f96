"""Making a lost ledger, or an older copy of it, fit the landing log again.

    python -m reverse_etl.restore

The landing log holds every decision and every receipt, so it knows what was accepted. What it can't know is
what the lost ledger had sent since its last receipts landed (at most about a second of it). So what has no
receipt is sent where the destination dedupes, and becomes ambiguous where it does not.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from extractors.landing.log import LandingLog
from extractors.landing.tombstone import is_tombstone
from perennial.clock import Clock, clock_of
from perennial.salt import salt_of
from perennial.settings import load_settings
from reverse_etl.destinations.registry import DEDUPING, told_of_closed_addresses
from reverse_etl.holds import make_again
from reverse_etl.kinds import EXIT, NOTICES
from reverse_etl.ledger.insert import insert_into
from reverse_etl.ledger.rows import Move, apply, load
from reverse_etl.ledger.store import Ledger, open_ledger
from reverse_etl.ledger.tables import enrollments, receipt_batches, receipts
from reverse_etl.notices import tell_of_exits
from reverse_etl.states import Status
from reverse_etl.tail import Tail
from reverse_etl.words import take_words

_LOST = "the ledger was lost after it may have been sent"


def restore_ledger(
    ledger: Ledger, log: LandingLog, clock: Clock, tells: Sequence[str] = ()
) -> dict[str, int]:
    """Take over landed receipts and decisions; return how many enrollments stand in each state now.

    No push may run meanwhile. On a ledger that lacks nothing it changes only that what waits for a
    destination that doesn't dedupe becomes ambiguous.
    """
    last: dict[str, dict[str, Any]] = {}
    with ledger.write() as connection:
        for name, rows in _landed_receipts(log):
            _keep_receipts(connection, name, rows)
            last |= {row["enrollment_id"]: row for row in rows}
        if connection.dialect.name == "postgresql":
            highest = select(func.max(receipts.c.receipt_no)).scalar_subquery()
            connection.execute(
                select(func.setval(text("pg_get_serial_sequence('receipts', 'receipt_no')"), highest))
            )
    Tail(ledger, log, clock, tells).catch_up()
    with ledger.write() as connection:
        _settle_known(connection, last)
        make_again(connection, last)
        # once more: before, there was nothing yet that people's words were about
        take_words(connection, log.read("perennial", "operations"))
        tell_of_exits(connection, clock.now())
        _settle_known(connection, {of: row for of, row in last.items() if of.endswith(f":{EXIT}")})
        _doubt_unknown(connection, clock.now())
        counted = connection.execute(
            select(enrollments.c.status, func.count()).group_by(enrollments.c.status)
        )
        return dict(counted.tuples().all())


def _landed_receipts(log: LandingLog) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each landed batch of receipts with what it says, but for what was erased; the log is read once."""
    names = {batch.seq: batch.name for batch in log.batches()}
    streams = (log.read("perennial", stream) for stream in ("receipts", "order_receipts", "notice_receipts"))
    place = attrgetter("seq", "row_no")
    for seq, records in groupby(merge(*streams, key=place), key=attrgetter("seq")):
        yield names[seq], [json.loads(one.payload) for one in records if not is_tombstone(one.payload)]


def _keep_receipts(connection: Connection, name: str, rows: list[dict[str, Any]]) -> None:
    first, last = (int(number) for number in name.removeprefix("receipts/").split("-"))
    landed = {"first_receipt_no": first, "last_receipt_no": last, "is_landed": True}
    connection.execute(
        insert_into(connection, receipt_batches)
        .values(landed)
        .on_conflict_do_update(index_elements=["first_receipt_no"], set_=landed)
    )
    for row in rows:
        values = {
            **{name: told for name, told in row.items() if name in receipts.c},
            "at": datetime.fromisoformat(row["at"]),
            "accepted_at": datetime.fromisoformat(row["accepted_at"]) if row["accepted_at"] else None,
            "batch": first,
        }
        connection.execute(
            insert_into(connection, receipts)
            .values(values)
            .on_conflict_do_update(index_elements=["receipt_no"], set_=values)
        )


def _settle_known(connection: Connection, last: dict[str, dict[str, Any]]) -> None:
    """Give each enrollment the state of its last receipt: restored, so no move and no new receipt."""
    for enrollment_id, row in last.items():
        connection.execute(
            update(enrollments)
            .where(enrollments.c.enrollment_id == enrollment_id)
            .values(
                status=row["status"],
                attempts=row["attempts"],
                accepted_at=datetime.fromisoformat(row["accepted_at"]) if row["accepted_at"] else None,
                error=row["error"],
                is_cleared=True,
                claimed_by=None,
                claimed_until=None,
            )
        )


def _doubt_unknown(connection: Connection, now: datetime) -> None:
    waiting = connection.scalars(
        select(enrollments.c.ledger_id).where(
            enrollments.c.status == Status.PENDING,
            enrollments.c.destination.not_in(DEDUPING),
            enrollments.c.kind.not_in(NOTICES),
        )
    ).all()
    rows = list(load(connection, waiting).values())
    due = [row for row in rows if row.not_before is None or row.not_before <= now]
    # Through `attempting`: the state whose outcome nobody knows.
    apply(connection, [Move(row, Status.ATTEMPTING) for row in due], now)
    attempting = load(connection, [row.ledger_id for row in due]).values()
    apply(connection, [Move(row, Status.AMBIGUOUS, error=_LOST) for row in attempting], now)


def main() -> None:
    """Restore the ledger that the settings name."""
    settings = load_settings()
    clock = clock_of(settings)
    ledger = open_ledger(settings.ledger_url, salt_of(settings))
    tells = told_of_closed_addresses(settings)
    found = restore_ledger(ledger, LandingLog(settings.landing_url, clock), clock, tells)
    ledger.close()
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.items()))
    sys.stdout.write(f"{counts or 'nothing to restore'}\n")


if __name__ == "__main__":
    main()
