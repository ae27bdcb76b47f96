"""The guards: what newly came into the ledger, measured by destination and flow before anybody may claim it.

What is more than its bounds allow (``bounds.py``) waits in a hold until a person has looked (``holds.py``); nothing
else waits for that.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
from sqlalchemy import ColumnElement, Connection, func, or_, select, text, update

from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.published import rows
from reverse_etl.bounds import Rules, Trip, read_bounds, too_many
from reverse_etl.holds import Hold, all_holds, hold_rows
from reverse_etl.kinds import NOTICES
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments
from reverse_etl.states import Status
from reverse_etl.tail import Tail

if TYPE_CHECKING:
    from reverse_etl.desk import Desk

_DAY = timedelta(days=1)
_DAYS = 28  # how far back a flow's usual day is looked for
_NOT_CLEARED = text("not enrollments.is_cleared")  # to the letter what the index says
_EVER_APPROVED = (
    Status.PENDING,
    Status.ATTEMPTING,
    Status.ACCEPTED,
    Status.REJECTED,
    Status.AMBIGUOUS,
)


def known_people(home: Home) -> int | None:
    """Return how many people the published set knows; None where nothing readable is published."""
    try:
        found = rows(home, "marts.dim_customers", "select count(*) as people from marts.dim_customers")
    except (PerennialError, duckdb.Error, OSError, ValueError, KeyError):
        return None
    return int(found[0]["people"]) if found else None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look of the guards brought: the holds that were ``made``, and how many rows each destination waits for."""

    made: tuple[Hold, ...] = ()
    held: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Flow:
    """Whose rows are measured together."""

    destination: str
    flow_name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Guards:
    """The rules, and who is asked how many people there are."""

    rules: Rules = field(default_factory=Rules)
    people: Callable[[], int | None] = lambda: None

    def look(self, ledger: Ledger, clock: Clock) -> Look:
        """Look at what came in since the last time.

        A row is looked at once, in one transaction with what becomes of it: two pushes at once, or a kill after any
        line, make one hold.
        """
        with ledger.read() as connection:
            if (
                connection.execute(select(enrollments.c.ledger_id).where(_NOT_CLEARED).limit(1)).first()
                is None
            ):
                return Look()
        crash_point("not_judged")
        with ledger.write() as connection:
            return self.judge(connection, clock.now())

    def judge(self, connection: Connection, now: datetime) -> Look:
        """Clear what is within its bounds and hold the rest, in a transaction of the caller's."""
        _alone(connection)
        came = connection.execute(
            select(
                enrollments.c.ledger_id,
                enrollments.c.destination,
                enrollments.c.flow_name,
                enrollments.c.kind,
                enrollments.c.status,
                enrollments.c.expires_at,
            )
            .where(_NOT_CLEARED)
            .order_by(enrollments.c.ledger_id)
        ).all()
        waiting: dict[_Flow, list[int]] = defaultdict(list)
        for ledger_id, destination, flow_name, kind, status, expires_at in came:
            # what came too late is not sent anyway, however much it is
            if status == Status.PENDING and (expires_at is None or expires_at >= now):
                waiting[_Flow(destination, flow_name, kind)].append(ledger_id)
        made: list[Hold] = []
        held: Counter[str] = Counter()
        for flow, ledger_ids in waiting.items():
            if trip := self._trip(connection, flow, len(ledger_ids), now):
                asked = (flow.destination, flow.flow_name, flow.kind)
                hold = Hold(*asked, trip.clause, trip.reason, trip.measured, now)
                found, is_new = hold_rows(connection, hold, ledger_ids, now)
                made += [found] if is_new else []
                held[flow.destination] += len(ledger_ids)
        for part in in_parts([row.ledger_id for row in came]):
            connection.execute(
                update(enrollments).where(enrollments.c.ledger_id.in_(part)).values(is_cleared=True)
            )
        crash_point("judging")
        return Look(tuple(made), held)

    def _trip(self, connection: Connection, flow: _Flow, new: int, now: datetime) -> Trip | None:
        bounds = self.rules.of(flow.kind, flow.flow_name)
        if bounds is None:
            return None
        recent = _recent(connection, flow, now)
        if new + recent <= bounds.always_fine:
            return None
        return too_many(bounds, new, recent, _earlier_days(connection, flow, now), self.people)


def _recent(connection: Connection, flow: _Flow, now: datetime) -> int:
    """Count the last day's rows but for those that a person has released: who released them has seen that many."""
    seen = or_(enrollments.c.hold_id.is_(None), enrollments.c.status == Status.HELD)
    return _of_day(connection, flow, seen, now)


def _earlier_days(connection: Connection, flow: _Flow, now: datetime) -> list[int]:
    """Count a flow's rows in each day before the last one, the newest first; what was never let go is no measure."""
    approved = or_(enrollments.c.hold_id.is_(None), enrollments.c.status.in_(_EVER_APPROVED))
    ends = (now - number * _DAY for number in range(1, _DAYS + 1))
    return [_of_day(connection, flow, approved, end) for end in ends]


def _of_day(connection: Connection, flow: _Flow, which: ColumnElement[bool], end: datetime) -> int:
    """Count a flow's rows of the day that ends then."""
    table = enrollments.c
    found = connection.scalar(
        select(func.count()).where(
            table.destination == flow.destination,
            table.flow_name == flow.flow_name,
            table.enrolled_at > end - _DAY,
            table.enrolled_at <= end,
            table.is_cleared,
            table.kind.not_in(NOTICES),
            which,
        )
    )
    return found or 0


def _alone(connection: Connection) -> None:
    """Let one push at a time look at what came in, as SQLite does by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(hashtext('guards'))"))


def held_now(desk: "Desk", guards: Guards) -> list[Hold]:
    """Return what waits for a person, with what a push would hold now; nothing is written."""
    with desk.ledger.rehearse() as rehearsal:
        Tail(rehearsal, desk.log, desk.clock, desk.tells).catch_up()
        guards.look(rehearsal, desk.clock)
        with rehearsal.read() as connection:
            return all_holds(connection)


def guards_of(home: Home) -> Guards:
    """Return the guards of an installation; raises where their bounds can't be read."""
    return Guards(read_bounds(), lambda: known_people(home))
