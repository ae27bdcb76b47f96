"""A plan: exactly what a push would send now, without sending it; and a push of that and nothing else.

A plan is made by doing all that a push does up to its calls, in a ledger that takes everything back. It names rows by
their ids and holds a fingerprint of each body, made with the home's salt, so nobody reads an address in it.
``plan_file.py`` keeps it, ``planned.py`` is what a push of it looks at.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from perennial.crash import crash_point
from perennial.errors import PerennialError
from reverse_etl.attempts import Attempt, NoCall, begin
from reverse_etl.claims import Claimed, claim, reap
from reverse_etl.desk import Desk
from reverse_etl.destinations.base import Destination
from reverse_etl.destinations.registry import Configured
from reverse_etl.gate import sweep
from reverse_etl.guards import Guards
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.rows import load
from reverse_etl.ledger.store import salt_in
from reverse_etl.ledger.tables import cursors, enrollments
from reverse_etl.notices import tell_of_exits
from reverse_etl.pauses import standing, stops
from reverse_etl.planned import canonical, fingerprint, write_down
from reverse_etl.process import this_holder
from reverse_etl.quiet import Hours
from reverse_etl.states import Status
from reverse_etl.tail import Tail

APPLIED = "push_applied"
_AT_ONCE = 1_000
_SHOWN = 5  # changes that are named one by one


class PlanError(PerennialError):
    """A plan can't be read, or not be kept to any more."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A row that would be sent: its ids, how often it was tried, and the fingerprint of its body."""

    enrollment_id: str
    destination: str
    flow_name: str
    kind: str
    attempts: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Call:
    """One of the first calls: the rows in it, and the names of what it would say of each."""

    destination: str
    enrollment_ids: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be sent, in its order; ``others`` counts what would not, by destination and why.

    ``became`` says of the rows of an earlier plan what became of those that would not be sent any more.
    """

    plan_id: str
    ledger: str
    made_at: datetime
    rows: tuple[Planned, ...]
    first_calls: tuple[Call, ...] = ()
    others: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    became: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How many rows by destination and flow."""
        return Counter((row.destination, row.flow_name) for row in self.rows)


def make_plan(
    desk: Desk, configured: Configured, guards: Guards, hours: Hours, before: Plan | None = None
) -> Plan:
    """Say exactly what a push would send now, and why not what a plan ``before`` says; nothing is written."""
    now = desk.clock.now()
    with desk.ledger.rehearse() as rehearsal:
        Tail(rehearsal, desk.log, desk.clock, desk.tells).catch_up()
        guards.look(rehearsal, desk.clock)
        with rehearsal.write() as connection:
            sweep(connection, now)
            tell_of_exits(connection, now)
            rows: list[Planned] = []
            first: list[Call] = []
            for destination in configured.ready:
                of_it, calls = _would_send(connection, destination, hours, now)
                rows += of_it
                first += calls
            others = _others(connection)
            wanted = {row.enrollment_id for row in before.rows} if before else set()
            became = _what_became_of(connection, sorted(wanted - {row.enrollment_id for row in rows}))
            salt = salt_in(connection)
            which = _which(connection)
    content = {"ledger": which, "made_at": now.isoformat(), "rows": [asdict(row) for row in rows]}
    plan_id = f"p_{salt.hash('plan', canonical(content))[:10]}"
    return Plan(plan_id, which, now, tuple(rows), tuple(first), others, became)


def _would_send(
    connection: Connection, destination: Destination, hours: Hours, now: datetime
) -> tuple[list[Planned], list[Call]]:
    holder = str(this_holder())
    reap(connection, destination.name, now)
    rows: list[Planned] = []
    calls: list[Call] = []
    salt = salt_in(connection)
    waiting: set[int] = set()
    for claimed in _claims(connection, destination, holder, now, waiting):
        ids = [row.ledger_id for row in claimed]
        begun = begin(connection, ids, holder=holder, destination=destination, hours=hours, now=now)
        waiting.update(of for of, attempt in zip(ids, begun, strict=True) if attempt == NoCall())
        loaded = load(connection, ids)
        sent = [
            (loaded[ledger_id], attempt.body)
            for ledger_id, attempt in zip(ids, begun, strict=True)
            if isinstance(attempt, Attempt)
        ]
        rows += [
            Planned(
                row.enrollment_id,
                row.destination,
                row.flow_name,
                row.kind,
                row.attempts,
                fingerprint(salt, body),
            )
            for row, body in sent
        ]
        if not calls:
            most = destination.batch.most
            calls = [
                Call(
                    destination.name,
                    tuple(row.enrollment_id for row, _ in sent[start : start + most]),
                    tuple(sorted({name for _, body in sent[start : start + most] for name in _names(body)})),
                )
                for start in range(0, min(len(sent), 3 * most), most)
            ]
    return rows, calls


