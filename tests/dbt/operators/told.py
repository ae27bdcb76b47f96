"""What the operators mean, told once more in plain Python, and the macros' own SQL over a table of cases."""

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from benchmarks.identity.macro_sql import MacroFile

Run = Callable[[str], Sequence[Sequence[Any]]]
GOLDEN = yaml.safe_load(
    (Path(__file__).parents[2] / "golden" / "decisions.yaml").read_text(encoding="utf-8")
)["operators"]
ELAPSED = {"second": 1, "minute": 60, "hour": 3600}
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Case:
    """A time that an operator looks at, at a moment; both UTC without saying so, as in the warehouse."""

    value: datetime | None
    as_of: datetime
    zone: str


@dataclass(frozen=True)
class Asked:
    """An operator with what an analyst wrote behind the column."""

    operator: str
    arguments: tuple[Any, ...]


class Wrong(Exception):  # noqa: N818 - what dbt calls a compiler error
    """An operator was given what it can't read."""

    def raise_compiler_error(self, message: str) -> None:
        """Stand in for dbt's ``exceptions``."""
        raise Wrong(message)


def operators(
    engine: str = "duckdb", as_of: str = "timestamp '2026-03-15 18:00:00'", ref: Callable[[str], str] = str
) -> MacroFile:
    """Return the macros; ``as_of`` is the SQL of the moment, ``ref`` says where a model's rows are."""
    return MacroFile(
        ("operators/*.sql", "time/*.sql", "text/*.sql", "landing/json_text.sql"),
        lambda _: [],
        engine,
        as_of=lambda: as_of,
        var=lambda name: {"time_zone": "America/Denver"}[name],
        ref=ref,
        source="{0}_{1}".format,
        exceptions=Wrong(),
    )


def local(instant: datetime, zone: str) -> datetime:
    """Return what the wall clock of a zone shows."""
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def utc(wall: datetime, zone: str) -> datetime:
    """Return the instant of a wall clock's time: the second of two; by the clock before the jump where there is none."""
    first, second = (
        wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1)
    )
    is_skipped = local(first, zone) != wall
    return first if is_skipped else second


def months_later(wall: datetime, months: int) -> datetime:
    """Return the same day and hour some months later, or earlier; the month's last day where it is too short."""
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, calendar.monthrange(year, month + 1)[1]))


def edge(case: Case, n: int, unit: str) -> datetime:
    """Return the instant ``n`` units after the moment, before it where ``n`` is negative."""
    unit = unit.lower().removesuffix("s")
    if unit in ELAPSED:
        return case.as_of + timedelta(seconds=n * ELAPSED[unit])
    wall = local(case.as_of, case.zone)
    if unit in DAYS:
        return utc(wall + timedelta(days=n * DAYS[unit]), case.zone)
    return utc(months_later(wall, n * MONTHS[unit]), case.zone)


def truth(asked: Asked, case: Case) -> bool:
    """Return whether the operator holds."""
    if case.value is None:
        return False
    match asked.operator, asked.arguments:
        case "in_last", (n, unit):
            return edge(case, -n, unit) <= case.value <= case.as_of
        case "in_next", (n, unit):
            return case.as_of < case.value <= edge(case, n, unit)
        case "between", (first, last):
            return compared(case, first) >= 0 >= compared(case, last)
        case "after", (told,):
            return compared(case, told) > 0
        case "before", (told,):
            return compared(case, told) < 0
        case "on", (told,):
            return compared(case, told) == 0
    raise AssertionError(asked)


def compared(case: Case, told: str) -> int:
    """Return 1, 0 or -1: where the value lies against what an analyst wrote."""
    assert case.value is not None
    if len(told) == len("2026-03-14"):
        day = date.fromisoformat(told)
        value = local(case.value, case.zone).date()
        return (value > day) - (value < day)
    instant = datetime.fromisoformat(told)
    instant = instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
    return (case.value > instant) - (case.value < instant)


