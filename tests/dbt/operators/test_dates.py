"""The date operators, to the second, against the golden cases and against a reading of them in plain Python."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbt.operators.told import Asked, Case, Wrong, answers, edge, golden, local, operators, truth

UNITS = ("seconds", "minutes", "hours", "days", "weeks", "months", "quarters", "years")
# Both clock changes, of an hour and of half of one, at midnight, at different hours of UTC; a day that never was; none.
ZONES = (
    "America/Denver", "America/New_York", "America/Phoenix", "America/St_Johns", "America/Havana", "Europe/Dublin",
    "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo", "UTC",
)  # fmt: skip
# Where calendars are odd: changes of the clock, ends of months, leap days, the day that Samoa skipped.
ODD = [
    datetime.fromisoformat(text)
    for text in (
        "2026-03-08T09:00", "2026-11-01T08:00", "2026-03-08T07:00", "2026-11-01T06:00", "2026-03-29T01:00",
        "2026-10-25T01:00", "2026-10-03T15:30", "2026-04-04T15:00", "2026-03-28T22:00", "2026-10-24T21:00",
        "2026-03-08T05:00", "2026-11-01T05:00", "2011-12-30T10:00", "2018-11-04T03:00", "2019-02-17T02:00",
        "2024-02-29T12:00", "2023-02-28T12:00", "2026-03-31T18:00", "2025-12-31T23:00", "2027-01-01T07:00",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Callable[[str], Any]:
    """Return what runs a query on a DuckDB whose session is in no zone of the cases."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'Asia/Tokyo'")
    return lambda statement: connection.execute(statement).fetchall()


def test_the_golden_cases(run: Callable[[str], Any]) -> None:
    """The macros and the reading in Python both say what the cases say."""
    cases = golden()
    assert len(cases) == 13
    asked, given_cases, expected = zip(*cases, strict=True)
    found = answers(asked, given_cases, run)
    assert [row[at] for at, row in enumerate(found)] == list(expected)
    assert [truth(one, case) for one, case, _ in cases] == list(expected)


instants = st.one_of(
    st.tuples(st.sampled_from(ODD), st.integers(-100, 100), st.sampled_from((60, 1800, 3600, 86400))).map(
        lambda drawn: drawn[0] + timedelta(seconds=drawn[1] * drawn[2])
    ),
    st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1)).map(lambda read: read.replace(microsecond=0)),  # noqa: DTZ001
)
windows = st.builds(
    lambda operator, n, unit: Asked(operator, (n, unit)),
    st.sampled_from(("in_last", "in_next")),
    st.integers(1, 60),
    st.sampled_from(UNITS),
)
told = st.one_of(
    instants.map(lambda at: at.date().isoformat()),
    instants.map(datetime.isoformat),
    instants.map(lambda at: at.isoformat(" ") + "-06:30"),
)
dates = st.one_of(
    st.builds(lambda operator, one: Asked(operator, (one,)), st.sampled_from(("after", "before", "on")), told),
    instants.flatmap(
        lambda at: st.integers(0, 40).map(
            lambda days: Asked(
                "between", (at.date().isoformat(), (at + timedelta(days=days)).date().isoformat())
            )
        )
    ),
)


def at_the_edges(asked: Asked, as_of: datetime, zone: str) -> list[Case]:
    """Return the values around which the operator's answer turns, to the second, and none."""
    moment = Case(None, as_of, zone)
    if asked.operator in {"in_last", "in_next"}:
        n, unit = asked.arguments
        turns = [as_of, edge(moment, -n if asked.operator == "in_last" else n, unit)]
    else:
        days = [datetime.fromisoformat(one).replace(tzinfo=None) for one in asked.arguments]
        turns = [day + timedelta(hours=hours) for day in days for hours in (-24, -14, 0, 4, 7, 10, 24)]
        # where the local date of the zone turns
        turns += [day - (local(day, zone) - day) for day in days]
    seconds = (-3600, -1, 0, 1, 3600)
    return [moment, *(Case(turn + timedelta(seconds=by), as_of, zone) for turn in turns for by in seconds)]


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.one_of(windows, dates), min_size=6, max_size=10),
    st.lists(st.tuples(instants, st.sampled_from(ZONES)), min_size=12, max_size=20),
)
def test_any_date_operator_at_any_edge(
    run: Callable[[str], Any], asked: list[Asked], moments: list[tuple[datetime, str]]
) -> None:
    """Thousands of cases, around each second at which an answer turns."""
    cases = [case for as_of, zone in moments for one in asked for case in at_the_edges(one, as_of, zone)]
    for case, found in zip(cases, answers(asked, cases, run), strict=True):
        assert found == [truth(one, case) for one in asked], case


