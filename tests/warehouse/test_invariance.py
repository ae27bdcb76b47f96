"""The same log gives the same rows, however it is cut into builds; bad input stops nobody else."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scene import Scene
from tests.warehouse import story
from tests.warehouse.test_crashes import build_elsewhere
from warehouse.build_server import _Handler
from warehouse.builder import Builder

Fact = Callable[[Scene], None]


def order(order_id: str, total: object, at: datetime, **changes: Any) -> dict[str, Any]:
    """Return an order of Ann's as Flowhub writes it."""
    line = {
        "productId": "p",
        "productName": "Blue Dream",
        "category": "Flower",
        "quantity": 1,
        "totalPrice": 10.0,
    }
    return {
        "id": order_id, "customerId": "fh-ann", "orderStatus": "sold", "voided": False, "orderType": "walk-in",
        "locationId": "store", "createdAt": at.isoformat(), "completedOn": at.isoformat(), "originalSaleId": "",
        "totals": {"finalTotal": total, "subTotal": 10.0}, "itemsInCart": [line], **changes,
    }  # fmt: skip


def land_order(scene: Scene, told: dict[str, Any], at: datetime) -> None:
    """Land a version of an order."""
    scene.land("flowhub", "orders", at, told, f"{told['id']}:{hash(json.dumps(told))}")


def cart(amount: float, occurred: datetime, received: datetime) -> Fact:
    """Return a delivery of one cart."""

    def land(scene: Scene) -> None:
        body = {
            "cart": {
                "id": 7,
                "status": "pending",
                "amount": amount,
                "created_at": "2026-03-15 17:00:00",
                "user_id": 1,
            }
        }
        headers = {"X-Jane-Request-Timestamp": str(int(occurred.timestamp()))}
        scene.land("jane", "cart_status", received, body, f"{amount}:cart_status", **headers)

    return land


def points(balance: int, occurred: datetime, received: datetime) -> Fact:
    """Return OMNI's word about a balance."""

    def land(scene: Scene) -> None:
        event_id = f"o-{balance}"
        body = {
            "event": "wv/points/added", "event_id": event_id, "occurred_at": occurred.isoformat(),
            "customer": {"id": 11, "email": "ann@example.com"}, "properties": {"value": 1, "source": "manual"},
            "profile": {"wv_point_balance": balance},
        }  # fmt: skip
        scene.land("omni", "events", received, body, event_id)

    return land


def shopify(email: str, at: datetime) -> Fact:
    """Return a version of a Shopify customer."""

    def land(scene: Scene) -> None:
        body = {"id": 11, "email": email, "updated_at": at.isoformat(), "created_at": at.isoformat()}
        scene.land("shopify", "webhooks", at, body, f"s-{email}", **{"X-Shopify-Topic": "customers/update"})

    return land


FACTS: list[Fact] = [
    shopify("old@example.com", story.at(18)),
    shopify("new@example.com", story.at(18, 1)),
    points(500, story.at(18, 2), story.at(18, 2)),
    points(100, story.at(17), story.at(18, 3)),  # older, and late
    cart(99.0, story.at(18, 4), story.at(18, 4)),
    cart(20.0, story.at(17, 30), story.at(18, 5)),  # older, and late
]

STATE = """
select 'cart' as what, cast(amount as varchar) as value from events.int_carts
union all select 'points', cast(points_balance as varchar) from events.int_loyalty_accounts
union all
select 'address', identifier_value || ' ' || cast(is_active as varchar)
from identity.int_identity__record_identifiers where identifier_type = 'email'
order by all
"""


def test_one_build_or_many(deployed: Path, tmp_path: Path) -> None:
    """A late, older word does not take back a newer one, and what was changed away from stays away."""
    found = []
    for name, after_each in (("one", False), ("many", True)):
        scene = Scene.on(deployed, tmp_path / name, {})
        scene.set_flows()
        for minute, fact in enumerate(FACTS):
            fact(scene)
            if after_each:
                scene.build(story.at(18, 10 + minute))
        if not after_each:
            scene.build(story.at(18, 30))
        found.append(scene.rows(STATE))
    assert found[0] == found[1]
    assert {"what": "cart", "value": "99.00"} in found[0]
    assert {"what": "points", "value": "500.00"} in found[0]


class Gone:
    """A socket's file whose other end is closed."""

    def write(self, _: bytes) -> int:
        """Find nobody there."""
        raise BrokenPipeError


def test_a_malformed_amount_is_set_aside_and_stops_nobody(deployed: Path, tmp_path: Path) -> None:
    """The row is in quarantine with the field's name; the cart that landed after it is decided.

    Money that is paid back is not spent, and an order that is emptied has no lines; the sale stays a visit. Who asked
    for the first build has left before it is done, and is not missed.
    """
    scene = Scene.on(deployed, tmp_path / "home", {})
    story.morning(scene)
    for name, total in (("bad", "n/a"), ("sale", 10.0), ("emptied", 10.0)):
        land_order(scene, order(name, total, story.at(17)), story.at(18, 1))
    scene.clock.set(story.at(18, 10), running=False)
    handler = object.__new__(_Handler)
    handler.wfile = Gone()  # type: ignore[assignment]
    with Builder(scene.settings) as builder:
        assert builder.build(lane="hot", on_node=handler._tell).ok
    [row] = scene.rows("select * from marts.quarantine")
    assert "finalTotal" in row["reason"]
    assert scene.rows("select order_id from marts.fct_orders order by 1") == [
        {"order_id": "emptied"},
        {"order_id": "sale"},
    ]
    assert [row["outcome"] for row in scene.rows("select * from marts.flow_decisions")] == ["enrolled"]
    assert len(scene.rows("select * from marts.fct_order_lines")) == 2

    refund = order("refund", 10.0, story.at(18, 20), originalSaleId="sale")
    land_order(scene, refund, story.at(18, 20))
    land_order(scene, order("emptied", 0.0, story.at(17), itemsInCart=[]), story.at(18, 21))
    scene.build(story.at(18, 30))
    [ann] = scene.rows(
        "select orders_count, lifetime_value from marts.customer_traits where orders_count > 0"
    )
    assert (ann["orders_count"], float(ann["lifetime_value"])) == (2, 0.0)
    lines = scene.rows("select order_id from marts.fct_order_lines order by 1")
    assert [line["order_id"] for line in lines] == ["refund", "sale"]


@pytest.mark.parametrize("status", ["draft", pytest.param("paused", marks=pytest.mark.thorough)])
def test_a_retried_moment_decides_with_its_own_statuses(status: str, deployed: Path, tmp_path: Path) -> None:
    """A flow that is activated after the crash enrolls nobody in the moment before it was active."""
    scene = Scene.on(deployed, tmp_path / "home", {"cart_abandoned_recovery": {"status": status}})
    scene.set_flows()
    scene.know("ann")
    scene.build(story.at(17))
    scene.jane_cart("cart_abandoned", "pending", story.at(18), "c1", "ann", None)
    scene.clock.set(story.at(18, 10), running=False)
    assert build_elsewhere(scene, "moment_landed") == 137
    scene.flows = {}
    scene.set_flows()
    scene.build(story.at(18, 20))
    assert scene.rows("select * from marts.flow_enrollments") == []