def answers(asked: Sequence[Asked], cases: Sequence[Case], run: Run, engine: str = "duckdb") -> list[list[bool]]:
    """Return what the macros say of each case, an answer an operator, in one query over a table of the cases."""
    macros = operators(engine, as_of="cases.as_of")
    rows = ", ".join(
        f"({at}, {literal(case.value)}, {literal(case.as_of)}, '{case.zone}')" for at, case in enumerate(cases)
    )
    columns = ", ".join(
        getattr(macros, one.operator)("cases.value", *one.arguments, zone="cases.zone") for one in asked
    )
    found = run(
        f"select {columns} from (values {rows}) as cases (case_no, value, as_of, zone) order by cases.case_no"
    )
    return [list(row) for row in found]


def literal(instant: datetime | None) -> str:
    """Return a timestamp as SQL."""
    return "cast(null as timestamp)" if instant is None else f"timestamp '{instant}'"


def instant(value: object) -> datetime | None:
    """Read a time of the golden file."""
    if value is None:
        return None
    read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (read.astimezone(UTC) if read.tzinfo else read).replace(tzinfo=None)


def golden() -> list[tuple[Asked, Case, bool]]:
    """Return the golden cases, all of the zone America/Denver."""
    found = []
    for case in GOLDEN:
        named = re.fullmatch(r"(\w+)\((.+)\)", case["expr"])
        assert named is not None, case
        arguments = yaml.safe_load(f"[{named[2]}]")
        as_of = instant(case["as_of"])
        assert as_of is not None
        asked = Asked(named[1], tuple(arguments))
        found.append((asked, Case(instant(case["value"]), as_of, "America/Denver"), case["is"]))
    return found


# A value as SQL, an operator with what an analyst wrote, and whether it holds.
VALUES: list[tuple[str, str, tuple[Any, ...], bool]] = [
    ("true", "is_true", (), True),
    ("false", "is_true", (), False),
    ("cast(null as boolean)", "is_true", (), False),
    ("false", "is_false", (), True),
    ("cast(null as boolean)", "is_false", (), False),
    ("cast(null as integer)", "is_unknown", (), True),
    ("0", "is_unknown", (), False),
    ("0", "has_any_value", (), True),
    ("cast(null as varchar)", "has_any_value", (), False),
    ("100.01", "more_than", (100,), True),
    ("100", "more_than", (100,), False),
    ("cast(null as integer)", "more_than", (100,), False),
    ("99.99", "less_than", (100,), True),
    ("100", "less_than", ("100.00",), False),
    ("-3", "less_than", (-2.5,), True),
    ("cast(null as integer)", "less_than", (100,), False),
    ("cast(100 as decimal(18, 2))", "exactly", (100,), True),
    ("100.01", "exactly", (100,), False),
    ("10", "in_range", (10, 20), True),
    ("20", "in_range", (10, 20), True),
    ("20.01", "in_range", (10, 20), False),
    ("cast(null as integer)", "in_range", (10, 20), False),
    ("'Wana Sour'", "starts_with", ("wana",), True),
    ("'Wana'", "starts_with", ("Wana Sour",), False),
    ("'wana'", "starts_with", ("w_na",), False),
    ("cast(null as varchar)", "starts_with", ("wana",), False),
    ("'Blue Dream 50%'", "ends_with", ("dream 50%",), True),
    ("'Blue Dream 500'", "ends_with", ("50%",), False),
    ("'Mary''s Medicinals'", "contains", ("Y'S M",), True),
    ("'a\\b'", "contains", ("\\",), True),
    ("'blue'", "contains", ("%",), False),
    ("cast(null as varchar)", "contains", ("blue",), False),
    ("'red'", "does_not_contain", ("blue",), True),
    ("'BLUE'", "does_not_contain", ("blue",), False),
    ("cast(null as varchar)", "does_not_contain", ("blue",), False),
    ("""'["Staff","VIP"]'""", "has_entry", ("VIP",), True),
    ("""'["VIP soon"]'""", "has_entry", ("VIP",), False),
    ("'[]'", "has_entry", ("VIP",), False),
    ("cast(null as varchar)", "has_entry", ("VIP",), False),
]


def value_answers(run: Run, engine: str = "duckdb") -> list[bool]:
    """Return what the macros say of each of these values, in one query."""
    macros = operators(engine)
    columns = [getattr(macros, operator)(value, *written) for value, operator, written, _ in VALUES]
    [found] = run(f"select {', '.join(columns)}")
    return list(found)
