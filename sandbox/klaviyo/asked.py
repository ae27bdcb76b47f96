"""What a request for events asks for: ``filter``, ``sort``, ``include``, fields and the page's size."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.world.ids import to_us

EVENTS_A_PAGE = 200
MOST_EVENTS_A_PAGE = 1000
_CONDITION = re.compile(r"(equals|greater-or-equal|greater-than|less-or-equal|less-than)\((\w+),([^()]+)\)")


class BadParameterError(ValueError):
    """A parameter of the request that the vendor refuses."""

    def __init__(self, parameter: str, detail: str) -> None:
        """Say which and why."""
        super().__init__(detail)
        self.parameter, self.detail = parameter, detail


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request for events asks for."""

    metric_id: str | None
    since: int
    until: int
    descending: bool
    include: Sequence[str]
    profile_fields: Sequence[str] | None
    size: int
    after: tuple[int, str] | None


def read_request(params: Mapping[str, str], opened: Callable[[str], Mapping[str, Any]]) -> Wanted:
    """Read the parameters of a request; ``opened`` tells where a cursor stands. ``BadParameterError`` for a bad one."""
    sort = params.get("sort", "-datetime")
    if sort.lstrip("-") not in {"datetime", "timestamp"}:
        raise BadParameterError("sort", "Events can be sorted by datetime or timestamp.")
    size = params.get("page[size]", str(EVENTS_A_PAGE))
    if not size.isdigit() or not 1 <= int(size) <= MOST_EVENTS_A_PAGE:
        raise BadParameterError("page[size]", f"Must be between 1 and {MOST_EVENTS_A_PAGE}.")
    include = [name for name in params.get("include", "").split(",") if name]
    if set(include) - {"metric", "profile", "attributions"}:
        raise BadParameterError("include", "Events include metric, profile and attributions.")
    cursor = params.get("page[cursor]")
    place = opened(cursor) if cursor else None
    fields = params.get("fields[profile]")
    metric, since, until = _read_filter(params.get("filter", ""))
    return Wanted(
        metric_id=metric,
        since=since,
        until=until,
        descending=sort.startswith("-"),
        include=include,
        profile_fields=fields.split(",") if fields else None,
        size=int(size),
        after=(int(place["at"]), str(place["id"])) if place else None,
    )


def _read_filter(text: str) -> tuple[str | None, int, int]:
    """Return metric id and the first and last instant of a filter: conditions with commas between them."""
    metric, since, until = None, 0, to_us(datetime(9999, 1, 1, tzinfo=UTC))
    rest = text
    while rest:
        condition = _CONDITION.match(rest)
        if condition is None:
            raise BadParameterError("filter", "Invalid filter provided. Verify your parentheses match.")
        operator, name, value = condition.groups()
        if name == "metric_id" and operator == "equals":
            metric = value.strip("\"'")
        elif name == "datetime" and operator != "equals":
            since, until = _narrowed(operator, value, since, until)
        else:
            raise BadParameterError("filter", f"'{operator}' is no filter of '{name}'.")
        rest = rest[condition.end() :]
        if rest and not rest.startswith(","):
            raise BadParameterError("filter", "Invalid filter provided. Verify your parentheses match.")
        rest = rest.removeprefix(",")
    return metric, since, until


def _narrowed(operator: str, value: str, since: int, until: int) -> tuple[int, int]:
    try:
        instant = to_us(datetime.fromisoformat(value))
    except (ValueError, TypeError):
        raise BadParameterError("filter", "A datetime is ISO 8601 with a zone.") from None
    if operator.startswith("greater"):
        return max(since, instant + (operator == "greater-than")), until
    return since, min(until, instant - (operator == "less-than"))
