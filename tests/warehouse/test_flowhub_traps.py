"""What is odd about Flowhub's answers, from the landed text to the marts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.scene import Scene, settings_in
from tests.warehouse.test_invariance import land_order, order
from warehouse.builder import Builder

NOON = datetime(2026, 3, 15, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def scene(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Land an order of each kind, and build once."""
    scene = Scene.on(deployed, tmp_path_factory.mktemp("traps") / "home", {})
    scene.know("ann")
    plain = {"subTotal": 30.0, "totalDiscounts": 3.0, "totalTaxes": 4.5, "totalFees": 0, "finalTotal": 31.5}
    pascal = {name[0].upper() + name[1:]: value for name, value in plain.items()}
    late = NOON + timedelta(days=5)
    odd: list[tuple[dict[str, Any], datetime]] = [
        (order("camel", 31.5, NOON, totals=plain), NOON),
        (order("pascal", 31.5, NOON, totals=pascal), NOON),
        (order("capital", 31.5, NOON, orderStatus="Sold"), NOON),
        (order("guest", 31.5, NOON, customerId=None), NOON),
        (order("pending", 31.5, NOON, orderStatus="pending", completedOn=None), NOON),
        (order("voided", 31.5, NOON), NOON),
        (order("voided", 31.5, NOON, voided=True), late),
        (order("canceled", 31.5, NOON, orderStatus="cancelled", completedOn=None), NOON),
        (order("refund", -31.5, late, originalSaleId="camel"), late),
        (order("named", 31.5, NOON, budtender="Robin"), NOON),
        ({**order("mongo", 31.5, NOON), "id": None, "_id": "mongo"}, NOON),
        ({**order("created-on", 31.5, NOON), "createdAt": None, "createdOn": NOON.isoformat()}, NOON),
    ]
    for told, at in odd:
        land_order(scene, told, at)
    scene.build(late + timedelta(minutes=1))
    return scene


def orders(scene: Scene) -> dict[str, dict[str, Any]]:
    """Return the orders by their ids."""
    return {row["order_id"]: row for row in scene.rows("select * from marts.fct_orders")}


@pytest.mark.parametrize(
    ("order_id", "status"),
    [
        ("camel", "completed"),
        ("pascal", "completed"),
        ("capital", "completed"),
        ("guest", "completed"),
        ("pending", "created"),
        ("voided", "canceled"),
        ("canceled", "canceled"),
        ("refund", "refunded"),
        ("mongo", "completed"),
        ("created-on", "completed"),
    ],
)
def test_every_order_has_the_status_that_it_means(scene: Scene, order_id: str, status: str) -> None:
    """Voided keeps ``sold``, a refund points at its sale, and casing and ids differ."""
    assert orders(scene)[order_id]["status"] == status


def test_totals_are_read_in_either_casing(scene: Scene) -> None:
    """The vendor's documents write them otherwise than its answers."""
    names = ("subtotal", "discount", "tax", "delivery_fee", "total")
    camel, pascal = ([orders(scene)[one][name] for name in names] for one in ("camel", "pascal"))
    assert camel == pascal == [Decimal(30), Decimal(3), Decimal("4.5"), Decimal(0), Decimal("31.5")]


def test_a_guest_is_nobody_and_a_missing_budtender_no_reason_to_refuse(scene: Scene) -> None:
    """Nothing of these is quarantined."""
    assert orders(scene)["guest"]["customer_id"] is None
    assert orders(scene)["camel"]["customer_id"] is not None
    assert scene.rows("select * from marts.quarantine") == []
    told = scene.rows(
        "select budtender from events.int_orders where order_id in ('camel', 'named') order by all"
    )
    assert [row["budtender"] for row in told] == ["Robin", None]


def test_a_late_void_is_dated_when_it_was_seen(scene: Scene) -> None:
    """The till says that an order is void, not since when; what completed it stays told."""
    told = scene.rows(
        "select event_name, occurred_at from marts.fct_events where object_id = 'voided' and source = 'flowhub' "
        "order by occurred_at"
    )
    assert [row["event_name"] for row in told if row["event_name"] != "order_created"] == [
        "order_completed",
        "order_canceled",
    ]
    assert told[-1]["occurred_at"] == (NOON + timedelta(days=5)).replace(tzinfo=None)


def test_cents_become_dollars_where_the_setting_says_so(deployed: Path, tmp_path: Path) -> None:
    """Totals and lines alike."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    line = {
        "productId": "p",
        "productName": "Blue Dream",
        "quantity": 1,
        "unitPrice": 3150,
        "totalPrice": 3150,
    }
    land_order(scene, order("cents", 3150, NOON, itemsInCart=[line]), NOON)
    scene.clock.set(NOON + timedelta(minutes=1), running=False)
    settings = settings_in(scene.home).model_copy(update={"flowhub_order_amount_unit": "cents"})
    with Builder(settings) as builder:
        assert builder.build(lane="hot").ok
    assert orders(scene)["cents"]["total"] == Decimal("31.5")
    assert scene.rows("select price, total from marts.fct_order_lines") == [
        {"price": Decimal("31.5"), "total": Decimal("31.5")}
    ]
