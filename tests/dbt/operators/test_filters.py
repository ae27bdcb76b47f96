"""The page of customer filters: every audience on it is run, here on a few people, and once on the project itself."""

import re
from math import asin, cos, dist, radians, sin
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.operators.told import Wrong, operators

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")
FILTERS: dict[str, str] = dict(re.findall(r"^### (.+)\n\n(?:.+\n)+\n```sql\n((?:.+\n)+)```$", PAGE, re.MULTILINE))
# Filter by filter the tables that its audience reads, and who of them is in it, at 2026-03-15 18:00 UTC.
PEOPLE = "(values ('ann'), ('bob'), ('cem')) as people (customer_id)"
Universe = tuple[dict[str, str], set[str]]
UNIVERSES: dict[str, Universe] = {
    "Someone's Cart": (
        {
            "trait_events": """(values
                ('ann', 'cart_abandoned', timestamp '2026-03-08 18:00:00', null),
                ('bob', 'cart_abandoned', timestamp '2026-03-15 17:00:00', null),
                ('cem', 'cart_abandoned', timestamp '2026-03-08 17:59:59', null)
            ) as events (customer_id, trait_name, occurred_at, status)""",
            "fct_events": """(values
                ('ann', 'cart_abandoned', timestamp '2026-03-08 18:00:00', 200.00),
                ('bob', 'cart_abandoned', timestamp '2026-03-15 17:00:00', 200.01)
            ) as events (customer_id, event_name, occurred_at, amount)""",
        },
        {"ann"},
    ),
    "Someone's Order": (
        {
            "fct_orders": """(values
                ('o1', 'ann', timestamp '2026-03-01 18:00:00'), ('o2', 'bob', timestamp '2025-03-01 18:00:00'),
                ('o3', 'cem', timestamp '2026-03-01 18:00:00'), ('o4', null, timestamp '2026-03-01 18:00:00')
            ) as orders (order_id, customer_id, created_at)""",
            "fct_order_lines": """(values
                ('o1', 'Wana Brands'), ('o2', 'Wana Brands'), ('o3', 'Other'), ('o4', 'Wana Brands')
            ) as lines (order_id, brand)""",
        },
        {"ann"},
    ),
    "What someone has done or not done": (
        {
            "fct_events": """(values
                ('ann', 'viewed_product', timestamp '2026-03-14 18:00:00', 3),
                ('bob', 'viewed_product', timestamp '2026-03-14 18:00:00', 2),
                ('cem', 'viewed_product', timestamp '2026-03-14 18:00:00', 3),
                ('cem', 'order_created', timestamp '2026-03-14 19:00:00', 1)
            ) as told (customer_id, event_name, occurred_at, times)
            cross join lateral (select unnest(range(times)) as time_no) as times""",
        },
        {"ann"},
    ),
    "Someone's auto orders": (
        {"customer_traits": "(values ('ann', 1), ('bob', 0)) as traits (customer_id, auto_orders_active)"},
        {"ann"},
    ),
    "If someone is or is not in a list": (
        {
            "list_members": """(values
                ('Friday deals', 'bob'), ('Monday deals', 'cem')
            ) as members (list_name, customer_id)""",
        },
        {"ann", "cem"},
    ),
    "If someone is or is not in a segment": (
        {
            "loyalty_members": "(values ('ann'), ('bob')) as audience (customer_id)",
            "vip_customers": "(values ('bob'), ('cem')) as audience (customer_id)",
        },
        {"ann"},
    ),
    "Loyalty cashback expiring soon": (
        {
            "customer_traits": """(values
                ('ann', timestamp '2026-04-15 18:00:00', 5), ('bob', timestamp '2026-04-15 18:00:01', 5),
                ('cem', timestamp '2026-04-01 18:00:00', 0), ('dan', null, 5)
            ) as traits (customer_id, cashback_expires_at, cashback_balance)""",
        },
        {"ann"},
    ),
    "Loyalty point balance": (
        {
            "customer_traits": """(values
                ('ann', 999), ('bob', 1000), ('cem', null)
            ) as traits (customer_id, points_balance)""",
        },
        {"ann"},
    ),
    "Tags on someone": (
        {
            "customer_traits": """(values
                ('ann', '["Staff","VIP"]'), ('bob', '["VIP soon"]'), ('cem', null)
            ) as traits (customer_id, tags)""",
        },
        {"ann"},
    ),
    "AtData about someone": (
        {
            "customer_traits": """(values
                ('ann', '{"atdata_age":"35-44"}'), ('bob', '{"atdata_age":"45-54"}'),
                ('cem', null)
            ) as traits (customer_id, atdata)""",
        },
        {"ann"},
    ),
    "Properties about someone": (
        {
            "customer_traits": """(values
                ('ann', '{"favourite_strain":"OG Kush"}'), ('bob', '{"least_favourite_strain":"OG Kush"}'), ('cem', null)
            ) as traits (customer_id, properties)""",
        },
        {"ann"},
    ),
    "If someone has opted in to SMS messages": (
        {
            "customer_traits": """(values
                ('ann', 'opted_in'), ('bob', 'opted_out'), ('cem', 'unknown')
            ) as traits (customer_id, sms_consent)""",
        },
        {"ann"},
    ),
    "If someone is or is not within the EU": (
        {
            "dim_customers": """(values
                ('ann', 'US'), ('bob', 'DE'), ('cem', 'FRANCE'), ('dan', 'nor'), ('eve', null)
            ) as customers (customer_id, country)""",
            "eea_countries": f"read_csv('{ROOT}/dbt/seeds/eea_countries.csv')",
        },
        {"ann", "eve"},
    ),
    "If someone is in BigQuery": (
        {
            "dim_customers": PEOPLE,
            "customer_identifiers": """(values
                ('email', 'ann@example.com', 'ann', false), ('email', 'home@example.com', 'bob', true),
                ('phone', 'ann@example.com', 'cem', false)
            ) as identifiers (identifier_type, identifier_value, customer_id, is_shared)""",
            "external_people": """(values
                (' Ann@Example.com'), ('home@example.com'), (null)
            ) as people (email)""",
        },
        {"ann"},
    ),
    "Someone's proximity to a location": (
        {
            # from the Capitol in Denver to the middle of Boulder it is some 24 miles
            "dim_customers": """(values
                ('ann', 39.7392, -104.9849), ('bob', 40.0150, -105.2705), ('cem', null, null)
            ) as customers (customer_id, latitude, longitude)""",
            "int_store_places": """(values
                ('colfax', 39.733, -104.952), ('unknown', null, null)
            ) as stores (store_id, latitude, longitude)""",
        },
        {"ann"},
    ),
    "Analytics about someone": (
        {
            "customer_traits": """(values
                ('ann', 5, 1), ('bob', 5, 3), ('cem', null, null)
            ) as traits (customer_id, frequency_score, recency_score)""",
        },
        {"ann"},
    ),
    "Pricing tiers assigned to someone": (
        {
            "customer_traits": """(values
                ('ann', '["retail","wholesale"]'), ('bob', '["retail"]'), ('cem', null)
            ) as traits (customer_id, pricing_tiers)""",
        },
        {"ann"},
    ),
}


