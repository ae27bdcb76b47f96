"""Pages: all of them, each record once, whatever happens between two requests."""

import json
from datetime import timedelta
from typing import Any

import pytest

from extractors.flowhub.paged import PAGE_SIZE
from extractors.landing.log import LandingLog
from perennial.clock import sandbox_clock
from perennial.errors import VendorError
from perennial.settings import Settings
from tests.extractors.flowhub.conftest import Pull, payloads
from tests.extractors.flowhub.vendor import Vendor
from tests.extractors.pulling import NOW

ORDERS = "/v1/orders/findByLocationId/imp-1"


def _orders(count: int, start: int = 0) -> list[Any]:
    return [
        {"id": f"o{number:05}", "voided": False, "totals": {"finalTotal": 1.5}}
        for number in range(start, start + count)
    ]


def _ids(log: LandingLog, stream: str) -> list[str]:
    return [json.loads(text)["id"] for text in payloads(log, stream)]


def _marker(log: LandingLog) -> dict[str, Any]:
    marker: dict[str, Any] = json.loads(payloads(log, "pulls")[-1])
    return marker


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE + 3])
def test_every_order_of_every_page_lands_once(
    vendor: Vendor, pulled: Pull, log: LandingLog, count: int
) -> None:
    """The walk ends after the last page, full or not."""
    vendor.orders = _orders(count)
    report = pulled("orders").of("orders")
    assert _ids(log, "orders") == [order["id"] for order in vendor.orders]
    assert (report.records, report.landed, report.unchanged) == (count, count, 0)
    assert report.pages == max(1, -(-count // PAGE_SIZE))
    assert _marker(log) | {"pull_id": ""} == {
        "pull_id": "",
        "stream": "orders",
        "location_id": "loc-1",
        "started_at": "2017-06-10T16:00:00Z",
        "ended_at": "2017-06-10T16:00:00Z",
        "complete": True,
        "records": count,
        "changed": count,
    }


@pytest.mark.parametrize("bare", [False, True], ids=["data", "array"])
@pytest.mark.parametrize("count", [0, 3, PAGE_SIZE, PAGE_SIZE + 1])
def test_every_customer_lands_once_in_either_envelope(
    vendor: Vendor, pulled: Pull, log: LandingLog, count: int, *, bare: bool
) -> None:
    """Customers come without a total; the walk still ends, and misses nobody."""
    vendor.customers, vendor.bare_customers = [{"id": f"c{number}"} for number in range(count)], bare
    assert pulled("customers").of("customers").landed == count
    assert _ids(log, "customers") == [customer["id"] for customer in vendor.customers]


@pytest.mark.parametrize("stream", ["orders", "customers"])
def test_a_vendor_with_shorter_pages_is_read_to_the_end(
    vendor: Vendor, pulled: Pull, log: LandingLog, stream: str
) -> None:
    """A silent limit of 100 records a page does not end the walk on the first one."""
    vendor.longest_page = 100
    vendor.orders = vendor.customers = _orders(250)
    pulled(stream)
    assert _ids(log, stream) == [order["id"] for order in vendor.orders]
    assert _marker(log)["records"] == 250


def test_the_second_pull_lands_nothing_but_its_marker(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """An unchanged order lands once, though its window is read again."""
    vendor.orders, vendor.customers = _orders(700), [{"id": "c1"}]
    pulled("orders", "customers")
    again = pulled("orders", "customers")
    assert [(one.records, one.landed, one.unchanged) for one in again.streams] == [(1, 0, 1), (700, 0, 700)]
    assert len(_ids(log, "orders")) == 700
    assert _marker(log)["changed"] == 0


def test_a_late_void_lands_as_a_second_version(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """There is no filter for changes: the trailing window and the hash find it."""
    vendor.orders = _orders(10)
    pulled("orders")
    vendor.orders[4]["voided"] = True
    assert pulled("orders").of("orders").landed == 1
    rows = [row for row in log.read("flowhub", "orders") if row.payload.startswith('{"id": "o00004"')]
    assert [json.loads(row.payload)["voided"] for row in rows] == [False, True]
    assert len({row.source_key for row in rows}) == 2


def test_windows_reach_over_both_ends(vendor: Vendor, pulled: Pull, settings: Settings) -> None:
    """First the history, then a trailing window: two days more on each side, in days."""
    pulled("orders")
    sandbox_clock(settings).set(NOW + timedelta(days=3), running=False)
    pulled("orders")
    first, second = vendor.asked(ORDERS)
    assert (first["created_after"], first["created_before"]) == ("2016-05-04", "2017-06-12")
    assert (second["created_after"], second["created_before"]) == ("2017-06-01", "2017-06-15")
    assert first["order_by"] == "asc"


def test_customers_are_asked_by_change_and_once_a_day_all(
    vendor: Vendor, pulled: Pull, settings: Settings
) -> None:
    """The cursor overlaps; a daily walk without a window finds who slipped between two pages."""
    vendor.customers = [{"id": "c1"}]
    asked = []
    for hours in (0, 1, 25):
        sandbox_clock(settings).set(NOW + timedelta(hours=hours), running=False)
        vendor.requests.clear()
        pulled("customers")
        asked.append(vendor.asked("/v1/customers/")[0].get("updated_after"))
    assert asked == [None, "2017-06-08", None]


def test_an_order_that_comes_while_pages_are_read_is_not_missed(
    vendor: Vendor, pulled: Pull, log: LandingLog
) -> None:
    """A new one goes to the end, one that was entered late shifts others onto the next page."""
    vendor.orders = _orders(PAGE_SIZE + 5, start=10)

    def grow(path: str, params: dict[str, str]) -> None:
        if path == ORDERS and params["page"] == "2" and len(vendor.orders) == PAGE_SIZE + 5:
            vendor.orders = [*_orders(3), *vendor.orders, *_orders(1, start=90_000)]

    vendor.before = grow
    pulled("orders")
    pulled("orders")
    assert sorted(_ids(log, "orders")) == [order["id"] for order in vendor.orders]


def test_an_order_that_slips_back_a_page_is_read_again(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """When orders vanish between two pages, those behind them move onto a page that was read."""
    vendor.orders = _orders(3 * PAGE_SIZE)
    shrunk: list[Any] = []

    def shrink(path: str, params: dict[str, str]) -> None:
        if path == ORDERS and params["page"] == "2" and not shrunk:
            shrunk.append(vendor.orders[:4])
            del vendor.orders[:4]

    vendor.before = shrink
    report = pulled("orders").of("orders")
    assert len(set(_ids(log, "orders"))) == len(_ids(log, "orders")) == 3 * PAGE_SIZE
    assert [params["page"] for params in vendor.asked(ORDERS)] == ["1", "2", "1", "2", "3"]
    assert report.landed == 3 * PAGE_SIZE
    assert _marker(log)["records"] == 3 * PAGE_SIZE - 4


def test_a_window_that_ends_too_early_is_not_called_complete(
    vendor: Vendor, pulled: Pull, log: LandingLog
) -> None:
    """More were announced than came: what came lands, the marker says so, the window is read again."""
    total = json.dumps({"total": 9, "orders": []}).encode()
    vendor.orders = _orders(3)
    vendor.before = lambda path, params: (
        (200, total)
        if path == ORDERS and params["page"] == "2"
        else (200, json.dumps({"total": 9, "orders": vendor.orders}).encode())
        if path == ORDERS
        else None
    )
    said: list[str] = []
    pulled("orders", said=said)
    assert _marker(log)["complete"] is False
    assert any("9 were announced and 3 came" in text for text in said)
    pulled("orders")
    windows = {params["created_after"] for params in vendor.asked(ORDERS)}
    assert windows == {"2016-05-04"}
    assert len(_ids(log, "orders")) == 3


def test_a_vendor_that_ignores_the_page_is_noticed(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """The same full page again and again is an error, not a complete window."""
    vendor.orders = _orders(PAGE_SIZE)
    body = json.dumps({"total": 2 * PAGE_SIZE, "orders": vendor.orders}).encode()
    vendor.before = lambda path, _params: (200, body) if path == ORDERS else None
    with pytest.raises(VendorError, match="same page twice"):
        pulled("orders")
    assert not payloads(log, "pulls")


def test_the_text_of_a_record_lands_as_it_came(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """Spaces, key order, casing, escapes and the digits of numbers are the vendor's."""
    texts = [
        '{"id":"a", "totals":{"FinalTotal":36.230, "SubTotal":35}, "name":"Zo\\u00eb"}',
        '{ "totals" : {"finalTotal":3.5e1}, "_id" : "b" }',
        '{"orderId":"c","budtender":null,"note":"ü"}',
    ]
    body = f'{{"orders": [{", ".join(texts)}], "total": 3}}'.encode()
    vendor.before = lambda path, _params: (200, body) if path == ORDERS else None
    pulled("orders")
    assert payloads(log, "orders") == texts
    keys = [row.source_key or "" for row in log.read("flowhub", "orders")]
    assert [key.partition(":")[0] for key in keys] == ["a", "b", "c"]
    assert all(len(key.partition(":")[2]) == 16 for key in keys)


def test_a_record_without_an_id_lands_once_for_quarantine(
    vendor: Vendor, pulled: Pull, log: LandingLog
) -> None:
    """Nothing is dropped on the way: not an order without id, nor what is no order at all."""
    vendor.orders = [{"id": "", "voided": False}, None, 7, ["x"], {"id": {"odd": 1}}, {"id": "good"}]
    pulled("orders")
    pulled("orders")
    rows = list(log.read("flowhub", "orders"))
    assert [json.loads(row.payload) for row in rows] == vendor.orders
    assert [(row.source_key or "").partition(":")[0] for row in rows] == ["no-id"] * 5 + ["good"]


def test_how_a_page_was_asked_for_lands_with_it(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """The request holds address, page and window, and no credential."""
    vendor.orders = _orders(1)
    pulled("orders")
    [row] = log.read("flowhub", "orders")
    assert row.request == {
        "url": f"{vendor.url}{ORDERS}",
        "created_after": "2016-05-04",
        "created_before": "2017-06-12",
        "order_by": "asc",
        "page": 1,
        "page_size": PAGE_SIZE,
        "started_at": "2017-06-10T16:00:00Z",
        "ended_at": "2017-06-10T16:00:00Z",
    }
    assert row.headers == {}
