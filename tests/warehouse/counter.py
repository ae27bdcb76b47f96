"""E-commerce orders as Jane tells of them, and the till's word about them."""

import hashlib
import json
from datetime import datetime
from typing import Any

from extractors.landing.operations import land_operation
from tests.scene import STORE_TIME, Scene, stable_number

Line = tuple[str, int]


def land_location(scene: Scene, at: datetime, store: str = "store", name: str = "Denver") -> None:
    """Land a location of Flowhub."""
    body = {"locationId": store, "importId": store, "locationName": name, "timeZone": "US/Mountain"}
    scene.land("flowhub", "locations", at, body, f"{store}:{'0' * 16}")


def land_cart(
    scene: Scene, at: datetime, cart: str, status: str, lines: list[Line] | None = None, **changes: Any
) -> None:
    """Land a delivery of a cart's status; lines are (product, units)."""
    products = [
        {
            "product_id": stable_number(name),
            "product_name": f"{name} - Eighth",
            "brand": "High Mesa",
            "count": units,
            "checkout_price": "35.00",
            "discounted_checkout_price": "31.50",
        }
        for name, units in lines or []
    ]
    body = {"cart": {
        "id": cart, "uuid": cart, "status": status, "amount": 41.8, "created_at": at.strftime(STORE_TIME),
        "checked_out_time": at.strftime(STORE_TIME), "customer_name": "Ann Mae Reyes",
        "customer_email_address": "ann@example.com", "customer_phone_number": "+13035550142",
        "user_id": None, "external_user_id": None, "store_id": 68, "store_name": "denver",
        "reservation_mode": "pickup", "pos_order_id": None, "products": products or None, **changes,
    }}  # fmt: skip
    key = hashlib.sha256(f"{at.isoformat()}{json.dumps(body)}".encode()).hexdigest()
    scene.land(
        "jane",
        "cart_status",
        at,
        body,
        f"{key}:cart_status",
        **{"X-Jane-Request-Timestamp": str(int(at.timestamp()))},
    )


def land_order_receipt(scene: Scene, at: datetime, cart: str, status: str, pos_order_id: str | None) -> None:
    """Land what became of the push of a cart's order."""
    push_id = hashlib.md5(f"order_push|{cart}".encode(), usedforsecurity=False).hexdigest()
    body = {
        "receipt_no": scene.batches + 1, "enrollment_id": push_id, "destination": "flowhub", "status": status,
        "attempts": 1, "accepted_at": at.isoformat() if status == "accepted" else None, "error": None,
        "at": at.isoformat(), "cart_id": cart, "reference": pos_order_id,
    }  # fmt: skip
    scene.land("perennial", "order_receipts", at, body, str(body["receipt_no"]))


def operate(scene: Scene, at: datetime, operation: str, cart: str) -> None:
    """Land what an operator did to an order's stock."""
    scene.clock.set(at, running=False)
    land_operation(scene.log, scene.clock, operation, {"cart_id": cart}, by="test")


def levels(scene: Scene) -> dict[str, tuple[float, float, float]]:
    """Return on hand, on hold and available by product, over the rooms."""
    rows = scene.rows(
        "select products.product_name, sum(on_hand) as hand, sum(on_hold) as hold, sum(available) as free "
        "from marts.fct_inventory_levels join marts.dim_products as products using (product_id) group by all"
    )
    return {
        row["product_name"].removesuffix(" - Eighth"): (
            float(row["hand"]),
            float(row["hold"]),
            float(row["free"]),
        )
        for row in rows
    }


def holds(scene: Scene) -> dict[str, tuple[str, str | None]]:
    """Return the state of each order's hold, and what ended it."""
    rows = scene.rows("select cart_id, hold_state, released_by from marts.order_holds order by all")
    return {row["cart_id"]: (row["hold_state"], row["released_by"]) for row in rows}
