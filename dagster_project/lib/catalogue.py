"""What a person should look at in the catalogue, from what is published: words no seed knows, lists not believed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from perennial.home import Home
from perennial.published import rows

# More words than this make a page that nobody reads; the table has them all.
MOST_SHOWN = 100

Row = Mapping[str, Any]


def unmapped_values(home: Home) -> Mapping[str, Sequence[Row]]:
    """Return the words that no seed knows, by field, the most frequent first."""
    by_field: dict[str, list[Row]] = defaultdict(list)
    for row in rows(
        home,
        "marts.unmapped_values",
        "select field, value, products, example_product from marts.unmapped_values "
        "order by field, products desc, value",
    ):
        by_field[row["field"]].append({name: row[name] for name in ("value", "products", "example_product")})
    return by_field


def doubtful_snapshots(home: Home) -> Sequence[Row]:
    """Return the lists of the last day that were not compared because they are cut short, the newest first."""
    return rows(
        home,
        "marts.inventory_snapshots",
        "select store_id, cast(started_at as varchar) as started_at, status, products, products_lacking "
        "from marts.inventory_snapshots where status in ('incomplete', 'lacking') "
        "and started_at > (select max(started_at) from marts.inventory_snapshots) - interval '1 day' "
        "order by inventory_snapshots.started_at desc, store_id",
    )