def test_the_page_has_each_of_the_seventeen() -> None:
    """None is missing, none has no audience, and none is left untested."""
    assert len(FILTERS) == 17
    assert set(FILTERS) == set(UNIVERSES) == set(re.findall(r"^### (.+)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("name", UNIVERSES)
def test_an_audience_takes_whom_the_filter_means(name: str) -> None:
    """The audience of the page, word for word, on a few people."""
    tables, expected = UNIVERSES[name]
    warehouse = duckdb.connect()
    for table, rows in {"customer_traits": PEOPLE, **tables}.items():
        warehouse.execute(f"create view {table} as select * from {rows}")
    found = warehouse.execute(operators().rendered(FILTERS[name])).fetchall()
    assert sorted(customer_id for (customer_id,) in found) == sorted(expected)


@pytest.mark.parametrize(("unit", "radius"), [("miles", 3958.7613), ("kilometres", 6371.0088), ("km", 6371.0088)])
@pytest.mark.parametrize(
    ("here", "there"),
    [
        ([39.7392, -104.9849], [40.0150, -105.2705]),
        ([0.0, 179.5], [0.0, -179.5]),
        ([89.9, 0.0], [89.9, 180.0]),
        ([0.0, 0.0], [0.0, 180.0]),
    ],
)
def test_a_distance_is_that_of_the_globe(
    here: list[float], there: list[float], unit: str, radius: float
) -> None:
    """The angle between two arrows from its centre; across the date line and the pole, too."""
    one, other = (
        [cos(lat) * cos(long), cos(lat) * sin(long), sin(lat)]
        for lat, long in (map(radians, place) for place in (here, there))
    )
    distance = radius * 2 * asin(min(1.0, dist(one, other) / 2))
    conditions = [operators().within_distance(here, there, round(distance + by, 4), unit) for by in (-0.001, 0.001)]
    assert duckdb.connect().execute(f"select {', '.join(conditions)}").fetchall() == [(False, True)]


@pytest.mark.parametrize("place", [[39.74], [-104.95, 39.74], ["Denver", "Colorado"]])
def test_a_place_that_is_none_does_not_compile(place: list[Any]) -> None:
    """Latitude comes first; a name is no place."""
    with pytest.raises(Wrong, match="within_distance: .* is no place. Write"):
        operators().within_distance("customers", place, 10, "miles")


@pytest.mark.slow
@pytest.mark.parametrize("name", UNIVERSES)
def test_every_audience_runs_on_the_project(name: str, deployed: Path) -> None:
    """Each table and column is the project's; an empty warehouse is enough."""
    with duckdb.connect(str(deployed / "warehouse.duckdb"), read_only=True) as warehouse:
        found = warehouse.execute(
            "select table_name, table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
        warehouse.execute("create temporary view external_people as select 'ann@example.com' as email")
        audience = operators(ref=dict(found).__getitem__).rendered(FILTERS[name])
        assert warehouse.execute(audience).fetchall() == []
