"""Tells in seconds which of Flowhub's settings work, which do not, and what to do about it.

Reads a little with each credential and writes nothing, neither here nor there.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence

from extractors.checked import CheckResult
from extractors.flowhub.client import FlowhubClient, flowhub_client, order_ahead_client
from extractors.flowhub.errors import ACCESS_FORM, AccessRefusedError, NotFoundError
from extractors.flowhub.order_ahead import STATUS_PATH
from extractors.flowhub.pages import read_list, read_orders
from extractors.flowhub.pulls import CUSTOMERS_PATH, orders_path
from extractors.flowhub.records import Item, Location, location_of
from extractors.flowhub.snapshots import (
    BY_ROOMS_PATH,
    FORBIDDEN,
    LOCATIONS_PATH,
    PLAIN_PATH,
    chosen,
    read_inventory,
)
from extractors.http import Patience
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.settings import Settings

_ONE_TRY_MORE = Patience(attempts=2, in_all=5.0)
_INVENTORY_READ_SECONDS = 60.0


def check_flowhub(settings: Settings) -> list[CheckResult]:
    """Try each credential and each id of the settings; what depends on a failed one is left out."""
    if settings.flowhub_enabled is False:
        return [
            CheckResult("FLOWHUB_ENABLED", ok=True, detail="off: Flowhub is not pulled, what landed stays")
        ]
    return [*_data_api(settings), _order_ahead(settings)]


def _data_api(settings: Settings) -> Iterator[CheckResult]:
    name = "FLOWHUB_CLIENT_ID, FLOWHUB_API_KEY"
    try:
        with flowhub_client(settings, _ONE_TRY_MORE) as client:
            page = read_list(client.get(LOCATIONS_PATH), path=LOCATIONS_PATH, page=1)
            locations = [one for one in map(location_of, page.records) if one is not None]
            yield CheckResult(name, ok=True, detail=f"{client.host} accepts them; {_counted(locations)}")
            yield from _locations(settings, client, locations)
            yield from _inventory(settings, client)
    except PerennialError as error:
        yield _failed(name, error)


def _locations(
    settings: Settings, client: FlowhubClient, locations: Sequence[Location]
) -> Iterator[CheckResult]:
    name = "FLOWHUB_LOCATION_ID"
    try:
        ours = chosen(locations, settings.flowhub_location_id)
    except PerennialError as error:
        yield _failed(name, error)
        return
    which = "set" if settings.flowhub_location_id else "not set, so all are pulled"
    shown = ", ".join(f"{one.name} ({one.location_id})" for one in ours)
    yield CheckResult(name, ok=True, detail=f"{which}: {shown}")
    today = clock_of(settings).now().date().isoformat()
    for one in ours:
        path = orders_path(one)
        params: dict[str, str | int] = {
            "created_after": today,
            "created_before": today,
            "page": 1,
            "page_size": 1,
        }
        try:
            total = read_orders(client.get(path, params), path=path, page=1).total
            yield CheckResult(f"orders of {one.name}", ok=True, detail=f"readable, {total or 0} today")
        except PerennialError as error:
            yield _failed(f"orders of {one.name}", error)
    try:
        read_list(client.get(CUSTOMERS_PATH, {"page": 1, "page_size": 1}), path=CUSTOMERS_PATH, page=1)
        yield CheckResult("customers", ok=True, detail="readable")
    except PerennialError as error:
        yield _failed("customers", error)


def _inventory(settings: Settings, client: FlowhubClient) -> Iterator[CheckResult]:
    try:
        items, by_rooms = _items(client)
    except PerennialError as error:
        yield _failed("inventory", error)
        return
    yield CheckResult("inventory", ok=True, detail=f"readable, {len(items)} items")
    if not by_rooms:
        yield CheckResult(
            "FLOWHUB_ROOM_IDS",
            ok=not settings.flowhub_room_ids,
            detail="these credentials may not read rooms",
            fix=(
                f"ask for inventory by rooms at {ACCESS_FORM}, or leave it empty"
                if settings.flowhub_room_ids
                else ""
            ),
        )
    else:
        rooms = {
            one.room_id.replace("-", "").casefold(): f"{one.room_id} ({one.room_name})"
            for one in items
            if one.room_id
        }
        yield _subset("FLOWHUB_ROOM_IDS", settings.flowhub_room_ids, rooms)
    categories = {
        one.purchase_category.casefold(): one.purchase_category for one in items if one.purchase_category
    }
    yield _subset("FLOWHUB_PURCHASE_CATEGORIES", settings.flowhub_purchase_categories, categories)


def _items(client: FlowhubClient) -> tuple[list[Item], bool]:
    try:
        body = client.get(BY_ROOMS_PATH, read_seconds=_INVENTORY_READ_SECONDS)
        return read_inventory(BY_ROOMS_PATH, body), True
    except AccessRefusedError as error:
        if error.status != FORBIDDEN:
            raise
    body = client.get(PLAIN_PATH, read_seconds=_INVENTORY_READ_SECONDS)
    return read_inventory(PLAIN_PATH, body), False


def _subset(name: str, wanted: Sequence[str], there: Mapping[str, str]) -> CheckResult:
    """Tell whether the inventory has the wanted values; ``there`` says how to show each it has."""
    shown = ", ".join(sorted(there.values())) or "none"
    if not wanted:
        return CheckResult(name, ok=True, detail=f"not set, so all are taken: {shown}")
    missing = [value for value in wanted if value.casefold() not in there]
    if missing:
        detail = f"no item of the inventory has {', '.join(missing)}"
        return CheckResult(name, ok=False, detail=detail, fix=f"choose from: {shown}")
    return CheckResult(name, ok=True, detail=f"{len(wanted)} of {len(there)} are taken")


def _order_ahead(settings: Settings) -> CheckResult:
    """Get a token as the push does, and ask for an order that does not exist: a good token gets 404, a bad one 401."""
    name = "FLOWHUB_ORDER_AHEAD_CLIENT_ID, FLOWHUB_ORDER_AHEAD_TOKEN"
    there = bool(settings.flowhub_order_ahead_client_id and settings.flowhub_order_ahead_token)
    if not there and not settings.flowhub_sync_orders:
        return CheckResult(name, ok=True, detail="not set; needed only to push orders (FLOWHUB_SYNC_ORDERS)")
    if not there:
        return CheckResult(
            name,
            ok=False,
            detail="FLOWHUB_SYNC_ORDERS is on, and one of them is not set",
            fix=f"put both into .env; ask for them at {ACCESS_FORM}",
        )
    try:
        with order_ahead_client(settings, _ONE_TRY_MORE) as client:
            client.get(f"{STATUS_PATH}/{uuid.uuid4()}")
    except NotFoundError:
        pass
    except PerennialError as error:
        return _failed(name, error)
    return CheckResult(name, ok=True, detail="the token is accepted")


def _failed(name: str, error: PerennialError) -> CheckResult:
    return CheckResult(name, ok=False, detail=error.cause, fix=error.fix)


def _counted(locations: Sequence[Location]) -> str:
    return f"{len(locations)} location{'' if len(locations) == 1 else 's'}"
