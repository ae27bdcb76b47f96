"""The pull against the sandbox's Flowhub: a year of real baskets, with the vendor's quirks."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from extractors.flowhub.client import flowhub_client
from extractors.flowhub.pulls import STREAMS, pull
from extractors.flowhub.report import PullReport
from extractors.flowhub.run import Stream
from extractors.flowhub.setup_check import check_flowhub
from extractors.landing.log import LandingLog
from perennial.clock import SandboxClock, sandbox_clock
from perennial.errors import VendorError
from perennial.settings import Settings
from sandbox.credentials import FLOWHUB_API_KEY, FLOWHUB_CLIENT_ID
from sandbox.server import serve
from sandbox.world.spec import WorldSpec
from tests.extractors.flowhub.conftest import payloads, settings_for
from tests.extractors.pulling import IMPATIENT

SPEC = WorldSpec(households=120, history_days=14)


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    url: str
    clock: SandboxClock

    def control(self, path: str, body: dict[str, Any]) -> None:
        """Set something at the sandbox."""
        httpx.post(f"{self.url}/control/{path}", json=body).raise_for_status()


@dataclass(frozen=True)
class Installation:
    """A home that pulls from the sandbox."""

    settings: Settings
    log: LandingLog
    clock: SandboxClock

    def pull(self, *streams: Stream) -> PullReport:
        """Pull the streams, all of them when none is named."""
        return pull(
            self.settings, self.log, self.clock, streams or STREAMS, lambda _text: None, patience=IMPATIENT
        )

    def latest(self, stream: str) -> dict[str, str]:
        """Return the last landed text of each record."""
        return {json.loads(text)["id"]: text for text in payloads(self.log, stream)}

    def marker(self, stream: str, place: int = -1) -> dict[str, Any]:
        """Return a completeness marker of a stream."""
        markers = [json.loads(text) for text in payloads(self.log, "pulls")]
        marker: dict[str, Any] = [one for one in markers if one["stream"] == stream][place]
        return marker


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Serve a small world on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = settings_for(tmp_path_factory.mktemp("sandbox"), "http://127.0.0.1", perennial_sandbox_port=port)
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(home, SPEC, stop), daemon=True)
    thread.start()
    sandbox = Sandbox(f"http://127.0.0.1:{port}", sandbox_clock(home))
    deadline = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"{sandbox.url}/control/clock").raise_for_status()
            break
        except httpx.TransportError:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield sandbox
    stop.set()
    thread.join(timeout=30)


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    """Set the sandbox back to where its window starts, without faults, quirks as delivered."""
    served.clock.set(SPEC.window_start, running=False)
    httpx.delete(f"{served.url}/control/faults").raise_for_status()
    switches = httpx.get(f"{served.url}/control/flowhub").json()
    yield served
    served.control("flowhub", switches)


def _installation(home: Path, sandbox: Sandbox, **other: object) -> Installation:
    values: dict[str, object] = {"flowhub_client_id": FLOWHUB_CLIENT_ID, "flowhub_api_key": FLOWHUB_API_KEY}
    settings = settings_for(home, f"{sandbox.url}/flowhub", **{**values, **other})
    return Installation(settings, LandingLog(settings.landing_url), sandbox.clock)


@pytest.fixture
def here(tmp_path: Path, sandbox: Sandbox) -> Installation:
    """Make a home that pulls from the sandbox."""
    return _installation(tmp_path / "here", sandbox)


def test_a_first_pull_brings_everything_once(here: Installation) -> None:
    """Six stores, their stock, the customers and all orders, each once, closed by markers."""
    report = here.pull()
    assert report.of("locations").landed == 6
    orders = [json.loads(text)["id"] for text in payloads(here.log, "orders")]
    assert len(orders) == len(set(orders)) == report.of("orders").landed > 400
    assert len(here.latest("customers")) == report.of("customers").landed > 150
    kinds = Counter(json.loads(text)["stream"] for text in payloads(here.log, "pulls"))
    assert kinds == {"locations": 1, "inventory": 6, "customers": 1, "orders": 6}
    assert all(json.loads(text)["complete"] for text in payloads(here.log, "pulls"))


def test_a_second_pull_without_news_lands_no_record(here: Installation) -> None:
    """Windows overlap and are read again, and still nothing lands twice."""
    here.pull()
    again = here.pull()
    assert again.landed == 0
    assert again.of("orders").unchanged > 0


@pytest.mark.parametrize("zone", ["store_local", "utc"])
def test_pulled_bit_by_bit_it_is_what_one_pull_brings(
    here: Installation, sandbox: Sandbox, tmp_path: Path, zone: str
) -> None:
    """Over two days of sales, late voids and late entries, in either reading of a date."""
    # eleven pulls within a second or two are no customer's: the limit is not what this is about
    sandbox.control("flowhub", {"date_filter": zone, "requests_per_second": 1_000})
    sandbox.clock.set(SPEC.window_start - timedelta(days=3), running=False)
    here.pull("customers", "orders")
    for _ in range(9):
        sandbox.clock.advance(timedelta(hours=13))
        here.pull("customers", "orders")
    at_once = _installation(tmp_path / "there", sandbox)
    at_once.pull("customers", "orders")
    assert here.latest("orders") == at_once.latest("orders")
    assert here.latest("customers") == at_once.latest("customers")
    versions = Counter(json.loads(text)["id"] for text in payloads(here.log, "orders"))
    flips = [order for order, count in versions.items() if count > 1]
    assert any(json.loads(here.latest("orders")[order])["voided"] for order in flips)
    assert all(count <= 3 for count in versions.values())


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "count": 3},
        {"kind": "status", "status": 500, "count": 3},
        {"kind": "reset_before", "count": 2},
        {"kind": "reset_after", "count": 2},
    ],
    ids=["429", "500", "reset", "reset after the answer was made"],
)
def test_bursts_are_survived(here: Installation, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    """In the middle of the orders of each store."""
    sandbox.control("faults", {"vendor": "flowhub", "path": "/v1/orders/", **fault})
    assert here.pull("orders").landed > 400
    assert httpx.get(f"{sandbox.url}/control/faults").json() == {"waiting": []}


def test_wrong_credentials_are_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """The vendor's 401 becomes the names of the settings."""
    wrong = _installation(tmp_path / "wrong", sandbox, flowhub_api_key="not-the-key")
    with pytest.raises(VendorError, match="FLOWHUB_API_KEY"):
        wrong.pull()
    assert wrong.log.last_seq() == 0


