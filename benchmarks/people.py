"""How many people a demo's home resolved, and the pairs of records right and wrong against the truth.

``python benchmarks/people.py HOME`` after ``make run``.
"""

import sys
from pathlib import Path

from perennial.home import Home
from perennial.published import open_published

PAIRS = """
with records as (
    select people.person_id, map.customer_id
    from read_parquet('{truth}') as people
    inner join identity.int_identity__map as map on people.record_type || ':' || people.record_id = map.node
    where record_type in ('flowhub_customer', 'jane_user', 'shopify_customer')
)
select
    (select count(distinct customer_id) from marts.dim_customers),
    (select sum(n * (n - 1) / 2) from (select count(*) as n from records group by customer_id, person_id)),
    (select sum(n * (n - 1) / 2) from (select count(*) as n from records group by customer_id)),
    (select sum(n * (n - 1) / 2) from (select count(*) as n from records group by person_id))
"""


def main(home: Path) -> None:
    """Print one row."""
    published = open_published(Home(home))
    with published.connection as connection:
        truth = home / "sandbox" / "truth" / "people.parquet"
        [[people, right, found, true]] = connection.execute(PAIRS.format(truth=truth)).fetchall()
    missed = true - right
    print(
        f"people {people:,}; pairs right {right:,.0f}, wrong {found - right:,.0f}, missed {missed:,.0f}; ",
        end="",
    )
    print(f"precision {right / found:.4f}, recall {right / true:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else ".perennial/demo").absolute())
