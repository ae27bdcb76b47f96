"""The bounds of what may go out unseen, and the clauses that too much of it trips.

They are a seed that analysts edit, ``dbt/seeds/send_guards.csv``. Nothing here knows where rows are counted:
``guards.py`` counts those of flows, ``sync/guard.py`` the members of mirrored lists.
"""

import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennial.errors import PerennialError
from reverse_etl.kinds import NOTICES
from reverse_etl.seeds import SEEDS, read_seed

BOUNDS = SEEDS / "send_guards.csv"
MIRROR = "mirror"
_SCOPE = re.compile(r"marketing|transactional|order|mirror|(flow|list):\S+")
_USUAL = 3  # days on which a flow enrolled anybody, until one may speak of its usual day


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


def read_bounds(path: Path = BOUNDS) -> Rules:
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
