"""Confirmed orders: decided once, landed with the build, restored by a rebuild; none of them counts twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scene import Scene
from tests.warehouse import counter
from tests.warehouse.shelves import item, land_shelves
from tests.warehouse.story import at
from tests.warehouse.test_crashes import build_elsewhere
from tests.warehouse.test_rebuild import marts
from warehouse.rebuild import rebuild


@pytest.fixture
def scene(deployed: Path, tmp_path: Path) -> Scene:
    """Open a store with a shelf; orders are pushed from 17:00 on."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.settings = scene.settings.model_copy(update={"flowhub_sync_orders": True})
    scene.set_flows()
    counter.land_location(scene, at(16))
    land_shelves(scene, at(16), [item(), item(lot="2", quantity=4), item("Gelato", 9)])
    scene.build(at(17))
    return scene


def landed_pushes(scene: Scene) -> dict[str, dict[str, Any]]:
    """Return the landed decisions about orders by cart."""
    rows = (json.loads(row.payload) for row in scene.log.read("perennial", "decisions"))
    return {row["cart_id"]: row for row in rows if row["kind"] == "order_push"}


def test_each_confirmed_order_is_decided_once_with_its_reason(scene: Scene) -> None:
    """What the till can take is pushed with all that it takes; the rest says why not, and shows nobody."""
    one = [("Blue Dream", 1)]
    counter.land_cart(
        scene, at(17, 1), "ok", "verification", [("Blue Dream", 5), ("Gelato", 2)], reservation_mode="delivery",
        delivery_notes="Ring twice", delivery_fee="4.50", customer_birth_date="1990-05-15", promo_code="HI",
        delivery_address={"street": "12 Elm St", "city": "Denver", "state": "CO", "zip": "80202"},
    )  # fmt: skip
    counter.land_cart(
        scene, at(17, 2), "ok", "preparing", [("Blue Dream", 5), ("Gelato", 2)], reservation_mode="delivery"
    )
    counter.land_cart(scene, at(17, 1), "waiting", "verification", one)
    counter.land_cart(scene, at(17, 1), "cart", "pending", one)
    counter.land_cart(scene, at(17, 2), "early", "preparing", one)
    counter.land_cart(scene, at(16, 30), "before", "preparing", one)
    counter.land_cart(scene, at(17, 2), "taken", "preparing", one, pos_order_id="pos-1")
    counter.land_cart(scene, at(17, 2), "gone", "preparing", one)
    counter.land_cart(scene, at(17, 3), "gone", "dismissed", one)
    counter.land_cart(scene, at(17, 2), "over", "finished", one)
    counter.land_cart(scene, at(17, 2), "empty", "preparing")
    counter.land_cart(
        scene, at(17, 2), "nobody", "preparing", one, customer_phone_number=None, reservation_mode="kiosk"
    )
    counter.land_cart(
        scene, at(17, 2), "patient", "preparing", one, customer_phone_number=None, customer_medical_id="M-1"
    )
    counter.land_cart(scene, at(17, 2), "away", "preparing", one, store_name="Elsewhere")
    counter.land_cart(scene, at(17, 2), "odd", "preparing", [("Blue Dream", 1), ("Unheard", 1)])
    scene.build(at(17, 10))
    decided = {
        row["cart_id"]: row["reason"] or row["verdict"]
        for row in scene.rows("select cart_id, verdict, reason from marts.order_pushes")
    }
    assert decided == {
        "ok": "push",
        "early": "push",
        "patient": "push",
        "before": "before_activation",
        "taken": "at_pos",
        "gone": "canceled",
        "over": "fulfilled",
        "empty": "no_lines",
        "nobody": "no_contact",
        "away": "unknown_store",
        "odd": "unknown_product",
    }
    landed = landed_pushes(scene)
    assert landed["ok"]["enrollment"]["context"] == {
        "cart_id": "ok",
        "order_id": "jane-ok",
        "externalCreatedAt": "2026-03-15T17:01:00Z",
        "customer": {
            "firstName": "Ann",
            "lastName": "Mae Reyes",
            "birthDate": "1990-05-15",
            "externalId": landed["ok"]["customer_id"],
            "email": "ann@example.com",
            "phone": "+13035550142",
            "medRecOrBoth": "rec",
        },
        # five are in the first batch only
        "orderItems": [
            {"productId": "Blue Dream-1", "quantityPurchased": 5},
            {"productId": "Gelato-1", "quantityPurchased": 2},
        ],
        "address": {"street1": "12 Elm St", "city": "Denver", "state": "CO", "zip": "80202"},
        "cartDiscountNote": "HI",
        "customerNote": "Ring twice",
        "orderType": "delivery",
        "fees": [{"name": "Delivery", "amount": 450}],
    }
    assert landed["ok"]["enrollment"]["expires_at"] == "2026-03-16T17:02:00Z"
    refused = [row for row in landed.values() if row["verdict"] == "refused"]
    assert len(refused) == 8
    assert "Reyes" not in json.dumps(refused)
    assert "example.com" not in json.dumps(refused)

    counter.land_cart(scene, at(17, 20), "nobody", "ready_for_pickup", one)
    counter.land_cart(scene, at(17, 20), "ok", "finished", one)
    scene.build(at(17, 30))
    assert landed_pushes(scene) == landed, "decided once, for ever"
    before = marts(scene)
    assert rebuild(scene.settings, at(17, 31)).ok
    assert marts(scene) == before
    scene.build(at(17, 40))
    assert landed_pushes(scene) == landed, "a rebuild pushes nothing again"


