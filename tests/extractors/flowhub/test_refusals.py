"""What Flowhub refuses or breaks: survived where it passes, an error to act on where it does not."""

import json
import socket
import traceback

import pytest

from extractors.flowhub.client import flowhub_client
from extractors.flowhub.pulls import STREAMS
from extractors.landing.log import LandingLog
from perennial.errors import PerennialError, SettingsError, VendorError
from perennial.settings import Settings
from tests.extractors.flowhub.conftest import Pull, payloads, settings_for
from tests.extractors.flowhub.vendor import LOCATION, Vendor
from tests.extractors.pulling import IMPATIENT

ORDERS = "/v1/orders/findByLocationId/imp-1"
_SLOW_DOWN = (429, b"")
_OOPS = (500, b'{"error": "internal"}')


@pytest.mark.parametrize("burst", [[_SLOW_DOWN] * 3, [_OOPS] * 3, [_OOPS, (503, b"busy"), _SLOW_DOWN]])
def test_a_burst_of_refusals_is_survived(
    vendor: Vendor, pulled: Pull, log: LandingLog, burst: list[tuple[int, bytes]]
) -> None:
    """429 and 5xx carry no header that says how long to wait; back-off gets through."""
    vendor.orders = [{"id": "o1"}]
    vendor.answers_first = list(burst)
    pulled("orders")
    assert payloads(log, "orders") == ['{"id": "o1"}']
    assert len(vendor.requests) == len(burst) + 2


@pytest.mark.parametrize(("status", "body"), [_SLOW_DOWN, _OOPS])
def test_refusals_that_last_end_the_pull_and_lose_nothing(
    vendor: Vendor, pulled: Pull, log: LandingLog, status: int, body: bytes
) -> None:
    """The error names status and path; the next pull has everything."""
    vendor.orders = [{"id": "o1"}]
    vendor.before = lambda path, _params: (status, body) if path == ORDERS else None
    with pytest.raises(VendorError, match=f"kept answering {status} to {ORDERS}") as caught:
        pulled("orders")
    assert "nothing is lost" in caught.value.fix
    vendor.before = lambda _path, _params: None
    pulled("orders")
    assert payloads(log, "orders") == ['{"id": "o1"}']


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("stream", STREAMS)
def test_wrong_credentials_name_the_settings_and_where_to_ask(
    vendor: Vendor, pulled: Pull, log: LandingLog, status: int, stream: str
) -> None:
    """No retry, no secret in text or trace, nothing landed."""
    vendor.before = lambda _path, _params: (status, b'{"error": "bad key the-secret-key"}')
    with pytest.raises(VendorError) as caught:
        pulled(stream)
    shown = "".join(traceback.format_exception(caught.value))
    assert "FLOWHUB_CLIENT_ID" in caught.value.cause
    assert "FLOWHUB_API_KEY" in caught.value.cause
    assert "https://flowhub.com/api-integration-request" in caught.value.fix
    assert "the-secret-key" not in shown
    assert len(vendor.requests) == 1
    assert log.last_seq() == 0


