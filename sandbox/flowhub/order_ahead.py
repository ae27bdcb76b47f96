"""Flowhub's order-ahead: a token, then orders that are pushed and asked about.

Pushed orders live as long as the process; they are no sales until the till sells them.
"""

import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response, params

from sandbox.credentials import FLOWHUB_ORDER_AHEAD_CLIENT_ID, FLOWHUB_ORDER_AHEAD_TOKEN
from sandbox.json_response import Json
from sandbox.world.ids import uid

TOKEN_SECONDS = 86_400
STATUSES = (
    "new",
    "started",
    "ready",
    "inQueue",
    "inTransit",
    "delivered",
    "unableToComplete",
    "unableToVerify",
    "deleted",
    "sold",
)


class PushedCustomer(msgspec.Struct, rename="camel"):
    """Who ordered: a medical id or a phone is needed."""

    first_name: str
    last_name: str
    birth_date: str
    external_id: str
    med_rec_or_both: Literal["med", "rec", "both"]
    email: str | None = None
    phone: str | None = None
    med_id: str | None = None


class PushedItem(msgspec.Struct, rename="camel"):
    """A line; the vendor's description has the product's id as a number."""

    product_id: int | str
    quantity_purchased: int
    discount_note: str = ""


class PushedOrder(msgspec.Struct, rename="camel"):
    """The body of ``create``, as far as it is checked."""

    external_created_at: str
    customer: PushedCustomer
    order_items: list[PushedItem]


class OrderAhead:
    """Tokens and pushed orders."""

    def __init__(self) -> None:
        """Start without any."""
        self.tokens: set[str] = set()
        self.orders: dict[str, dict[str, str]] = {}

    def create(self, order: PushedOrder) -> dict[str, str]:
        """Take an order; the same customer and time is the same order."""
        customer = order.customer
        if not customer.phone and not customer.med_id:
            raise HTTPException(422, {"errors": ["customer: medId or phone is required"]})
        if not order.order_items:
            raise HTTPException(422, {"errors": ["orderItems: must not be empty"]})
        identity = uid("order ahead", customer.external_id, order.external_created_at)
        return self.orders.setdefault(
            identity, {"customerExternalId": customer.external_id, "orderId": identity, "status": "new"}
        )


def add_order_ahead(app: FastAPI, state: OrderAhead) -> None:
    """Add the routes."""

    def bearer(authorization: Annotated[str, Header()] = "") -> None:
        if authorization.removeprefix("Bearer ") not in state.tokens:
            raise HTTPException(401, "the access token is missing or unknown")

    @app.post("/oauth/token")
    async def token(request: Request) -> Response:
        body: dict[str, Any] = msgspec.json.decode(await request.body(), type=dict[str, Any])
        given = body.get("client_id"), body.get("client_secret"), body.get("grant_type")
        if given != (FLOWHUB_ORDER_AHEAD_CLIENT_ID, FLOWHUB_ORDER_AHEAD_TOKEN, "client_credentials"):
            raise HTTPException(401, "client_id, client_secret or grant_type is wrong")
        fresh = secrets.token_urlsafe(24)
        state.tokens.add(fresh)
        answer = {
            "access_token": fresh,
            "scope": "orders",
            "expires_in": TOKEN_SECONDS,
            "token_type": "Bearer",
        }
        return Json(answer)

    _add_orders(app, state, [Depends(bearer)])


def _add_orders(app: FastAPI, state: OrderAhead, allowed: Sequence[params.Depends]) -> None:
    def order(order_id: str) -> dict[str, str]:
        if order_id not in state.orders:
            raise HTTPException(404, "order not found")
        return state.orders[order_id]

    @app.post("/order-ahead/v0/create", dependencies=allowed)
    async def create(request: Request) -> Response:
        try:
            pushed = msgspec.json.decode(await request.body(), type=PushedOrder)
        except msgspec.DecodeError as error:
            raise HTTPException(422, {"errors": [str(error)]}) from None
        return Json(state.create(pushed))

    @app.get("/order-ahead/v0/orderStatus/{order_id}", dependencies=allowed)
    async def status(order_id: str) -> Response:
        return Json(order(order_id))

    @app.patch("/orders/{order_id}", dependencies=allowed)
    async def patch(order_id: str, request: Request) -> Response:
        found = order(order_id)
        wanted = msgspec.json.decode(await request.body(), type=dict[str, Any]).get("status", found["status"])
        if wanted not in STATUSES:
            raise HTTPException(422, {"errors": [f"status: must be one of {', '.join(STATUSES)}"]})
        found["status"] = wanted
        return Json(found)
