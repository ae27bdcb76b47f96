"""Flowhub's data API: paths, headers and quirks as public clients describe them.

Everything is served as it was at the demo's clock; order-ahead alone writes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response, params

from perennial.clock import Clock
from sandbox.credentials import FLOWHUB_API_KEY, FLOWHUB_CLIENT_ID
from sandbox.flowhub.customer_book import CustomerBook
from sandbox.flowhub.days import BadDateError, day_range
from sandbox.flowhub.inventory import Inventory, analytics, inventory_body, room_bodies
from sandbox.flowhub.order_ahead import OrderAhead, add_order_ahead
from sandbox.flowhub.order_book import OrderBook, Page
from sandbox.flowhub.switches import FlowhubSwitches
from sandbox.flowhub.till import Till
from sandbox.json_response import Json
from sandbox.limits import Limiter
from sandbox.received import Received
from sandbox.world.ids import to_us
from sandbox.world.journey import Column
from sandbox.world.stores import STORES, Store
from sandbox.world.world import World

BIGGEST_PAGE = 1000


class FlowhubState:
    """The vendor's books over a world."""

    def __init__(self, world: World, clock: Clock, received: Received, till: Path | None = None) -> None:
        """Index the world; ``till`` is the file of the orders that are pushed."""
        self.clock = clock
        self.switches = FlowhubSwitches()
        self.customers = CustomerBook(world)
        self.inventory = Inventory(world)
        self.till = Till(self.inventory, self.customers, till)
        self.orders = OrderBook(world, self.switches, self.till)
        self.order_ahead = OrderAhead(self.till, self.switches, received, lambda: self.now)
        self.limiter = Limiter((self.switches.requests_per_second, 1))

    @property
    def now(self) -> int:
        """The demo's instant, in microseconds since 1970."""
        return to_us(self.clock.now())

    def switch(self, changes: dict[str, object]) -> None:
        """Set switches by name; an unknown one or a value it can't have is a ``msgspec.ValidationError``."""
        wanted = msgspec.convert({**msgspec.to_builtins(self.switches), **changes}, FlowhubSwitches)
        for name in wanted.__struct_fields__:
            setattr(self.switches, name, getattr(wanted, name))
        self.limiter = Limiter((self.switches.requests_per_second, 1))


def _page(request: Request) -> Page:
    values = request.query_params
    try:
        number, size = int(values.get("page", 1)), int(values.get("page_size", 100))
    except ValueError:
        raise HTTPException(422, {"errors": ["page and page_size must be integers"]}) from None
    order = values.get("order_by", "asc")
    if number < 1 or not 1 <= size <= BIGGEST_PAGE or order not in {"asc", "desc"}:
        text = f"page must be at least 1, page_size 1 to {BIGGEST_PAGE}, order_by asc or desc"
        raise HTTPException(422, {"errors": [text]})
    return Page(number, size, order == "desc")


def flowhub_app(state: FlowhubState) -> FastAPI:
    """Return the vendor's app."""

    def authorize(
        client_id: Annotated[str, Header(alias="clientId")] = "", key: Annotated[str, Header()] = ""
    ) -> None:
        if state.limiter.take():
            raise HTTPException(429)
        if client_id != FLOWHUB_CLIENT_ID or key != FLOWHUB_API_KEY:
            raise HTTPException(401, "clientId or key is missing or wrong")

    app = FastAPI(title="Flowhub (sandbox)", openapi_url=None)
    _add_errors(app)
    data = [Depends(authorize)]

    @app.get("/health")
    async def health() -> Response:
        return Response("ok", media_type="text/plain")

    @app.get("/authTest", dependencies=data)
    async def auth_test() -> Response:
        return Response("ok", media_type="text/plain")

    @app.get("/v0/clientsLocations", dependencies=data)
    async def locations() -> Response:
        return Json({"status": 200, "data": [store.body() for store in STORES]})

    _add_inventory(app, state, data)
    _add_customers(app, state, data)
    _add_orders(app, state, data)
    add_order_ahead(app, state.order_ahead)
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        del request
        if isinstance(error.detail, dict):
            return Json(error.detail, error.status_code)
        text = "" if error.status_code == 429 else str(error.detail)  # noqa: PLR2004 - a 429 has no body here
        return Response(text, error.status_code, media_type="text/plain")

    @app.exception_handler(BadDateError)
    async def bad_date(request: Request, error: BadDateError) -> Response:
        del request
        return Response(str(error), 404, media_type="text/plain")


