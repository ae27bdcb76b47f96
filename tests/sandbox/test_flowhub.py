"""Flowhub's side: headers, paging, dates, quirks, and time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.credentials import FLOWHUB_API_KEY, FLOWHUB_CLIENT_ID
from sandbox.world.spec import STORE_ZONE
from tests.sandbox.running import Running

KEYS = {"clientId": FLOWHUB_CLIENT_ID, "key": FLOWHUB_API_KEY}


@pytest.fixture
def flowhub(sandbox: Running) -> Iterator[httpx.Client]:
    """Return a client with the right keys."""
    with sandbox.client(**KEYS) as client:
        yield client


def _locations(flowhub: httpx.Client) -> list[dict[str, str]]:
    data: list[dict[str, str]] = flowhub.get("/flowhub/v0/clientsLocations").json()["data"]
    return data


def _orders(flowhub: httpx.Client, **params: str | int) -> list[dict[str, object]]:
    """Return all orders of all locations, page by page."""
    found: list[dict[str, object]] = []
    for location in _locations(flowhub):
        page = 1
        while True:
            path = f"/flowhub/v1/orders/findByLocationId/{location['importId']}"
            answer = (
                flowhub.get(path, params={**params, "page": page, "page_size": 50}).raise_for_status().json()
            )
            found += answer["orders"]
            if len(answer["orders"]) < 50:
                break
            page += 1
    return found


@pytest.mark.parametrize("keys", [{}, {**KEYS, "key": "wrong"}, {**KEYS, "clientId": "wrong"}])
def test_wrong_keys_are_refused(sandbox: Running, keys: dict[str, str]) -> None:
    """Both headers are needed, by any case of their names."""
    with sandbox.client(**keys) as client:
        assert client.get("/flowhub/v0/clientsLocations").status_code == 401
    with sandbox.client(CLIENTID=FLOWHUB_CLIENT_ID, Key=FLOWHUB_API_KEY) as client:
        assert client.get("/flowhub/v0/clientsLocations").status_code == 200


def test_orders_are_found_by_import_id(flowhub: httpx.Client) -> None:
    """One location's differs from its id."""
    odd = [one for one in _locations(flowhub) if one["importId"] != one["locationId"]]
    assert len(odd) == 1
    path = "/flowhub/v1/orders/findByLocationId/"
    assert flowhub.get(path + odd[0]["locationId"]).status_code == 404
    answer = flowhub.get(path + odd[0]["importId"], params={"page_size": 1}).json()
    assert answer["total"] > len(answer["orders"]) == 1


def test_pages_cover_every_order_once(flowhub: httpx.Client) -> None:
    """Pages of any direction hold the same orders."""
    there = [order["id"] for order in _orders(flowhub, order_by="asc")]
    back = [order["id"] for order in _orders(flowhub, order_by="desc")]
    assert len(there) == len(set(there)) > 100
    assert set(there) == set(back)


def test_pages_may_overlap(sandbox: Running, flowhub: httpx.Client) -> None:
    """The last order of a page comes again on the next; none is left out by who reads to the end."""
    there = [order["id"] for order in _orders(flowhub)]
    sandbox.control("POST", "/flowhub", {"pages_overlap": True})
    again = [order["id"] for order in _orders(flowhub)]
    assert len(again) > len(there)
    assert set(again) == set(there)


def test_an_order_adds_up(flowhub: httpx.Client) -> None:
    """Totals are the sums of the lines, in dollars; keys are in camel case."""
    for order in _orders(flowhub):
        lines, totals = order["itemsInCart"], order["totals"]
        assert isinstance(lines, list)
        assert isinstance(totals, dict)
        assert set(totals) == {"finalTotal", "subTotal", "totalDiscounts", "totalFees", "totalTaxes"}
        assert sum(line["totalPrice"] for line in lines) == pytest.approx(totals["subTotal"])
        assert sum(line["totalDiscounts"] for line in lines) == pytest.approx(totals["totalDiscounts"])
        tax = sum(one["thisTaxInPennies"] for line in lines for one in line["tax"])
        assert tax == pytest.approx(totals["totalTaxes"] * 100)
        due = totals["subTotal"] - totals["totalDiscounts"] + totals["totalTaxes"]
        assert totals["finalTotal"] == pytest.approx(due)


