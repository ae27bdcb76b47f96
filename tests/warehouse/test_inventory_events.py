"""Back in stock, price drops, new products and low stock, however the log is cut into builds."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from perennial.home import Home
from perennial.published import open_published
from tests.scene import Scene
from tests.warehouse.shelves import VAULT, Item, item, land_shelves
from warehouse.builder import Builder
from warehouse.rebuild import rebuild

OPENING = datetime(2026, 3, 15, 15, tzinfo=UTC)
REST = [item(f"Shelf Warmer {number}") for number in range(8)]


def after(hours: float) -> datetime:
    """Return an instant of the story."""
    return OPENING + timedelta(hours=hours)


def shelves(dream: Item | None, diesel: Item, kush: Item, *others: Item) -> list[Item]:
    """Return a list of the store's shelves."""
    return [*([dream] if dream else []), diesel, kush, *others, *REST]


DIESEL, KUSH = item("Sour Diesel", 8), item("Kush", 10, 1000)
# The list of each pull and what its marker says beside; each is told in full, as Flowhub does.
LISTS: list[tuple[float, list[Item], dict[str, Any]]] = [
    (0, shelves(item(quantity=20), DIESEL, KUSH), {}),
    # sold out; another falls to its threshold; a stranger is on the shelf
    (1, shelves(item(quantity=0), {**DIESEL, "quantity": 5}, KUSH, item("Stranger", 3, 2000)), {}),
    # the vendor cuts the list short, and once more: nothing that is missing is gone
    (2, shelves(None, {**DIESEL, "quantity": 5}, KUSH)[:3], {}),
    (3, [KUSH], {"complete": False}),
    # the same goods under other ids, in two rooms; the sold-out batch leaves the list
    (
        4,
        shelves(
            None,
            item("Sour Diesel", 3, lot="2"),
            KUSH,
            item("Sour Diesel", 2, lot="2", roomId=VAULT),
            item("Stranger", 3, 2000),
        ),
        {},
    ),
    # six hours to the second after it was gone there are five of it; ten percent and a dollar less
    (
        7,
        shelves(
            item(quantity=3, lot="2"),
            item("Sour Diesel", 3, lot="2"),
            {**KUSH, "priceInMinorUnits": 900},
            item("Sour Diesel", 2, lot="2", roomId=VAULT),
            item(quantity=2, lot="3", roomId=VAULT),
            item("Stranger", 3, 2000),
        ),
        {},
    ),
]
EVENTS = """
select event_name, occurred_at, received_at, customer_id, store_id, object_type, object_id, amount, properties
from marts.fct_events where object_type = 'product' order by all
"""
STATE = {
    # the numbers of batches differ with the moments between them
    "stock": "select * exclude (seq, row_no) from products.int_product_stock order by all",
    "snapshots": "select * exclude (seq, row_no, previous_seq, baseline_seq) "
    "from products.int_inventory_snapshots order by all",
    "levels": "select * from marts.fct_inventory_levels order by all",
    "products": "select * from marts.dim_products order by all",
    "identifiers": "select * from marts.product_identifiers order by all",
    "events": EVENTS,
}


def play(scene: Scene, builds_after: Callable[[int], bool]) -> None:
    """Land the lists, with a build after those that are named, and one at the end."""
    scene.set_flows()
    for number, (hours, items, marker) in enumerate(LISTS):
        land_shelves(scene, after(hours), items, **marker)
        if builds_after(number):
            scene.build(after(hours + 0.1))
    scene.build(after(8))


def state(scene: Scene) -> dict[str, Any]:
    """Return all that lists of shelves lead to."""
    return {name: scene.rows(query) for name, query in STATE.items()}


@pytest.fixture(scope="module")
def at_once(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Build once, when all has landed."""
    scene = Scene.on(deployed, tmp_path_factory.mktemp("at_once") / "home", {})
    play(scene, lambda _: False)
    return scene


def test_each_event_comes_once_with_what_a_flow_needs(at_once: Scene) -> None:
    """Nobody is on them; the product, the store, the prices and the start are."""
    events = at_once.rows(EVENTS)
    assert [(one["event_name"], one["occurred_at"].hour, float(one["amount"])) for one in events] == [
        ("back_in_stock", 22, 5.0),
        ("low_inventory", 16, 5.0),
        ("new_product_added", 16, 20.0),
        ("price_drop", 22, 9.0),
    ]
    assert {(one["customer_id"], one["store_id"]) for one in events} == {(None, "store")}
    told = {one["event_name"]: json.loads(one["properties"]) for one in events}
    back, drop = told["back_in_stock"], told["price_drop"]
    assert (back["product_name"], back["brand"], back["category"]) == (
        "Blue Dream - Eighth",
        "High Mesa",
        "Flower",
    )
    assert back["since"].startswith("2026-03-15 16:00:00")
    assert [float(drop[name]) for name in ("old_price", "lowest_price", "price")] == [10.0, 10.0, 9.0]
    assert told["new_product_added"]["product_name"] == "Stranger - Eighth"


def test_a_list_that_is_cut_short_is_flagged_and_not_compared(at_once: Scene) -> None:
    """The first list is only where the counting begins."""
    snapshots = at_once.rows(
        "select status, products, products_lacking from products.int_inventory_snapshots order by seq"
    )
    assert [tuple(one.values()) for one in snapshots] == [
        ("first", 11, 0),
        ("compared", 12, 0),
        ("lacking", 3, 9),
        ("incomplete", 3, 9),
        ("compared", 11, 1),
        ("compared", 12, 0),
    ]


def test_a_scheduled_build_tests_and_publishes_all_of_it(at_once: Scene) -> None:
    """Every data test holds, and consumers read the events beside the products that they are about."""
    at_once.clock.set(after(8.1), running=False)
    with Builder(at_once.settings) as builder:
        report = builder.build(lane="scheduled")
    assert report.ok, report.error
    assert [
        node.unique_id for node in report.nodes if node.resource_type == "test" and node.status != "pass"
    ] == []
    published = open_published(Home(at_once.settings.home))
    with published.connection as connection:
        found = connection.execute(
            "select event_name, product_name from marts.fct_events "
            "join marts.dim_products on object_id = product_id where object_type = 'product' order by all"
        ).fetchall()
    assert found == [
        ("back_in_stock", "Blue Dream - Eighth"),
        ("low_inventory", "Sour Diesel - Eighth"),
        ("new_product_added", "Stranger - Eighth"),
        ("price_drop", "Kush - Eighth"),
    ]


@pytest.mark.thorough  # test_invariance cuts the log, too
@pytest.mark.parametrize("every", [2, 1])
def test_one_build_or_many(every: int, at_once: Scene, deployed: Path, tmp_path: Path) -> None:
    """However the log is cut, and when it is built anew, the rows are the same."""
    scene = Scene.on(deployed, tmp_path / "many", {})
    play(scene, lambda number: number % every == 0)
    many = state(scene)
    for name, rows in state(at_once).items():
        assert many[name] == rows, name
    if every == 2:
        rebuild(scene.settings, after(9))
        assert state(scene) == many