def test_a_vendor_that_is_down_is_named_by_its_host(settings: Settings, pulled: Pull) -> None:
    """The error says that nothing is lost."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    away = settings_for(settings.home, f"http://127.0.0.1:{port}")
    with pytest.raises(VendorError, match=f"no answer from 127.0.0.1:{port}") as caught:
        pulled("orders", others=away)
    assert "nothing is lost" in caught.value.fix
    assert "the-secret-key" not in "".join(traceback.format_exception(caught.value))


def test_a_date_that_is_no_day_is_told_from_an_unknown_path(vendor: Vendor, settings: Settings) -> None:
    """Both are 404 at this vendor."""
    vendor.before = lambda _path, params: (
        (404, b'{"message": "created_after must be in format yyyy-mm-dd"}')
        if "created_after" in params
        else None
    )
    with flowhub_client(settings, IMPATIENT) as client:
        with pytest.raises(VendorError, match="YYYY-MM-DD only"):
            client.get(ORDERS, {"created_after": "2017-06-01T00:00:00Z"})
        with pytest.raises(VendorError, match="no such path or location"):
            client.get("/v9/nothing")


@pytest.mark.parametrize(
    "body",
    [
        b'{"total": 2, "orders": [{"id": "o1"}, {"id": ',
        b"<html>gateway</html>",
        b'{"total": 1, "orders": {"id": "o1"}}',
        b'{"total": 1, "orders": [{"id": tru}]}',
        b"",
        b'{"error": "try later"}',
    ],
)
def test_a_malformed_page_lands_nothing_and_moves_nothing(
    vendor: Vendor, pulled: Pull, log: LandingLog, body: bytes
) -> None:
    """The error names page and path; the next pull asks for that page again."""
    vendor.longest_page = 1
    vendor.orders = [{"id": "o1"}, {"id": "o2"}]
    vendor.before = lambda path, params: (200, body) if path == ORDERS and params["page"] == "2" else None
    with pytest.raises(VendorError, match=rf"{ORDERS} \(page 2\)"):
        pulled("orders")
    assert payloads(log, "orders") == ['{"id": "o1"}']
    vendor.before = lambda _path, _params: None
    vendor.requests.clear()
    pulled("orders")
    assert vendor.asked(ORDERS)[0]["page"] == "2"
    assert payloads(log, "orders") == ['{"id": "o1"}', '{"id": "o2"}']


def test_a_record_with_broken_utf8_stops_no_other(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """One damaged name is landed with a replacement character."""
    body = b'{"total": 2, "orders": [{"id": "o1", "name": "Zo\xff"}, {"id": "o2"}]}'
    vendor.before = lambda path, _params: (200, body) if path == ORDERS else None
    pulled("orders")
    assert payloads(log, "orders") == ['{"id": "o1", "name": "Zo\ufffd"}', '{"id": "o2"}']


@pytest.mark.parametrize("missing", ["flowhub_client_id", "flowhub_api_key"])
def test_a_missing_credential_is_a_settings_error(
    vendor: Vendor, settings: Settings, pulled: Pull, missing: str
) -> None:
    """It names the setting, before any request."""
    without = settings_for(settings.home, vendor.url, **{missing: None})
    with pytest.raises(SettingsError, match=missing.upper()):
        pulled("orders", others=without)
    assert vendor.requests == []


@pytest.mark.parametrize("key", ["the-secret-key\n", "the secret key", "the-secrét-key"])
def test_a_key_that_is_no_header_is_refused_without_showing_it(
    vendor: Vendor, settings: Settings, pulled: Pull, key: str
) -> None:
    """A pasted line break would otherwise come back in the HTTP library's error, with the key."""
    odd = settings_for(settings.home, vendor.url, flowhub_api_key=key)
    with pytest.raises(SettingsError, match="FLOWHUB_API_KEY") as caught:
        pulled("orders", others=odd)
    assert "secr" not in "".join(traceback.format_exception(caught.value)).replace("secret(", "")


def test_an_unknown_location_is_named_with_those_there_are(
    vendor: Vendor, settings: Settings, pulled: Pull
) -> None:
    """FLOWHUB_LOCATION_ID takes ids only, and the error lists them."""
    vendor.locations = [LOCATION, {"locationId": "loc-2", "importId": "imp-2", "locationName": "Broadway"}]
    odd = settings_for(settings.home, vendor.url, flowhub_location_id="loc-2, loc-9")
    with pytest.raises(SettingsError, match=r"FLOWHUB_LOCATION_ID names loc-9") as caught:
        pulled("orders", others=odd)
    assert "loc-1 (Colfax), loc-2 (Broadway)" in caught.value.fix


def test_a_state_file_that_is_none_is_named(settings: Settings, pulled: Pull) -> None:
    """Damage of the state is an error with a fix, and the fix works."""
    state = settings.home / "extractors.sqlite"
    state.write_bytes(b"this is not a database, and longer than a header of one hundred bytes" * 4)
    with pytest.raises(PerennialError, match=r"extractors\.sqlite can't be read") as caught:
        pulled("orders")
    assert "move that file away" in caught.value.fix
    state.unlink()
    assert json.dumps(pulled("orders").of("orders").records) == "0"
