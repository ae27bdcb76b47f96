"""What the setup check says of order-ahead, of rights that are missing, of a vendor that is down."""

import pytest

from extractors.checked import CheckResult
from extractors.flowhub.setup_check import check_flowhub
from perennial.settings import Settings
from tests.extractors.flowhub.conftest import settings_for
from tests.extractors.flowhub.vendor import Vendor

ORDER_AHEAD = "FLOWHUB_ORDER_AHEAD_CLIENT_ID, FLOWHUB_ORDER_AHEAD_TOKEN"


def _checked(settings: Settings, vendor: Vendor, **other: object) -> dict[str, CheckResult]:
    made = settings_for(settings.home, vendor.url, **other)
    return {result.name: result for result in check_flowhub(made)}


@pytest.mark.parametrize(("status", "ok"), [(404, True), (200, True), (401, False), (403, False)])
def test_the_order_ahead_token_is_tried(vendor: Vendor, settings: Settings, status: int, *, ok: bool) -> None:
    """An order that does not exist is not found, or the token is refused."""
    vendor.before = lambda path, _params: (status, b"{}") if path.startswith("/order-ahead/") else None
    pair: dict[str, object] = {"flowhub_order_ahead_client_id": "oa", "flowhub_order_ahead_token": "oa-token"}
    result = _checked(settings, vendor, **pair)[ORDER_AHEAD]
    assert result.ok is ok
    assert bool(result.fix) is not ok
    assert "oa-token" not in repr(result)


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJmbG93aHViIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("token", "exchange", "bearer"),
    [
        ("secret", (200, b'{"access_token": "fresh", "expires_in": 86400}'), "fresh"),
        ("opaque", (401, b""), "opaque"),
        ("opaque", (404, b""), "opaque"),
        (JWT, None, JWT),
    ],
)
def test_the_token_is_got_as_the_push_gets_it(
    vendor: Vendor, settings: Settings, token: str, exchange: tuple[int, bytes] | None, bearer: str
) -> None:
    """A secret is exchanged; what the exchange does not know, and what is an access token, is used as it is."""

    def before(path: str, _params: dict[str, str]) -> tuple[int, bytes] | None:
        if path == "/oauth/token":
            assert exchange is not None, "an access token is not exchanged"
            return exchange
        return (404, b"{}") if path.startswith("/order-ahead/") else None

    vendor.before = before
    pair: dict[str, object] = {"flowhub_order_ahead_client_id": "oa", "flowhub_order_ahead_token": token}
    assert _checked(settings, vendor, **pair)[ORDER_AHEAD].ok
    assert vendor.bearers[-1] == bearer


def test_an_exchange_that_is_down_is_told(vendor: Vendor, settings: Settings) -> None:
    """Without a token nothing is known about it."""
    vendor.before = lambda path, _params: (500, b"") if path == "/oauth/token" else None
    pair: dict[str, object] = {"flowhub_order_ahead_client_id": "oa", "flowhub_order_ahead_token": "secret"}
    result = _checked(settings, vendor, **pair)[ORDER_AHEAD]
    assert not result.ok
    assert "500" in result.detail
    assert "secret" not in repr(result)


def test_half_of_order_ahead_is_told_only_when_it_is_used(vendor: Vendor, settings: Settings) -> None:
    """Without order sync nobody needs the pair."""
    half: dict[str, object] = {"flowhub_order_ahead_client_id": "oa"}
    assert _checked(settings, vendor, **half)[ORDER_AHEAD].ok
    assert not _checked(settings, vendor, **half, flowhub_sync_orders=True)[ORDER_AHEAD].ok


def test_a_right_that_is_missing_is_told_by_what_it_is_for(vendor: Vendor, settings: Settings) -> None:
    """Credentials may be good for some paths only."""
    vendor.before = lambda path, _params: (403, b"") if "customers" in path else None
    results = _checked(settings, vendor)
    assert [name for name, result in results.items() if not result.ok] == ["customers"]
    assert "/v1/customers/" in results["customers"].detail


def test_rooms_that_may_not_be_read_matter_only_where_they_are_set(
    vendor: Vendor, settings: Settings
) -> None:
    """Stock comes without rooms then."""
    vendor.before = lambda path, _params: (403, b"") if "ByRooms" in path else None
    assert _checked(settings, vendor)["FLOWHUB_ROOM_IDS"].ok
    assert not _checked(settings, vendor, flowhub_room_ids="a" * 32)["FLOWHUB_ROOM_IDS"].ok


def test_a_vendor_that_is_down_is_told_quickly(settings: Settings, vendor: Vendor) -> None:
    """One line with the host, no trace."""
    vendor.url = "http://127.0.0.1:1"
    results = _checked(settings, vendor)
    assert not results["FLOWHUB_CLIENT_ID, FLOWHUB_API_KEY"].ok
    assert "127.0.0.1:1" in results["FLOWHUB_CLIENT_ID, FLOWHUB_API_KEY"].detail


def test_missing_credentials_are_told_with_where_to_ask(settings: Settings, vendor: Vendor) -> None:
    """Nothing is asked of the vendor."""
    results = _checked(settings, vendor, flowhub_client_id=None)
    assert "FLOWHUB_CLIENT_ID is not set" in results["FLOWHUB_CLIENT_ID, FLOWHUB_API_KEY"].detail
    assert "flowhub.com/api-integration-request" in results["FLOWHUB_CLIENT_ID, FLOWHUB_API_KEY"].fix
    assert vendor.requests == []


def test_a_source_that_is_off_is_not_tried(settings: Settings, vendor: Vendor) -> None:
    """Off is a state, not a fault."""
    results = _checked(settings, vendor, flowhub_enabled=False)
    assert list(results) == ["FLOWHUB_ENABLED"]
    assert vendor.requests == []