def test_the_mess_of_real_orders_is_there(flowhub: httpx.Client) -> None:
    """Guests without a customer, missing budtenders, lower-case states."""
    orders = _orders(flowhub)
    assert any(order["customerId"] is None for order in orders)
    assert any("budtender" not in order for order in orders)
    assert {order["orderStatus"] for order in orders} <= {"sold", "cancelled", "pending"}
    assert any(order["orderType"] != "walk-in" for order in orders)


def test_dates_must_be_days(flowhub: httpx.Client) -> None:
    """An ISO instant gets the text that the real API gives."""
    path = f"/flowhub/v1/orders/findByLocationId/{_locations(flowhub)[0]['importId']}"
    answer = flowhub.get(path, params={"created_after": "2017-06-01T00:00:00Z"})
    assert answer.status_code == 404
    assert "must be in format yyyy-mm-dd" in answer.text


@pytest.mark.parametrize("zone", ["store_local", "utc"])
def test_a_day_is_the_stores_or_utc(sandbox: Running, flowhub: httpx.Client, zone: str) -> None:
    """Both ends are included; which midnight counts is a switch."""
    sandbox.control("POST", "/flowhub", {"date_filter": zone})
    days = {
        datetime.fromisoformat(str(order["createdAt"])).astimezone(STORE_ZONE).date().isoformat()
        for order in _orders(flowhub, created_after="2017-06-03", created_before="2017-06-04")
    }
    assert {"2017-06-03", "2017-06-04"} <= days
    assert (days == {"2017-06-03", "2017-06-04"}) == (zone == "store_local")


def test_nothing_of_the_future_is_served(sandbox: Running, flowhub: httpx.Client) -> None:
    """Orders appear, are sold, and are voided as the clock goes on."""
    before = {order["id"]: order for order in _orders(flowhub)}
    sandbox.control("POST", "/clock", {"advance_minutes": 8 * 60})
    after = {order["id"]: order for order in _orders(flowhub)}
    assert set(before) < set(after)
    now = (sandbox.spec.window_start + timedelta(hours=8)).isoformat()
    assert all(str(order["createdAt"]) <= now for order in after.values())
    sandbox.control("POST", "/clock", {"instant": sandbox.spec.horizon.isoformat()})
    last = {order["id"]: order for order in _orders(flowhub)}
    late_voids = [one for one in before if last[one]["voided"] and not before[one]["voided"]]
    assert all(last[one]["orderStatus"] == "sold" for one in late_voids)
    # The same order reads the same until something happens to it.
    assert sum(last[one] == before[one] for one in before) > 0.9 * len(before)


def test_switches_change_what_is_unclear_about_the_api(sandbox: Running, flowhub: httpx.Client) -> None:
    """Cents, Pascal case, a bare array, forbidden rooms."""
    wanted = {
        "order_amount_unit": "cents",
        "totals_case": "pascal",
        "customers_envelope": "array",
        "by_rooms_forbidden": True,
        "status_case": "capital",
    }
    dollars = {order["id"]: order for order in _orders(flowhub)}
    assert sandbox.control("POST", "/flowhub", wanted).status_code == 200
    order = _orders(flowhub)[0]
    totals, before = order["totals"], dollars[order["id"]]["totals"]
    assert isinstance(totals, dict)
    assert isinstance(before, dict)
    assert totals["FinalTotal"] == round(before["finalTotal"] * 100)
    assert str(order["orderStatus"])[0].isupper()
    assert isinstance(flowhub.get("/flowhub/v1/customers/").json(), list)
    assert flowhub.get("/flowhub/v0/inventoryByRooms").status_code == 403
    assert flowhub.get("/flowhub/v0/inventory").status_code == 200
    assert sandbox.control("POST", "/flowhub", {"totals_case": "snake"}).status_code == 422
    assert sandbox.control("POST", "/flowhub", {"no_such": 1}).status_code == 422