_INVENTORY = (
    "inventory",
    "inventoryNonZero",
    "inventoryByRooms",
    "inventoryByRoomsNonZero",
    "inventoryAnalytics",
    "inventoryAnalyticsByRooms",
)


def _add_inventory(app: FastAPI, state: FlowhubState, data: Sequence[params.Depends]) -> None:
    def add(name: str) -> None:
        async def everywhere() -> Response:
            return _shelves(state, None, name)

        async def at_location(location_id: str) -> Response:
            return _shelves(state, _store(location_id, by="location_id").index, name)

        app.add_api_route(f"/v0/{name}", everywhere, dependencies=data)
        spellings = {name}
        if "Analytics" in name:
            spellings |= {name[0].upper() + name[1:], name.removeprefix("inventory")}
        for spelling in sorted(spellings):
            app.add_api_route(f"/v0/locations/{{location_id}}/{spelling}", at_location, dependencies=data)

    for name in _INVENTORY:
        add(name)


def _shelves(state: FlowhubState, store: int | None, name: str) -> Response:
    kind = name.lower()
    if "byrooms" in kind and state.switches.by_rooms_forbidden:
        raise HTTPException(403, "rooms are not enabled for this credential")
    stock = state.inventory.stock(state.now, store)
    if "byrooms" in kind:
        bodies = [body for one in stock for body in room_bodies(one)]
    else:
        bodies = [inventory_body(one) for one in stock]
    if kind.endswith("nonzero"):
        bodies = [body for body in bodies if body["quantity"]]
    if "analytics" in kind:
        bodies = [analytics(body) for body in bodies]
    return Json({"status": 200, "data": bodies})


def _add_customers(app: FastAPI, state: FlowhubState, data: Sequence[params.Depends]) -> None:
    def bodies(places: Column, now: int) -> list[dict[str, object]]:
        updated, points = state.customers.updated(now), state.customers.points(now)
        return [
            state.customers.body(place, now, int(updated[place]), int(points[place]))
            for place in places.tolist()
        ]

    @app.get("/v1/customers/", dependencies=data)
    async def customers(request: Request) -> Response:
        values, zone, now = request.query_params, state.switches.date_filter, state.now
        created = day_range("created", values.get("created_after"), values.get("created_before"), zone)
        updated = day_range("updated", values.get("updated_after"), values.get("updated_before"), zone)
        page = _page(request)
        found = bodies(page.cut(state.customers.select(created, updated, now)), now)
        return Json(found if state.switches.customers_envelope == "array" else {"status": 200, "data": found})

    @app.get("/v1/customers/findByPhoneNumber", dependencies=data)
    async def by_phone(phone_number: str) -> Response:
        now = state.now
        place = state.customers.find_phone(phone_number, now)
        if place is None:
            raise HTTPException(404, "customer not found")
        return Json(bodies(place, now)[0])

    @app.get("/v1/customers/{customer_id}", dependencies=data)
    async def customer(customer_id: str) -> Response:
        now = state.now
        place = state.customers.find(customer_id, now)
        if place is None:
            raise HTTPException(404, "customer not found")
        return Json(bodies(place, now)[0])


def _add_orders(app: FastAPI, state: FlowhubState, data: Sequence[params.Depends]) -> None:
    def answer(request: Request, places: Column, now: int) -> Response:
        overlap = 1 if state.switches.pages_overlap else 0
        written = state.orders.write(_page(request).cut(places, overlap), now)
        return Json({"total": len(places), "orders": written})

    def created(request: Request) -> tuple[int, int]:
        values = request.query_params
        return day_range(
            "created", values.get("created_after"), values.get("created_before"), state.switches.date_filter
        )

    @app.get("/v1/orders/findByLocationId/{import_id}", dependencies=data)
    async def by_location(import_id: str, request: Request) -> Response:
        now = state.now
        store = _store(import_id, by="import_id")
        return answer(request, state.orders.at_store(store.index, created(request), now), now)

    @app.get("/v1/orders/findByCustomerId/{customer_id}", dependencies=data)
    async def by_customer(customer_id: str, request: Request) -> Response:
        now = state.now
        return answer(request, state.orders.of_customer(customer_id, created(request), now), now)


def _store(identity: str, by: str) -> Store:
    for store in STORES:
        if getattr(store, by) == identity:
            return store
    raise HTTPException(404, "location not found")
