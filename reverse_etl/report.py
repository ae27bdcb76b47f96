"""What the ledger holds, for people: counts and the rows that wait for one. No personal data."""

from dataclasses import dataclass

from sqlalchemy import func, select

from reverse_etl.kinds import EXIT, NOTICES, OPT_OUT
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments, receipts
from reverse_etl.states import Status

_KINDS = {EXIT: "exits", OPT_OUT: "opt_outs"}


@dataclass(frozen=True)
class LedgerReport:
    """Enrollments by destination and state, the ids of ambiguous ones, and receipts that have not landed.

    ``notices`` are no enrollments: ends and closed addresses that destinations are told, by destination and state.
    """

    counts: dict[str, dict[str, int]]
    ambiguous: list[str]
    receipts_to_land: int
    notices: dict[str, dict[str, int]]

    @property
    def total(self) -> int:
        """All enrollments that the ledger ever took in."""
        return sum(sum(of_destination.values()) for of_destination in self.counts.values())


def standing_by_kind(ledger: Ledger) -> dict[str, dict[str, dict[str, int]]]:
    """Count what the ledger holds now: destination → ``enrollments``, ``exits`` or ``opt_outs`` → state → rows."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    table = enrollments.c
    with ledger.read() as connection:
        found = connection.execute(
            select(table.destination, table.kind, table.status, func.count()).group_by(
                table.destination, table.kind, table.status
            )
        )
        for destination, kind, status, count in found:
            of_kind = counts.setdefault(destination, {}).setdefault(_KINDS.get(kind, "enrollments"), {})
            of_kind[status] = of_kind.get(status, 0) + count
    return counts


def ledger_report(ledger: Ledger) -> LedgerReport:
    """Read the ledger as it is now."""
    counts: dict[str, dict[str, int]] = {}
    notices: dict[str, dict[str, int]] = {}
    with ledger.read() as connection:
        by_status = select(enrollments.c.destination, enrollments.c.status, func.count())
        grouped = by_status.group_by(enrollments.c.destination, enrollments.c.status)
        is_notice = enrollments.c.kind.in_(NOTICES)
        for found, which in ((counts, ~is_notice), (notices, is_notice)):
            for destination, status, count in connection.execute(grouped.where(which)).tuples():
                found.setdefault(destination, {})[status] = count
        ambiguous = connection.scalars(
            select(enrollments.c.enrollment_id)
            .where(enrollments.c.status == Status.AMBIGUOUS, enrollments.c.kind.not_in(NOTICES))
            .order_by(enrollments.c.ledger_id)
        ).all()
        to_land = connection.scalar(
            select(func.count()).select_from(receipts).where(receipts.c.batch.is_(None))
        )
    return LedgerReport(counts, list(ambiguous), to_land or 0, notices)
