"""The hours at the call are those of the decision: the model's own SQL, and a file that analysts may get wrong."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from perennial.errors import PerennialError
from reverse_etl.quiet import HOURS, Hours, read_rules
from tests.dbt.operators.told import operators
from warehouse.project import PROJECT

SECOND = timedelta(seconds=1)
HEADER = HOURS.read_text(encoding="utf-8").splitlines()[0]
# Rules that are hard to read: hours in which the clocks change, a day that begins or ends with them, a rule of one
# day before an older one of every day, one that begins tomorrow, and one that covers what serves an order on Sundays.
HARD = """
*,,08:00,21:00,2015-01-01,false,
CO,,02:30,24:00,2020-01-01,true,
NY,,01:30,23:30,2020-01-01,false,
CA,7,10:00,18:00,2015-01-01,true,
CA,,07:00,22:00,2015-01-01,false,
FL,7,12:00,20:00,2020-01-01,false,
FL,,09:00,20:00,2025-01-01,true,
FL,,10:00,19:00,2026-03-09,false,
FL,,11:00,18:00,2026-11-02,true,
"""
Spans = dict[str, list[tuple[datetime, datetime, bool]]]


def told_by_the_model(rules: Path, as_of: datetime) -> Spans:
    """Return when a place is open around a moment, and for which kinds, as ``int_place_hours`` says."""
    seeds = {
        name: f"read_csv('{PROJECT}/seeds/{name}.csv', all_varchar = true)"
        for name in ("states", "area_codes")
    }
    types = "{'weekday': 'integer', 'valid_from': 'date', 'covers_transactional': 'boolean'}"
    seeds["quiet_hours"] = f"(select * from read_csv('{rules}', types = {types}))"
    macros = operators(as_of=f"timestamp '{as_of:%Y-%m-%d %H:%M:%S}'", ref=seeds.__getitem__)
    model = (PROJECT / "models" / "decisions" / "int_place_hours.sql").read_text(encoding="utf-8")
    spans: Spans = defaultdict(list)
    found = duckdb.connect().execute(
        f"select place, opens_at, closes_at, covers_transactional from ({macros.rendered(model)}) as hours"
    )
    for place, opens, closes, covers in found.fetchall():
        spans[place].append((opens.replace(tzinfo=UTC), closes.replace(tzinfo=UTC), covers))
    return spans


@pytest.mark.parametrize("which", ["as shipped", "hard"])
@pytest.mark.parametrize(
    "day",
    ["2026-03-15", "2026-03-08", "2026-11-01", "2025-08-31"],
    ids=["a Sunday", "the clocks go forward", "the clocks go back", "the day before a rule begins"],
)
def test_python_and_sql_know_the_same_hours(which: str, day: str, tmp_path: Path) -> None:
    """In every place there is, at each second at which a place opens or closes, before it and after it."""
    rules = HOURS
    if which == "hard":
        rules = tmp_path / "quiet_hours.csv"
        rules.write_text(f"{HEADER}\n{HARD.strip()}\n", encoding="utf-8")
    begins = datetime.fromisoformat(f"{day}T08:00:00+00:00")
    spans = told_by_the_model(rules, begins)
    assert len(spans) > 60
    hours = Hours(read_rules(rules))
    edges = {edge for of_place in spans.values() for opens, closes, _ in of_place for edge in (opens, closes)}
    asked = 0
    for place, of_place in spans.items():
        for edge in edges:
            for now in (edge - SECOND, edge, edge + SECOND):
                if begins <= now < begins + timedelta(days=1):
                    is_open = any(opens <= now < closes for opens, closes, _ in of_place)
                    next_one = min(opens for opens, _, _ in of_place if opens > now)
                    assert hours.opening("marketing", [place], now) == (None if is_open else next_one), (
                        place,
                        now,
                    )
                    asked += 1
    assert asked > 1000


def test_what_serves_an_order_waits_only_on_the_days_of_the_rule(tmp_path: Path) -> None:
    """California's Sundays are covered here, its Mondays are not: Monday begins at midnight."""
    rules = tmp_path / "quiet_hours.csv"
    rules.write_text(f"{HEADER}\n{HARD.strip()}\n", encoding="utf-8")
    hours, place = Hours(read_rules(rules)), ["CA America/Los_Angeles"]
    sunday_evening, monday = datetime(2026, 3, 16, 3, tzinfo=UTC), datetime(2026, 3, 16, 7, tzinfo=UTC)
    assert hours.opening("transactional", place, sunday_evening) == monday
    assert hours.opening("transactional", place, monday) is None
    assert hours.opening("transactional", ["TX America/Chicago"], sunday_evening) is None
    assert hours.opening("marketing", place, monday) == monday + timedelta(hours=7)


def test_a_decision_of_before_is_judged_by_the_home() -> None:
    """It names no places: marketing then has the hours of everybody, where the installation is."""
    night = datetime(2026, 3, 16, 4, tzinfo=UTC)  # ten in the evening in Denver
    hours = Hours(read_rules(), "* America/Denver")
    assert hours.opening("marketing", None, night) == datetime(2026, 3, 16, 14, tzinfo=UTC)
    for kind in ("transactional", "order", "exit", "opt_out"):
        assert hours.opening(kind, None, night) is None


def test_places_that_never_allow_at_one_time_allow_nothing_for_days(tmp_path: Path) -> None:
    """As in a decision: it has expired by then."""
    rules = tmp_path / "quiet_hours.csv"
    rules.write_text(
        f"{HEADER}\n*,,08:00,12:00,2015-01-01,false,\nHI,,13:00,21:00,2015-01-01,false,\n", encoding="utf-8"
    )
    now = datetime(2026, 3, 15, 18, tzinfo=UTC)
    both = ["ME America/New_York", "HI America/New_York"]
    assert Hours(read_rules(rules)).opening("marketing", both, now) == now + timedelta(days=4)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (
            f"{HEADER}\n*,,08:00,21:00,2015-01-01,false,\nTX,,nine,21:00,2025-09-01,false,\n",
            "line 3: opens_at",
        ),
        (f"{HEADER}\n*,,08:00,99:00,2015-01-01,false,\n", "line 2: closes_at"),
        (f"{HEADER}\n*,,21:00,08:00,2015-01-01,false,\n", "line 2: closes_at lies before"),
        (f"{HEADER}\n*,8,08:00,21:00,2015-01-01,false,\n", "line 2: weekday"),
        (f"{HEADER}\nColorado,,08:00,21:00,2015-01-01,false,\n", "line 2: state"),
        (f"{HEADER}\n*,,08:00,21:00,1.1.2015,false,\n", "line 2: valid_from"),
        (f"{HEADER}\n*,,08:00,21:00,2015-01-01,maybe,\n", "line 2: covers_transactional"),
        (f"{HEADER}\n*,,08:00,21:00\n", "line 2: valid_from"),
        (f"{HEADER}\nTX,,08:00,21:00,2015-01-01,false,\n", "no row for *"),
        ("state,opens_at\n*,08:00\n", "no column weekday"),
        (None, "can't be read"),
    ],
)
def test_hours_that_cannot_be_read_are_named(tmp_path: Path, lines: str | None, named: str) -> None:
    """Nothing may be sent then."""
    rules = tmp_path / "quiet_hours.csv"
    if lines is not None:
        rules.write_text(lines, encoding="utf-8")
    with pytest.raises(PerennialError) as caught:
        read_rules(rules)
    assert named in caught.value.cause
    assert caught.value.fix