@pytest.mark.thorough
def test_the_switch_is_that_of_the_moment(scene: Scene) -> None:
    """Off refuses; on again begins with what is new; a build that was killed decides with its own switch."""
    one = [("Blue Dream", 1)]
    scene.settings = scene.settings.model_copy(update={"flowhub_sync_orders": False})
    counter.land_cart(scene, at(17, 5), "off", "preparing", one)
    scene.clock.set(at(17, 10), running=False)
    assert build_elsewhere(scene, "moment_landed") == 137  # its settings know no switch: off
    scene.settings = scene.settings.model_copy(update={"flowhub_sync_orders": True})
    counter.land_cart(scene, at(17, 20), "again", "preparing", one)
    scene.build(at(17, 25))
    counter.land_cart(scene, at(17, 30), "on", "preparing", one)
    scene.build(at(17, 35))
    reasons = {cart: row["reason"] for cart, row in landed_pushes(scene).items()}
    assert reasons == {"off": "switched_off", "again": "before_activation", "on": None}


def test_what_the_till_makes_of_it_is_the_same_order_and_the_same_person(scene: Scene) -> None:
    """The till's order replaces Jane's, and its customer is the shopper."""
    counter.land_cart(scene, at(17, 5), "c1", "preparing", [("Blue Dream", 1)])
    scene.build(at(17, 10))
    counter.land_order_receipt(scene, at(17, 11), "c1", "accepted", "pos-7")
    order = {
        "id": "pos-7", "customerId": "fh-77", "orderStatus": "pending", "voided": False, "orderType": "pickup",
        "locationId": "store", "createdAt": at(17, 11).isoformat(), "completedOn": None, "originalSaleId": "",
        "totals": {"finalTotal": 41.8, "subTotal": 41.8}, "itemsInCart": [],
    }  # fmt: skip
    scene.land("flowhub", "orders", at(17, 12), order, "pos-7:1")
    scene.build(at(17, 13))
    assert [row["order_id"] for row in scene.rows("select order_id from marts.fct_orders")] == ["pos-7"]
    [person] = scene.rows(
        "select distinct customer_id from marts.fct_orders union "
        "select customer_id from marts.customer_identifiers where identifier_value = 'ann@example.com'"
    )
    assert person["customer_id"] is not None
    [push] = scene.rows("select status, pos_order_id, accepted_at from marts.order_pushes")
    assert (push["status"], push["pos_order_id"]) == ("accepted", "pos-7")