def test_an_instant_as_a_date_is_told(here: Installation) -> None:
    """The vendor answers 404 to a full timestamp."""
    path = f"/v1/orders/findByLocationId/{_import_id(here)}"
    with (
        flowhub_client(here.settings, IMPATIENT) as client,
        pytest.raises(VendorError, match="YYYY-MM-DD only"),
    ):
        client.get(path, {"created_after": "2017-06-01T00:00:00Z"})


def test_both_envelopes_and_casings_pass_through(
    here: Installation, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The envelope does not matter; the record's text is not touched."""
    here.pull("customers", "orders")
    sandbox.control(
        "flowhub", {"customers_envelope": "array", "totals_case": "pascal", "status_case": "capital"}
    )
    other = _installation(tmp_path / "other", sandbox)
    other.pull("customers", "orders")
    assert other.latest("customers") == here.latest("customers")
    camel, pascal = here.latest("orders"), other.latest("orders")
    assert camel.keys() == pascal.keys()
    assert all('"finalTotal"' in text for text in camel.values())
    assert all('"FinalTotal"' in text for text in pascal.values())
    raw = httpx.get(
        f"{sandbox.url}/flowhub/v1/orders/findByLocationId/{_import_id(here)}",
        params={"page_size": 3},
        headers={"clientId": FLOWHUB_CLIENT_ID, "key": FLOWHUB_API_KEY},
    ).text
    assert all(pascal[order["id"]] in raw for order in json.loads(raw)["orders"])


def _import_id(here: Installation) -> str:
    here.pull("locations")
    return str(json.loads(payloads(here.log, "locations")[0])["importId"])


def test_inventory_without_rooms_where_they_are_forbidden(here: Installation, sandbox: Sandbox) -> None:
    """A 403 on rooms leaves the plain list open."""
    sandbox.control("flowhub", {"by_rooms_forbidden": True})
    here.pull("inventory")
    items = [json.loads(text) for text in payloads(here.log, "inventory")]
    assert items
    assert all("roomId" not in item for item in items)


def test_rooms_that_are_forbidden_and_wanted_are_an_error(sandbox: Sandbox, tmp_path: Path) -> None:
    """Taking all rooms instead would offer what is in the vault."""
    sandbox.control("flowhub", {"by_rooms_forbidden": True})
    with pytest.raises(VendorError, match="FLOWHUB_ROOM_IDS is set"):
        _installation(tmp_path / "rooms", sandbox, flowhub_room_ids="a" * 32).pull("inventory")


def test_rooms_and_purchase_categories_filter_what_is_taken(
    here: Installation, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Hyphens and case of a room id don't matter."""
    here.pull("inventory")
    everything = [json.loads(text) for text in payloads(here.log, "inventory")]
    room = everything[0]["roomId"]
    some = _installation(
        tmp_path / "some",
        sandbox,
        flowhub_room_ids=room.replace("-", "").upper(),
        flowhub_purchase_categories="MED",
        flowhub_location_id=everything[0]["locationId"],
    )
    some.pull("inventory")
    taken = [json.loads(text) for text in payloads(some.log, "inventory")]
    assert taken == [
        item for item in everything if item["roomId"] == room and item["purchaseCategory"] == "med"
    ]
    assert some.marker("inventory")["location_id"] == everything[0]["locationId"]


def test_a_snapshot_lands_what_changed_and_names_what_is_there(here: Installation, sandbox: Sandbox) -> None:
    """The marker's keys are the items of now: what left the shelves is missing from them."""
    here.pull("inventory")
    before = len(payloads(here.log, "inventory"))
    sandbox.clock.advance(timedelta(hours=8))
    report = here.pull("inventory").of("inventory")
    assert 0 < report.landed < before
    rows = list(here.log.read("flowhub", "inventory"))
    items = [json.loads(row.payload) for row in rows]
    last = here.marker("inventory")
    assert last["records"] == len(last["keys"]) == len(set(last["keys"]))
    assert all(key.startswith(f"{last['location_id']}:") for key in last["keys"])
    named = {
        f"{item['locationId']}:{item['roomId']}:{item['productId']}:{item['variantId']}" for item in items
    }
    assert set(last["keys"]) <= named
    assert all((row.source_key or "").rpartition(":")[0] in named for row in rows)
    assert last["started_at"] == "2017-06-11T00:00:00Z"


def test_the_setup_check_says_what_works(here: Installation, tmp_path: Path) -> None:
    """Every line of a good installation is good, and names what there is to choose from."""
    sandbox_clock(here.settings).set(SPEC.window_start, running=False)
    results = {result.name: result for result in check_flowhub(here.settings)}
    assert all(result.ok for result in results.values())
    assert "6 locations" in results["FLOWHUB_CLIENT_ID, FLOWHUB_API_KEY"].detail
    assert "Colfax (" in results["FLOWHUB_LOCATION_ID"].detail
    assert "med, rec" in results["FLOWHUB_PURCHASE_CATEGORIES"].detail
    assert "(Sales Floor)" in results["FLOWHUB_ROOM_IDS"].detail
    assert not list(tmp_path.rglob("*.sqlite"))


def test_the_setup_check_names_each_wrong_setting(sandbox: Sandbox, tmp_path: Path) -> None:
    """One wrong id does not hide another."""
    odd = _installation(
        tmp_path / "odd",
        sandbox,
        flowhub_location_id="loc-9",
        flowhub_room_ids="0" * 32,
        flowhub_purchase_categories="recreational",
        flowhub_sync_orders=True,
    )
    sandbox_clock(odd.settings).set(SPEC.window_start, running=False)
    wrong = {result.name: result for result in check_flowhub(odd.settings) if not result.ok}
    assert list(wrong) == [
        "FLOWHUB_LOCATION_ID",
        "FLOWHUB_ROOM_IDS",
        "FLOWHUB_PURCHASE_CATEGORIES",
        "FLOWHUB_ORDER_AHEAD_CLIENT_ID, FLOWHUB_ORDER_AHEAD_TOKEN",
    ]
    assert all(result.fix for result in wrong.values())
    assert "choose from: med, rec" in wrong["FLOWHUB_PURCHASE_CATEGORIES"].fix


def test_the_setup_check_stops_at_credentials_that_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """What depends on them is left out."""
    wrong = _installation(tmp_path / "wrong", sandbox, flowhub_api_key="not-the-key")
    first, last = check_flowhub(wrong.settings)
    assert not first.ok
    assert "flowhub.com/api-integration-request" in first.fix
    assert last.name.startswith("FLOWHUB_ORDER_AHEAD")
    assert "not-the-key" not in repr([first, last])
