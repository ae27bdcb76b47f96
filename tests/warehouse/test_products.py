"""What is on the shelves: products that outlive their batches, stock by room, and the settings that choose from it."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.scene import Scene
from tests.warehouse.shelves import FLOOR, VAULT, item, land_shelves
from tests.warehouse.test_invariance import land_order, order

NOON = datetime(2026, 3, 15, 18, tzinfo=UTC)
PULL = timedelta(minutes=10)


@pytest.fixture(scope="module")
def scene(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Land three lists of one store's shelves, an order and a cart; build after each list."""
    scene = Scene.on(deployed, tmp_path_factory.mktemp("products") / "home", {})
    scene.set_flows()
    scene.know("ann")
    tiers = [{"name": "1g", "preTaxPriceInPennies": 1200}, {"name": "28g", "preTaxPriceInPennies": 900}]
    first = [
        item(quantity=20),
        item(quantity=5, lot="2", price=3000),
        item(quantity=7, roomId=VAULT),
        item("Sour Diesel", price=None, weightTierInformation=tiers, customCategoryName=" packedbud "),
        item("Odd One", customCategoryName="Moon Rocks", category="Mystery", speciesName="Martian",
             type=None, terpenes=[{"name": "alpha-pinene", "lowerRange": 1, "upperRange": 2, "unitOfMeasure": "mg/g"},
                                  {"name": "Unobtainium", "lowerRange": 3, "upperRange": 3, "unitOfMeasure": "mg/g"}]),
    ]  # fmt: skip
    land_shelves(scene, NOON, first)
    scene.build(NOON + PULL / 2)
    # the first batch is sold out and gone; the next one has other ids
    land_shelves(scene, NOON + PULL, [item(quantity=4, lot="2", price=3000), *first[2:]])
    line = {"productId": "Blue Dream-1", "productName": "Blue Dream - Eighth", "brand": "HIGH MESA", "type": "Sativa",
            "category": "Joint", "sku": "s", "quantity": 1, "unitPrice": 35.0, "totalPrice": 31.5,
            "totalDiscounts": 3.5}  # fmt: skip
    land_order(scene, order("o1", 31.5, NOON, itemsInCart=[line]), NOON + PULL)
    scene.build(NOON + PULL * 3 / 2)
    return scene


def test_batches_of_one_product_are_one_product(scene: Scene) -> None:
    """Ids and SKUs change from batch to batch; each leads to the one product."""
    products = scene.rows(
        "select product_id, product_name, variant, brand, strain_type from marts.dim_products"
    )
    assert len(products) == 3
    [dream] = [one for one in products if one["product_name"] == "Blue Dream - Eighth"]
    assert (dream["variant"], dream["brand"], dream["strain_type"]) == ("Eighth", "High Mesa", "Sativa")
    ids = scene.rows(
        "select distinct product_id from marts.product_identifiers where identifier_value like '%Blue%'"
    )
    assert ids == [{"product_id": dream["product_id"]}]


def test_stock_is_what_the_newest_list_names(scene: Scene) -> None:
    """A batch that is no longer named counts no more; the other room keeps its own."""
    levels = scene.rows(
        "select room_id, on_hand, available, price from marts.fct_inventory_levels "
        "join marts.dim_products using (product_id) where product_name like 'Blue%' order by room_id"
    )
    assert [(one["room_id"], one["on_hand"], one["price"]) for one in levels] == [
        (VAULT, Decimal(7), Decimal("35.00")),
        (FLOOR, Decimal(4), Decimal("30.00")),
    ]


def test_the_lowest_tier_is_the_price_of_goods_by_weight(scene: Scene) -> None:
    """They have no price of a unit; the level says so."""
    [level] = scene.rows("select price, is_tier_price from marts.fct_inventory_levels where is_tier_price")
    assert level == {"price": Decimal("9.00"), "is_tier_price": True}


def test_categories_follow_the_seed_and_unmapped_words_stay(scene: Scene) -> None:
    """Custom category, then type, then category; what no seed knows is kept and listed."""
    found = scene.rows("select product_name, category, subtype, terpenes from marts.dim_products order by 1")
    assert [(one["product_name"], one["category"], one["subtype"]) for one in found] == [
        ("Blue Dream - Eighth", "Flower", "Sativa"),
        ("Odd One - Eighth", "Moon Rocks", "Mystery"),
        ("Sour Diesel - Eighth", "Flower", "Sativa"),
    ]
    assert "\N{GREEK SMALL LETTER ALPHA}-Pinene" in found[1]["terpenes"]
    assert "Unobtainium" in found[1]["terpenes"]
    unmapped = scene.rows(
        "select field, value, products, example_product from marts.unmapped_values order by all"
    )
    assert [tuple(one.values()) for one in unmapped] == [
        ("category", "mystery", 1, "Odd One - Eighth"),
        ("custom_category", "moon rocks", 1, "Odd One - Eighth"),
        ("strain_type", "martian", 1, "Odd One - Eighth"),
        ("terpene", "unobtainium", 1, "Odd One - Eighth"),
    ]


def test_a_line_finds_its_product_and_its_category(scene: Scene) -> None:
    """The till's id of a batch that is gone leads there too."""
    [line] = scene.rows(
        "select dim_products.product_name, fct_order_lines.category from marts.fct_order_lines "
        "join marts.dim_products using (product_id)"
    )
    assert line == {"product_name": "Blue Dream - Eighth", "category": "Pre-Rolls"}


def test_an_order_event_carries_its_lines(scene: Scene) -> None:
    """Name, category, SKU, brand, price and discount, as the order says them."""
    events = scene.rows(
        "select event_name, properties from marts.fct_events where object_id = 'o1' order by 1"
    )
    assert [one["event_name"] for one in events] == ["order_completed", "order_created", "product_purchased"]
    bought = json.loads(events.pop()["properties"])
    assert (bought["product_name"], bought["category"], bought["price"]) == (
        "Blue Dream - Eighth",
        "Pre-Rolls",
        35.0,
    )
    for event in events:
        [line] = json.loads(event["properties"])["lines"]
        named = ("product_name", "category", "sku", "brand", "price", "discount")
        assert [line[name] for name in named] == [
            "Blue Dream - Eighth",
            "Pre-Rolls",
            "s",
            "HIGH MESA",
            35.0,
            3.5,
        ]