@pytest.mark.parametrize(
    ("operator", "arguments", "cause"),
    [
        ("in_last", ("x", 1, "fortnight"), "'fortnight' is no unit"),
        ("in_next", ("x", 0, "days"), "'0' is no number of days"),
        ("in_next", ("x", 1.5, "days"), "'1.5' is no number of days"),
        ("in_last", ("x", 101, "years"), "more than a hundred years"),
        ("on", ("x", "2026-02-30"), "'2026-02-30' is no day of the calendar"),
        ("after", ("x", "last Tuesday"), "'last Tuesday' is no date"),
        ("before", ("x", "2026-03-14T25:00"), "'2026-03-14T25:00' is no date"),
        ("between", ("x", "2026-03-14", "2026-03-13"), "'2026-03-14' is after '2026-03-13'"),
    ],
)
def test_what_can_not_be_read_does_not_compile(operator: str, arguments: tuple[Any, ...], cause: str) -> None:
    """The error names the macro, what is wrong, and what to write."""
    with pytest.raises(Wrong, match=cause) as raised:
        getattr(operators(), operator)(*arguments)
    assert str(raised.value).startswith(f"{operator}: ")
    assert ". Write " in str(raised.value)


def test_one_occurrence_with_the_trait_and_a_status_is_enough(run: Callable[[str], Any]) -> None:
    """Of an event-like trait each occurrence is looked at; nobody's are another's, and no answer is null."""
    run("""
        create or replace temporary table trait_events as
        select * from (values
            ('ann', 'cart_status_updated', timestamp '2026-03-15 17:30:00', 'cancelled'),
            ('ann', 'cart_status_updated', timestamp '2026-03-15 17:31:00', 'preparing'),
            ('bob', 'cart_status_updated', timestamp '2026-03-15 17:29:59', 'cancelled'),
            ('bob', 'cart_abandoned', timestamp '2026-03-15 18:00:00', null),
            ('cem', 'cart_abandoned', timestamp '2026-03-15 18:00:01', null)
        ) as traits (customer_id, trait_name, occurred_at, status)
    """)
    macros = operators()
    conditions = [
        macros.in_last("cart_status_updated", 30, "minutes", status=["cancelled", "dismissed"]),
        macros.in_last("cart_status_updated", 30, "minutes", person="people.customer_id"),
        macros.in_last("cart_status_updated", 31, "minutes", status="preparing"),
        macros.in_last("cart_abandoned", 1, "day", person="people.customer_id"),
        macros.before("cart_status_updated", "2026-03-15T17:30Z", status=["cancelled"]),
    ]
    found = run(
        f"select customer_id, {', '.join(conditions)} "
        "from (values ('ann'), ('bob'), ('cem'), (null)) as people (customer_id) order by customer_id nulls last"
    )
    assert found == [
        ("ann", True, True, True, False, False),
        ("bob", False, False, False, True, True),
        ("cem", False, False, False, False, False),
        (None, False, False, False, False, False),
    ]
    with pytest.raises(Wrong, match="status: names none"):
        macros.in_last("cart_status_updated", 1, "day", status=[])


def test_who_has_done_it_so_often(run: Callable[[str], Any]) -> None:
    """Only her own events count, and only those of which the condition holds."""
    run("""
        create or replace temporary table fct_events as
        select * from (values
            ('ann', 'order_completed', timestamp '2026-03-15 17:30:00'),
            ('ann', 'order_completed', timestamp '2026-03-01 17:30:00'),
            ('bob', 'order_completed', timestamp '2026-03-15 17:30:00'),
            (null, 'viewed_product', timestamp '2026-03-15 17:30:00')
        ) as events (customer_id, event_name, occurred_at)
    """)
    macros = operators()
    conditions = [
        macros.has_done("order_completed"),
        macros.has_done("order_completed", at_least=2),
        macros.has_done("order_completed", macros.in_last("occurred_at", 7, "days"), at_least=2),
        "not " + macros.has_done("viewed_product", person="people.customer_id"),
    ]
    found = run(
        f"select customer_id, {', '.join(conditions)} "
        "from (values ('ann'), ('bob'), ('cem')) as people (customer_id) order by customer_id"
    )
    assert found == [
        ("ann", True, True, False, True),
        ("bob", True, False, False, True),
        ("cem", False, False, False, True),
    ]
    with pytest.raises(Wrong, match="has_done: 'Order Completed' is no event's name"):
        macros.has_done("Order Completed")
