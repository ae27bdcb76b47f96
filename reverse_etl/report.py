"""What the ledger holds, for people: counts and the rows that wait for one. No personal data."""

from dataclasses import dataclass

from sqlalchemy import func, select

from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments, receipts
from reverse_etl.states import Status


@dataclass(frozen=True)
class LedgerReport:
    """Enrollments by destination and state, the ids of ambiguous ones, and receipts that have not landed."""

    counts: dict[str, dict[str, int]]
    ambiguous: list[str]
    receipts_to_land: int

    @property
    def total(self) -> int:
        """All enrollments that the ledger ever took in."""
        return sum(sum(of_destination.values()) for of_destination in self.counts.values())


def ledger_report(ledger: Ledger) -> LedgerReport:
    """Read the ledger as it is now."""
    counts: dict[str, dict[str, int]] = {}
    with ledger.read() as connection:
        by_status = select(enrollments.c.destination, enrollments.c.status, func.count())
        grouped = by_status.group_by(enrollments.c.destination, enrollments.c.status)
        for destination, status, count in connection.execute(grouped).tuples():
            counts.setdefault(destination, {})[status] = count
        ambiguous = connection.scalars(
            select(enrollments.c.enrollment_id)
            .where(enrollments.c.status == Status.AMBIGUOUS)
            .order_by(enrollments.c.ledger_id)
        ).all()
        to_land = connection.scalar(
            select(func.count()).select_from(receipts).where(receipts.c.batch.is_(None))
        )
    return LedgerReport(counts, list(ambiguous), to_land or 0)
