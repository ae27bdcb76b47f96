"""An anonymous device and a nameless cart become a person's: her events from before are hers, and the fact is dated."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scene import STORE_TIME, Scene, stable_number
from tests.warehouse.story import at
from warehouse.rebuild import rebuild


def nameless_cart(scene: Scene, cart: str, moment: datetime, **told: Any) -> None:
    """Land a delivery of a Jane cart of somebody who has not said who she is."""
    body = {"cart": {
        "id": stable_number(cart), "uuid": cart, "status": "pending", "amount": 30.0,
        "created_at": at(17).strftime(STORE_TIME), "checked_out_time": None, "customer_name": None,
        "customer_email_address": None, "customer_phone_number": None, "user_id": None, "external_user_id": None,
        "store_id": 68, "store_name": "denver", "reservation_mode": "pickup", "pos_order_id": None, **told,
    }}  # fmt: skip
    signed_at = {"X-Jane-Request-Timestamp": str(int(moment.timestamp()))}
    scene.land("jane", "cart_status", moment, body, f"{cart} {moment.isoformat()}", **signed_at)


def who_left_carts(scene: Scene) -> dict[str, str | None]:
    """Return whose each cart's events are."""
    rows = scene.rows(
        "select distinct object_id, customer_id from marts.fct_events where event_name like 'cart%' order by 1"
    )
    assert len({row["object_id"] for row in rows}) == len(rows), "the events of a cart are one person's"
    return {row["object_id"]: row["customer_id"] for row in rows}


def identifications(scene: Scene) -> list[tuple[Any, ...]]:
    """Return which anonymous records are whose, and since when."""
    return [tuple(row.values()) for row in scene.rows("select * from marts.identifications order by node")]


@pytest.mark.slow
def test_earlier_events_are_hers_and_the_date_stands(deployed: Path, tmp_path: Path) -> None:
    """A view and carts of nobody become Ann's; a later tie changes no date, and neither does a rebuild."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    scene.know("ann")
    scene.partner_event("product_viewed", at(17, 30), {"device_id": "d1"}, {"product_id": "p1"})
    scene.partner_event("cart_updated", at(17, 35), {"device_id": "d1"}, {"cart_id": "on the device"})
    nameless_cart(scene, "nameless", at(17, 40))
    scene.build(at(18))
    viewed = "select customer_id from marts.fct_events where event_name = 'product_viewed'"
    cart = str(stable_number("nameless"))
    before = who_left_carts(scene)
    [ann] = [row["customer_id"] for row in scene.rows("select customer_id from marts.dim_customers")]
    assert set(before) == {"on the device", cart}
    assert set(before.values()) == {None}
    assert scene.rows(viewed) == [{"customer_id": None}]
    assert identifications(scene) == []

    signed_in = {"email": scene.email("ann"), "device_id": "d1"}
    scene.partner_event("customer_updated", at(18, 5), signed_in, {})
    nameless_cart(scene, "nameless", at(18, 6), user_id=77, customer_email_address=scene.email("ann"))
    scene.build(at(18, 10))
    found = identifications(scene)
    assert who_left_carts(scene) == {"on the device": ann, cart: ann}
    assert scene.rows(viewed) == [{"customer_id": ann}]
    contact = f"partner_contact:{scene.email('ann')}"
    assert found == [
        ("device:d1", ann, at(18, 5).replace(tzinfo=None), "device_id", contact),
        (f"jane_cart:{cart}", ann, at(18, 6).replace(tzinfo=None), "jane_cart", "jane_user:77"),
    ]

    scene.partner_event("customer_updated", at(18, 15), {**signed_in, "customer_id": "c-1"}, {})
    scene.build(at(18, 20))
    assert identifications(scene) == found

    assert rebuild(scene.settings, at(18, 21)).ok
    assert identifications(scene) == found
    assert who_left_carts(scene) == {"on the device": ann, cart: ann}
