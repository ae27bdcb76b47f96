"""Claims: which process works on which rows, so that two never send the same one.

A claim is a lease in the row itself. It is dead when its process is (same host: pid and start), or when the
lease has ended. Dead claims on ``pending`` rows are dropped; a row left ``attempting`` becomes ``ambiguous``,
because nobody can tell whether its call was made.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select, text, update

from reverse_etl.destinations.base import Batch
from reverse_etl.kinds import EXIT, NOTICES, OPT_OUT
from reverse_etl.ledger.rows import Move, apply, load
from reverse_etl.ledger.tables import enrollments
from reverse_etl.pauses import is_stopped
from reverse_etl.planned import is_planned
from reverse_etl.process import is_dead
from reverse_etl.states import Status


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this push may try."""

    ledger_id: int
    customer_id: str
    attempts: int
    kind: str

    def goes_alone(self, batch: Batch) -> bool:
        """Tell whether it shares no call: it may have been sent, or it is told by a call of its own kind."""
        return self.attempts > 0 or (self.is_notice and not (self.kind == EXIT and batch.takes_ends))

    @property
    def is_notice(self) -> bool:
        """Whether it may be told twice."""
        return self.kind in NOTICES


LEASE = timedelta(minutes=10)
_UNTOLD = "the push ended during the call: it may have had its effect"


def reap(connection: Connection, destination: str, now: datetime) -> list[str]:
    """Give up the claims of the dead; return the ids of the enrollments whose outcome is unknown since.

    Notices, which may be told twice, are not among them.
    """
    _alone(connection, destination)
    held = enrollments.c.claimed_by.is_not(None) & (enrollments.c.destination == destination)
    holders = connection.scalars(select(enrollments.c.claimed_by).where(held).distinct()).all()
    dead = [holder for holder in holders if holder is not None and is_dead(holder)]
    gone = held & or_(enrollments.c.claimed_by.in_(dead), enrollments.c.claimed_until < now)
    return _give_up(connection, gone, now)


def release(connection: Connection, holder: str, now: datetime) -> list[str]:
    """Give back everything that a holder still has, as it ends."""
    return _give_up(connection, enrollments.c.claimed_by == holder, now)


def _alone(connection: Connection, destination: str) -> None:
    """Let one transaction at a time give and take claims, as SQLite does by itself.

    Two that ran side by side would not see each other's rows of one person.
    """
    if connection.dialect.name == "postgresql":
        key = {"key": f"claims:{destination}"}
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:key))"), key)


def _give_up(connection: Connection, gone: ColumnElement[bool], now: datetime) -> list[str]:
    attempting = connection.scalars(
        select(enrollments.c.ledger_id).where(gone, enrollments.c.status == Status.ATTEMPTING)
    ).all()
    unknown = [row for row in load(connection, attempting).values() if row.status is Status.ATTEMPTING]
    apply(connection, [Move(row, Status.AMBIGUOUS, calls=1, error=_UNTOLD) for row in unknown], now)
    connection.execute(update(enrollments).where(gone).values(claimed_by=None, claimed_until=None))
    return [row.enrollment_id for row in unknown if row.kind not in NOTICES]


def claim(  # noqa: PLR0913 - the claim's parts, each named at the call
    connection: Connection,
    destination: str,
    *,
    holder: str,
    now: datetime,
    limit: int,
    resend: bool,
    urgent: bool = False,
    skip: Collection[int] = (),
    plan_id: str | None = None,
) -> Sequence[Claimed]:
    """Take rows that are due, oldest first: closed addresses, which are ``urgent``, or all others.

    What the guards have not looked at yet is not due, nor what a pause holds back. ``resend`` takes ``ambiguous`` rows
    too, not only notices: only where the destination dedupes. ``skip`` leaves out rows that this push has given back,
    ``plan_id`` all that a plan doesn't name. A row waits while an earlier one of the same person is in another push's
    hands, so that each person's order is kept.
    """
    _alone(connection, destination)
    rows: list[Claimed] = []
    # One state at a time: so the index gives the rows in their order, and reading ends at the limit.
    is_opt_out = enrollments.c.kind == OPT_OUT
    repeatable = ~is_opt_out if resend else enrollments.c.kind.in_(NOTICES) & ~is_opt_out
    for status, which in (
        (Status.AMBIGUOUS, is_opt_out if urgent else repeatable),
        (Status.PENDING, is_opt_out if urgent else ~is_opt_out),
    ):
        due = _due(destination, status, holder, now).where(which, enrollments.c.ledger_id.not_in(skip))
        if plan_id is not None:
            due = due.where(is_planned(plan_id))
        rows += [Claimed(*row) for row in connection.execute(due.limit(limit - len(rows)))]
    if rows:
        connection.execute(
            update(enrollments)
            .where(enrollments.c.ledger_id.in_([row.ledger_id for row in rows]))
            .values(claimed_by=holder, claimed_until=now + LEASE)
        )
    return rows


def _due(destination: str, status: Status, holder: str, now: datetime) -> Select[tuple[int, str, int, str]]:
    earlier = enrollments.alias("earlier")
    taken_elsewhere = exists().where(
        earlier.c.destination == destination,
        earlier.c.customer_id == enrollments.c.customer_id,
        earlier.c.ledger_id < enrollments.c.ledger_id,
        earlier.c.claimed_by.is_not(None),
        earlier.c.claimed_by != holder,
    )
    return (
        select(enrollments.c.ledger_id, enrollments.c.customer_id, enrollments.c.attempts, enrollments.c.kind)
        .where(
            enrollments.c.destination == destination,
            enrollments.c.status == status,
            enrollments.c.claimed_by.is_(None),
            enrollments.c.is_cleared,
            ~is_stopped(),
            or_(enrollments.c.not_before.is_(None), enrollments.c.not_before <= now),
            ~taken_elsewhere,
        )
        .order_by(enrollments.c.ledger_id)
        .with_for_update(skip_locked=True, of=enrollments)
    )


def give_back(connection: Connection, ledger_ids: Collection[int], holder: str) -> None:
    """Give back claims on rows that this push will not try again."""
    connection.execute(
        update(enrollments)
        .where(
            enrollments.c.ledger_id.in_(ledger_ids),
            enrollments.c.claimed_by == holder,
            enrollments.c.status != Status.ATTEMPTING,
        )
        .values(claimed_by=None, claimed_until=None)
    )


def put_off(connection: Connection, until: Mapping[int, datetime]) -> None:
    """Let rows be due later than their decision said, so that no push claims them before."""
    of_instant: dict[datetime, list[int]] = defaultdict(list)
    for ledger_id, instant in until.items():
        of_instant[instant].append(ledger_id)
    for instant, ledger_ids in of_instant.items():
        connection.execute(
            update(enrollments).where(enrollments.c.ledger_id.in_(ledger_ids)).values(not_before=instant)
        )