def _claims(
    connection: Connection, destination: Destination, holder: str, now: datetime, skip: Collection[int]
) -> Iterator[Sequence[Claimed]]:
    """Claim as a push does: closed addresses, then all others."""
    for urgent in (True, False):
        while claimed := claim(
            connection,
            destination.name,
            holder=holder,
            now=now,
            limit=_AT_ONCE,
            resend=destination.dedupes,
            urgent=urgent,
            skip=skip,
        ):
            yield claimed


def _names(body: object, of: str = "") -> list[str]:
    """Return the names of what a body says, without a value."""
    if isinstance(body, Mapping):
        return [
            name for key, value in body.items() for name in _names(value, f"{of}.{key}" if of else str(key))
        ]
    return [of]


def _others(connection: Connection) -> dict[str, dict[str, int]]:
    """Count what waits and would not be sent now, by destination and why."""
    paused = standing(connection)
    found = connection.execute(
        select(
            enrollments.c.destination,
            enrollments.c.flow_name,
            enrollments.c.kind,
            enrollments.c.status,
        ).where(enrollments.c.status.in_((Status.PENDING, Status.HELD, Status.AMBIGUOUS)))
    )
    counts: dict[str, Counter[str]] = {}
    for destination, flow_name, kind, status in found:
        waits = (
            "paused" if stops(paused, destination, flow_name, kind) else "not due, or in another push's hands"
        )
        why = waits if status == Status.PENDING else str(status)
        counts.setdefault(destination, Counter())[why] += 1
    return {name: dict(of_it) for name, of_it in counts.items()}


def _which(connection: Connection) -> str:
    """Return which ledger this is."""
    name: str = connection.execute(select(cursors.c.name).where(cursors.c.name.like("ledger:%"))).scalar_one()
    return name.removeprefix("ledger:")


def check_plan(plan: Plan, now: Plan) -> None:
    """Raise ``PlanError``, naming what has changed, unless all of a plan would still be sent as it says.

    ``now`` is a plan of this moment that was told of it.
    """
    if plan.ledger != now.ledger:
        raise PlanError(
            "the plan was made on another ledger", "make it anew on this one: perennial push --plan FILE"
        )
    today = {row.enrollment_id: row for row in now.rows}
    changes = dict(now.became) | {
        row.enrollment_id: _difference(row, today[row.enrollment_id])
        for row in plan.rows
        if row.enrollment_id in today and row != today[row.enrollment_id]
    }
    if changes:
        told = "; ".join(f"{of} {what}" for of, what in list(changes.items())[:_SHOWN])
        more = f"; and {len(changes) - _SHOWN:,} more" if len(changes) > _SHOWN else ""
        raise PlanError(
            f"since plan {plan.plan_id} was made, {len(changes):,} of its {len(plan.rows):,} rows have changed: "
            f"{told}{more}",
            "nothing was sent; look, and make the plan anew: perennial push --plan FILE",
        )


def _difference(before: Planned, now: Planned) -> str:
    if before.fingerprint != now.fingerprint:
        return "would say something else"
    return "was tried meanwhile" if before.attempts != now.attempts else "goes elsewhere"


def _what_became_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    paused = standing(connection)
    found: dict[str, str] = dict.fromkeys(ids, "is gone")
    columns = ("enrollment_id", "destination", "flow_name", "kind", "status", "hold_id")
    for part in in_parts(ids):
        rows = connection.execute(
            select(*(enrollments.c[name] for name in columns)).where(enrollments.c.enrollment_id.in_(part))
        )
        for row in rows:
            if row.status == Status.HELD:
                found[row.enrollment_id] = f"is held ({row.hold_id})"
            elif row.status != Status.PENDING:
                found[row.enrollment_id] = f"is {row.status}"
            elif stops(paused, row.destination, row.flow_name, row.kind):
                found[row.enrollment_id] = "is paused"
            else:
                found[row.enrollment_id] = "is not due, or in another push's hands"
    return found


def let_through(desk: Desk, plan: Plan, now: Plan) -> str:
    """Check a plan against one of this moment, land that it is applied, and let its rows through to a push.

    Returns the id to push with.
    """
    check_plan(plan, now)
    desk.land(APPLIED, {"plan_id": plan.plan_id, "rows": len(plan.rows)}, key=plan.plan_id)
    ids = {row.enrollment_id: row.fingerprint for row in plan.rows}
    with desk.ledger.write() as connection:
        tell_of_exits(connection, desk.clock.now())
        rows: list[tuple[int, str]] = []
        for part in in_parts(list(ids)):
            found = connection.execute(
                select(enrollments.c.ledger_id, enrollments.c.enrollment_id).where(
                    enrollments.c.enrollment_id.in_(part)
                )
            )
            rows += [(row.ledger_id, ids[row.enrollment_id]) for row in found]
        write_down(connection, plan.plan_id, rows)
    crash_point("plan_written_down")
    return plan.plan_id