def test_customers_are_filtered_by_their_last_change(sandbox: Running, flowhub: httpx.Client) -> None:
    """A sale moves a customer's points and ``updatedAt``."""
    path = "/flowhub/v1/customers/"
    everyone = flowhub.get(path, params={"page_size": 500}).json()["data"]
    assert len(everyone) > 60
    sandbox.control("POST", "/clock", {"advance_minutes": 4 * 60})
    touched = flowhub.get(path, params={"page_size": 500, "updated_after": "2017-06-10"}).json()["data"]
    assert 0 < len(touched) < len(everyone)
    assert all(one["updatedAt"] >= "2017-06-10T06" for one in touched)
    known = {one["id"]: one for one in everyone}
    moved = [one for one in touched if one["id"] in known and one["updatedAt"] > "2017-06-10T16"]
    assert any(one["loyaltyPoints"] > known[one["id"]]["loyaltyPoints"] for one in moved)
    one = touched[0]
    assert flowhub.get(f"{path}{one['id']}").json() == one
    assert flowhub.get(f"{path}nobody").status_code == 404


def test_points_at_the_sale_are_those_of_the_customer(flowhub: httpx.Client) -> None:
    """What an order says of the points before it never exceeds what the customer has now."""
    customers = {
        one["id"]: one["loyaltyPoints"]
        for one in flowhub.get("/flowhub/v1/customers/", params={"page_size": 500}).json()["data"]
    }
    known = [order for order in _orders(flowhub) if order["customerId"] in customers]
    assert known
    assert all(int(str(order["currentPoints"])) <= customers[order["customerId"]] for order in known)


def test_rooms_add_up_to_the_shelf(flowhub: httpx.Client) -> None:
    """The same stock, whole or by rooms; non-zero leaves out what is sold out."""
    whole = flowhub.get("/flowhub/v0/inventory").json()["data"]
    rooms = flowhub.get("/flowhub/v0/inventoryByRooms").json()["data"]
    assert sum(one["quantity"] for one in whole) == sum(one["quantity"] for one in rooms)
    assert len(rooms) == 2 * len(whole)
    assert all(len(one["roomId"]) == 32 for one in rooms)
    store = whole[0]["locationId"]
    mine = flowhub.get(f"/flowhub/v0/locations/{store}/inventoryNonZero").json()["data"]
    assert {one["locationId"] for one in mine} == {store}
    assert all(one["quantity"] for one in mine)
    lots = {(one["locationId"], one["brand"], one["productName"], one["productId"]) for one in whole}
    assert len(lots) == len(whole) > len({lot[:3] for lot in lots})


def test_stock_falls_with_sales(sandbox: Running, flowhub: httpx.Client) -> None:
    """A batch that is sold from has less left later."""
    first = {(one["locationId"], one["productId"]): one["quantity"] for one in _stock(flowhub)}
    sandbox.control("POST", "/clock", {"advance_minutes": 8 * 60})
    later = {(one["locationId"], one["productId"]): one["quantity"] for one in _stock(flowhub)}
    common = set(first) & set(later)
    assert all(later[one] <= first[one] for one in common)
    assert any(later[one] < first[one] for one in common)


def _stock(flowhub: httpx.Client) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = flowhub.get("/flowhub/v0/inventory").json()["data"]
    return data


def test_too_many_requests_get_a_bare_429(sandbox: Running, flowhub: httpx.Client) -> None:
    """Without any header that would say how long to wait."""
    sandbox.control("POST", "/flowhub", {"requests_per_second": 2})
    answers = [flowhub.get("/flowhub/v0/clientsLocations") for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert not any("retry" in name.lower() or "limit" in name.lower() for name in refused[0].headers)


def test_bad_pages_are_refused(flowhub: httpx.Client) -> None:
    """Pages count from 1."""
    assert flowhub.get("/flowhub/v1/customers/", params={"page": 0}).status_code == 422
    assert flowhub.get("/flowhub/v1/customers/", params={"page_size": "many"}).status_code == 422
