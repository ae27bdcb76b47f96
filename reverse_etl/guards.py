"""The guards: how much of a flow may go out unseen, and what is too much.

What newly came into the ledger is measured by destination and flow, before anybody may claim it. What is more than its
bounds allow waits in a hold until a person has looked (``holds.py``); nothing else waits for that. The bounds are a
seed that analysts edit, ``dbt/seeds/send_guards.csv``.
"""

import math
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from sqlalchemy import ColumnElement, Connection, func, or_, select, text, update

from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.published import rows
from reverse_etl.holds import Hold, all_holds, hold_rows
from reverse_etl.kinds import NOTICES
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments
from reverse_etl.seeds import SEEDS, read_seed
from reverse_etl.states import Status
from reverse_etl.tail import Tail

if TYPE_CHECKING:
    from reverse_etl.desk import Desk

BOUNDS = SEEDS / "send_guards.csv"
MIRROR = "mirror"
_SCOPE = re.compile(r"marketing|transactional|order|mirror|(flow|list):\S+")
_DAY = timedelta(days=1)
_DAYS = 28  # how far back a flow's usual day is looked for
_USUAL = 3  # days on which a flow enrolled anybody, until one may speak of its usual day
_NOT_CLEARED = text("not enrollments.is_cleared")  # to the letter what the index says
_EVER_APPROVED = (
    Status.PENDING,
    Status.ATTEMPTING,
    Status.ACCEPTED,
    Status.REJECTED,
    Status.AMBIGUOUS,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may go out unseen. Up to ``always_fine`` rows are; a bound that is None asks nothing."""

    always_fine: int
    times_median: float | None = None
    jump_percent: float | None = None
    share_percent: float | None = None
    removed_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The bounds by scope: a kind of rows, ``mirror``, or one flow or list by its name. None at all guard nothing."""

    by_scope: Mapping[str, Bounds] = field(default_factory=dict)

    def of(self, kind: str, name: str) -> Bounds | None:
        """Return the bounds of a flow (or a mirrored list) of a kind; a kind without its own has marketing's.

        A notice has none: it ends something and begins nothing, and a closed address waits for nobody.
        """
        if kind in NOTICES or not self.by_scope:
            return None
        named = f"{'list' if kind == MIRROR else 'flow'}:{name}"
        return self.by_scope.get(named) or self.by_scope.get(kind) or self.by_scope["marketing"]


def read_rules(path: Path = BOUNDS) -> Rules:
    """Read the seed; ``PerennialError`` names line and column, because without bounds nothing may be sent."""
    read = read_seed(path, "the guards' bounds", _bounds)
    found = dict(read)
    if len(found) < len(read):
        raise PerennialError(
            "send_guards.csv has two rows of one scope", "keep one of them; nothing is sent meanwhile"
        )
    if missing := {"marketing", MIRROR} - set(found):
        raise PerennialError(
            f"send_guards.csv has no row for {', '.join(sorted(missing))}", "give it one; docs/activation.md"
        )
    return Rules(found)


def _bounds(row: Mapping[str, str], line: int) -> tuple[str, Bounds]:
    """Return a row's scope, and its bounds."""
    scope = (row["scope"] or "").strip()
    if not _SCOPE.fullmatch(scope):
        raise PerennialError(
            f"send_guards.csv, line {line}: scope is no kind of rows, and neither flow:NAME nor list:NAME",
            "kinds are marketing, transactional, order and mirror; nothing is sent meanwhile",
        )
    numbers: dict[str, float | None] = {}
    for name in Bounds.__slots__:
        given = (row[name] or "").strip()
        try:
            numbers[name] = float(given) if given else None
        except ValueError:
            numbers[name] = -1
        if name == "always_fine" and numbers[name] is None:
            numbers[name] = -1
        # what is not finite would never trip
        if not 0 <= (numbers[name] or 0) < math.inf:
            raise PerennialError(
                f"send_guards.csv, line {line}: {name} is no number of 0 or more",
                "correct it"
                if name == "always_fine"
                else "correct it, or leave it empty: it asks nothing then",
            )
    always_fine = int(numbers.pop("always_fine") or 0)
    return scope, Bounds(always_fine, **numbers)


@dataclass(frozen=True, slots=True)
class Trip:
    """The clause that a number of rows tripped, in a sentence, and all that was measured."""

    clause: str
    reason: str
    measured: Mapping[str, Any]


def too_many(
    bounds: Bounds, new: int, recent: int, days: Sequence[int], people: Callable[[], int | None]
) -> Trip | None:
    """Say which clause ``new`` rows and those of the last day trip together; None where they may go.

    ``days`` are the flow's earlier days, the newest first, 0 where it enrolled nobody. ``people`` is asked only where
    it matters: how many people are known, None where nobody can tell.
    """
    rows_now = new + recent
    if rows_now <= bounds.always_fine:
        return None
    active = [count for count in days if count]
    measured: dict[str, Any] = {"new": new, "last_day": recent, "always_fine": bounds.always_fine}
    if bounds.share_percent is not None:
        known = people()
        measured |= {"people": known, "share_percent": bounds.share_percent}
        if not known:
            return Trip(
                "share_unknown",
                f"{rows_now:,} in a day, and how many people there are can't be told: nothing is published, or nobody",
                measured,
            )
        share = 100 * rows_now / known
        measured["share"] = round(share, 1)
        if share > bounds.share_percent:
            return Trip(
                "share",
                f"{rows_now:,} in a day are {share:.1f} % of {known:,} people, more than {bounds.share_percent:g} %",
                measured,
            )
    if bounds.times_median is not None and len(active) >= _USUAL:
        median = statistics.median(active)
        measured |= {"median": median, "days": len(active), "times_median": bounds.times_median}
        if rows_now > bounds.times_median * median:
            return Trip(
                "volume",
                f"{rows_now:,} in a day are more than {bounds.times_median:g} times the usual {median:g} "
                f"(the median of {len(active)} days)",
                measured,
            )
    if bounds.jump_percent is not None and active:
        jump = 100 * (rows_now - active[0]) / active[0]
        measured |= {"before": active[0], "jump": round(jump), "jump_percent": bounds.jump_percent}
        if jump > bounds.jump_percent:
            return Trip(
                "jump",
                f"{rows_now:,} in a day after {active[0]:,} are {jump:,.0f} % more, above {bounds.jump_percent:g} %",
                measured,
            )
    return None


def too_many_removed(bounds: Bounds, removed: int, members: int | None) -> Trip | None:
    """Say whether ``removed`` rows are too many to take out of a list unseen.

    ``members`` is how many it has now, None where nobody can tell.
    """
    if bounds.removed_percent is None or removed <= bounds.always_fine:
        return None
    measured = {"removed": removed, "members": members, "removed_percent": bounds.removed_percent}
    if not members:
        return Trip(
            "removed_unknown", f"{removed:,} would be taken out of a list whose size can't be told", measured
        )
    share = 100 * removed / members
    if share <= bounds.removed_percent:
        return None
    return Trip(
        "removed",
        f"{removed:,} of {members:,} would be taken out, {share:.1f} %, more than {bounds.removed_percent:g} %",
        {**measured, "share": round(share, 1)},
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
        waiting: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for ledger_id, destination, flow_name, kind, status, expires_at in came:
            # what came too late is not sent anyway, however much it is
            if status == Status.PENDING and (expires_at is None or expires_at >= now):
                waiting[destination, flow_name, kind].append(ledger_id)
        made: list[Hold] = []
        held: Counter[str] = Counter()
        for (destination, flow_name, kind), ledger_ids in waiting.items():
            if trip := self._trip(connection, destination, flow_name, kind, len(ledger_ids), now):
                hold = Hold(destination, flow_name, kind, trip.clause, trip.reason, trip.measured, now)
                found, is_new = hold_rows(connection, hold, ledger_ids, now)
                made += [found] if is_new else []
                held[destination] += len(ledger_ids)
        for part in in_parts([row.ledger_id for row in came]):
            connection.execute(
                update(enrollments).where(enrollments.c.ledger_id.in_(part)).values(is_cleared=True)
            )
        crash_point("judging")
        return Look(tuple(made), held)

    def _trip(  # noqa: PLR0913, PLR0917 - what is measured, each part of it
        self, connection: Connection, destination: str, flow_name: str, kind: str, new: int, now: datetime
    ) -> Trip | None:
        bounds = self.rules.of(kind, flow_name)
        if bounds is None:
            return None
        recent = _recent(connection, destination, flow_name, now)
        if new + recent <= bounds.always_fine:
            return None
        days = _earlier_days(connection, destination, flow_name, now)
        return too_many(bounds, new, recent, days, self.people)


def _recent(connection: Connection, destination: str, flow_name: str, now: datetime) -> int:
    """Count the last day's rows but for those that a person has released: who released them has seen that many."""
    seen = or_(enrollments.c.hold_id.is_(None), enrollments.c.status == Status.HELD)
    return _count(connection, destination, flow_name, seen, now - _DAY, now)


def _earlier_days(connection: Connection, destination: str, flow_name: str, now: datetime) -> list[int]:
    """Count a flow's rows in each day before the last one, the newest first; what was never let go is no measure."""
    approved = or_(enrollments.c.hold_id.is_(None), enrollments.c.status.in_(_EVER_APPROVED))
    ends = (now - number * _DAY for number in range(1, _DAYS + 1))
    return [_count(connection, destination, flow_name, approved, end - _DAY, end) for end in ends]


def _count(  # noqa: PLR0913, PLR0917 - what is counted, each part of it
    connection: Connection,
    destination: str,
    flow_name: str,
    which: ColumnElement[bool],
    after: datetime,
    upto: datetime,
) -> int:
    table = enrollments.c
    found = connection.scalar(
        select(func.count()).where(
            table.destination == destination,
            table.flow_name == flow_name,
            table.enrolled_at > after,
            table.enrolled_at <= upto,
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
    return Guards(read_rules(), lambda: known_people(home))
