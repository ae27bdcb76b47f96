"""Orders that are pushed: a token first, then a medical id or a phone."""

from typing import Any

import pytest

from sandbox.credentials import FLOWHUB_ORDER_AHEAD_CLIENT_ID, FLOWHUB_ORDER_AHEAD_TOKEN
from tests.sandbox.running import Running

CREATE = "/flowhub/order-ahead/v0/create"
KEYS = {
    "client_id": FLOWHUB_ORDER_AHEAD_CLIENT_ID,
    "client_secret": FLOWHUB_ORDER_AHEAD_TOKEN,
    "grant_type": "client_credentials",
    "audience": "order-ahead",
}


def _order(**customer: object) -> dict[str, Any]:
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
        "customer": person | customer,
        "orderItems": [{"productId": 7, "quantityPurchased": 1}],
    }


def test_an_order_is_pushed_once_and_followed(sandbox: Running) -> None:
    """The same order again is not a second one."""
    with sandbox.client() as client:
        token = client.post("/flowhub/oauth/token", json=KEYS).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        first, second = (client.post(CREATE, json=_order()).json() for _ in range(2))
        assert first == second
        assert first["status"] == "new"
        path = first["orderId"]
        assert client.patch(f"/flowhub/orders/{path}", json={"status": "ready"}).status_code == 200
        assert client.get(f"/flowhub/order-ahead/v0/orderStatus/{path}").json()["status"] == "ready"
        assert client.patch(f"/flowhub/orders/{path}", json={"status": "eaten"}).status_code == 422


@pytest.mark.parametrize("change", [{"phone": None}, {"medRecOrBoth": "other"}, {"firstName": None}])
def test_an_incomplete_order_is_refused(sandbox: Running, change: dict[str, object]) -> None:
    """Flowhub wants a phone or a medical id."""
    with sandbox.client() as client:
        token = client.post("/flowhub/oauth/token", json=KEYS).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.post(CREATE, json=_order(**change), headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_no_token_no_order(sandbox: Running) -> None:
    """Nor for a wrong secret."""
    with sandbox.client() as client:
        assert client.post("/flowhub/oauth/token", json=KEYS | {"client_secret": "x"}).status_code == 401
        assert client.post(CREATE, json=_order()).status_code == 401
