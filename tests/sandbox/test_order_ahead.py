"""Orders that are pushed into the till: a token first, then stock is reserved at once."""

from typing import Any

import httpx
import pytest

from sandbox.credentials import (
    FLOWHUB_API_KEY,
    FLOWHUB_CLIENT_ID,
    FLOWHUB_ORDER_AHEAD_CLIENT_ID,
    FLOWHUB_ORDER_AHEAD_TOKEN,
)
from tests.sandbox.running import Running

CREATE = "/flowhub/order-ahead/v0/create"
DATA = {"clientId": FLOWHUB_CLIENT_ID, "key": FLOWHUB_API_KEY}
KEYS = {
    "client_id": FLOWHUB_ORDER_AHEAD_CLIENT_ID,
    "client_secret": FLOWHUB_ORDER_AHEAD_TOKEN,
    "grant_type": "client_credentials",
    "audience": "order-ahead",
}


def _shelf(client: httpx.Client, product: str | None = None) -> dict[str, Any]:
    """Return an item of the inventory: the named one, or one with enough on it."""
    items = client.get("/flowhub/v0/inventory", headers=DATA).json()["data"]
    return next(
        item for item in items if (item["productId"] == product if product else item["quantity"] >= 10)
    )


def _order(product: str, **changes: Any) -> dict[str, Any]:
    person = {
        "firstName": "Dana",
        "lastName": "Reyes",
        "birthDate": "1990-05-15",
        "externalId": "x1",
        "medRecOrBoth": "rec",
        "phone": "+13035550142",
    }
    return {
        "externalCreatedAt": "2017-06-10T16:00:00Z",
        "customer": person | changes.pop("customer", {}),
        "orderItems": [{"productId": product, "quantityPurchased": 2}],
        **changes,
    }


def _bearer(client: httpx.Client) -> dict[str, str]:
    token = client.post("/flowhub/oauth/token", json=KEYS).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_an_order_reserves_stock_and_lives_in_the_till(sandbox: Running) -> None:
    """It is pending among the orders, then sold; deleted, its stock is for sale again; twice is two orders."""
    with sandbox.client() as client:
        bearer = _bearer(client)
        shelf = _shelf(client)
        product, location = shelf["productId"], shelf["locationId"]
        pushed = _order(product, fees=[{"name": "Delivery", "amount": 500}])
        first, second = (client.post(CREATE, json=pushed, headers=bearer).json() for _ in range(2))
        assert first["status"] == "new"
        assert first["orderId"] != second["orderId"]
        assert _shelf(client, product)["quantity"] == shelf["quantity"] - 4

        path = f"/flowhub/v1/orders/findByLocationId/{location}"
        today: dict[str, str | int] = {
            "created_after": "2017-06-10",
            "created_before": "2017-06-10",
            "page_size": 1000,
        }
        orders = {one["id"]: one for one in client.get(path, params=today, headers=DATA).json()["orders"]}
        order = orders[first["orderId"]]
        assert (order["orderStatus"], order["completedOn"]) == ("pending", None)
        assert order["itemsInCart"][0]["productId"] == product
        assert order["totals"]["totalFees"] == 5.0

        assert sandbox.control("POST", f"/till/{first['orderId']}", {"status": "sold"}).is_success
        status = client.get(f"/flowhub/order-ahead/v0/orderStatus/{first['orderId']}", headers=bearer)
        assert status.json()["status"] == "sold"
        deleted = client.patch(
            f"/flowhub/orders/{second['orderId']}", json={"status": "deleted"}, headers=bearer
        )
        assert deleted.is_success
        orders = {one["id"]: one for one in client.get(path, params=today, headers=DATA).json()["orders"]}
        assert [orders[one["orderId"]]["orderStatus"] for one in (first, second)] == ["sold", "cancelled"]
        assert _shelf(client, product)["quantity"] == shelf["quantity"] - 2
        received = sandbox.control("GET", "/received/flowhub?outcome=accepted").json()["calls"]
        assert [call["event_name"] for call in received] == [first["orderId"], second["orderId"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customer": {"phone": None}}, "medId or phone is required"),
        ({"customer": {"medRecOrBoth": "other"}}, "medRecOrBoth"),
        ({"customer": {"firstName": None}}, "firstName"),
        ({"orderItems": []}, "must not be empty"),
        ({"orderItems": [{"productId": 7, "quantityPurchased": 1}]}, "unknown product"),
        ({"orderType": "delivery"}, "address: is required"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_an_incomplete_order_is_refused(sandbox: Running, change: dict[str, Any], said: str) -> None:
    """With the place and no value."""
    with sandbox.client() as client:
        product = _shelf(client)["productId"]
        answer = client.post(CREATE, json=_order(product, **change), headers=_bearer(client))
    assert answer.status_code == 422
    assert said in answer.json()["errors"][0]


def test_no_token_no_order(sandbox: Running) -> None:
    """Nor for a wrong secret."""
    with sandbox.client() as client:
        assert client.post("/flowhub/oauth/token", json=KEYS | {"client_secret": "x"}).status_code == 401
        assert client.post(CREATE, json=_order("p")).status_code == 401
