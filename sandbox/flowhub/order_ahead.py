"""Flowhub's order-ahead: a token, then orders that are pushed into the till and asked about.

Every call of ``create`` is kept with its outcome. The same order twice is two orders.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response, params

from sandbox.credentials import FLOWHUB_ORDER_AHEAD_CLIENT_ID, FLOWHUB_ORDER_AHEAD_TOKEN
from sandbox.flowhub.switches import FlowhubSwitches
from sandbox.flowhub.till import Line, Till
from sandbox.flowhub.till_order import STATUSES, TillOrder
from sandbox.json_response import Json
from sandbox.received import Call, Received

TOKEN_SECONDS = 86_400
CREATE = "/order-ahead/v0/create"


class PushedCustomer(msgspec.Struct, rename="camel"):
    """Who ordered: a medical id or a phone is needed."""

    first_name: str
    last_name: str
    external_id: str
    med_rec_or_both: Literal["med", "rec", "both"]
    birth_date: str | None = None
    email: str | None = None
    phone: str | None = None
    med_id: str | None = None


class PushedItem(msgspec.Struct, rename="camel"):
    """A line; the vendor's description has the product's id as a number."""

    product_id: int | str
    quantity_purchased: int
    discount_note: str = ""


class Fee(msgspec.Struct):
    """A fee, in cents."""

    name: str
    amount: int


class PushedAddress(msgspec.Struct):
    """Where a delivery goes."""

    street1: str
    city: str
    state: str
    zip: str
    street2: str | None = None


class PushedOrder(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body of ``create``."""

    external_created_at: str
    customer: PushedCustomer
    order_items: list[PushedItem]
    address: PushedAddress | None = None
    customer_id: str | None = None
    cart_discount_note: str = ""
    customer_note: str = ""
    order_type: Literal["delivery", "pickup", "kiosk"] = "pickup"
    requested_fulfillment_time_start: str | None = None
    requested_fulfillment_time_end: str | None = None
    postback_url: str | None = None
    fees: list[Fee] = []
    loyalty_points_in_pennies: int | None = None


class OrderAhead:
    """Tokens, and the way into the till."""

    def __init__(
        self, till: Till, switches: FlowhubSwitches, received: Received, now: Callable[[], int]
    ) -> None:
        """Start without any token."""
        self.till = till
        self.tokens: set[str] = set()
        self.now = now
        self._switches, self._received = switches, received

    def create(self, raw: bytes) -> tuple[dict[str, Any], int]:
        """Take an order, or say what is wrong with it; return the answer and its status."""
        answer: dict[str, Any]
        try:
            answer, status, said = {**self._order(raw).answer()}, 200, ""
        except (msgspec.DecodeError, ValueError) as error:
            said = str(error)
            answer, status = {"errors": [said]}, 422
        outcome = "rejected" if said else "accepted"
        name = str(answer.get("orderId", ""))
        self._received.keep(
            "flowhub", Call("POST", CREATE, status, outcome, said, name, raw.decode(errors="replace"))
        )
        return answer, status

    def refuse(self, raw: bytes) -> None:
        """Keep a call without a right token."""
        self._received.keep(
            "flowhub", Call("POST", CREATE, 401, "unauthorized", "", "", raw.decode(errors="replace"))
        )

    def _order(self, raw: bytes) -> TillOrder:
        pushed = msgspec.json.decode(raw, type=PushedOrder)
        customer = pushed.customer
        if not customer.phone and not customer.med_id:
            raise ValueError("customer: medId or phone is required")
        if self._switches.birth_date_required and not customer.birth_date:
            raise ValueError("customer.birthDate: is required")
        if not pushed.order_items:
            raise ValueError("orderItems: must not be empty")
        if pushed.order_type == "delivery" and pushed.address is None:
            raise ValueError("address: is required for a delivery")
        now = self.now()
        order = TillOrder(
            order_id="",
            external_id=customer.external_id,
            store=-1,
            kind=pushed.order_type,
            created=now,
            account=self.till.customer_of(customer.phone, now),
            lines=[],
            fees=sum(fee.amount for fee in pushed.fees),
            note=pushed.customer_note,
        )
        lines = [Line(str(item.product_id), item.quantity_purchased) for item in pushed.order_items]
        return self.till.take(order, lines)


def add_order_ahead(app: FastAPI, state: OrderAhead) -> None:
    """Add the routes."""

    def bearer(authorization: Annotated[str, Header()] = "") -> None:
        if not _is_known(state, authorization):
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


def _is_known(state: OrderAhead, authorization: str) -> bool:
    return authorization.removeprefix("Bearer ") in state.tokens


def _add_orders(app: FastAPI, state: OrderAhead, allowed: Sequence[params.Depends]) -> None:
    def order(order_id: str) -> TillOrder:
        found = state.till.find(order_id)
        if found is None:
            raise HTTPException(404, "order not found")
        return found

    @app.post(CREATE)
    async def create(request: Request) -> Response:
        raw = await request.body()
        if not _is_known(state, request.headers.get("authorization", "")):
            state.refuse(raw)
            raise HTTPException(401, "the access token is missing or unknown")
        return Json(*state.create(raw))

    @app.get("/order-ahead/v0/orderStatus/{order_id}", dependencies=allowed)
    async def status(order_id: str) -> Response:
        return Json(order(order_id).answer())

    @app.patch("/orders/{order_id}", dependencies=allowed)
    async def patch(order_id: str, request: Request) -> Response:
        found = order(order_id)
        wanted = msgspec.json.decode(await request.body(), type=dict[str, Any]).get("status", found.status)
        if wanted not in STATUSES:
            raise HTTPException(422, {"errors": [f"status: must be one of {', '.join(STATUSES)}"]})
        state.till.move(found, wanted, state.now())
        return Json(found.answer())
