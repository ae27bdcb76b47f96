"""What ``perennial check`` finds out about a destination, and that nothing comes of it there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perennial.clock import WallClock
from perennial.settings import Settings
from reverse_etl.destinations.registry import destinations_for
from reverse_etl.destinations.setup_check import check_destination
from sandbox.credentials import AIQ_API_KEY, AIQ_INTEGRATOR_SLUG, KLAVIYO_API_KEY, KLAVIYO_READ_API_KEY
from tests.reverse_etl.sandbox_vendors import Vendors, serving_sandbox


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    """Serve AIQ and Klaviyo."""
    with serving_sandbox(tmp_path, WallClock()) as served:
        yield served


def found(vendors: Vendors, **changes: Any) -> dict[str, tuple[bool, str, str]]:
    """Return what is found out about each destination."""
    told = {
        "aiq_base_url": f"{vendors.url}/aiq",
        "aiq_api_key": AIQ_API_KEY,
        "aiq_integrator_slug": AIQ_INTEGRATOR_SLUG,
        "klaviyo_base_url": f"{vendors.url}/klaviyo",
        "klaviyo_api_key": KLAVIYO_API_KEY,
    }
    ready = destinations_for(Settings(**{"_env_file": None, **told, **changes}), ["aiq", "klaviyo"]).ready
    results = (check_destination(destination) for destination in ready)
    return {result.name: (result.ok, result.detail, result.fix) for result in results}


def test_good_credentials_are_told_and_nothing_is_taken(vendors: Vendors) -> None:
    """Each is called once, with nothing that could have an effect."""
    for ok, detail, fix in found(vendors).values():
        assert (ok, fix) == (True, "")
        assert "accepted" in detail
    assert vendors.calls == 2
    assert (vendors.aiq_events(), vendors.klaviyo_events()) == ([], [])


def test_each_wrong_setting_is_named_and_no_secret_is_shown(vendors: Vendors) -> None:
    """A refused key, a key that may only read, an address where nobody listens."""
    wrong = found(vendors, aiq_api_key="not-the-key", klaviyo_api_key="pk_wrong")
    assert {name: fix for name, (_, _, fix) in wrong.items()} == {
        "aiq": "check AIQ_API_KEY",
        "klaviyo": "check KLAVIYO_API_KEY",
    }
    ok, detail, _ = found(vendors, klaviyo_api_key=KLAVIYO_READ_API_KEY)["klaviyo"]
    assert not ok
    assert "403" in detail
    nobody = found(vendors, aiq_base_url="http://127.0.0.1:9", klaviyo_base_url=vendors.url)
    assert nobody["aiq"] == (False, "not reached (ConnectError)", "check AIQ_BASE_URL")
    assert nobody["klaviyo"][2] == "check KLAVIYO_BASE_URL"
    assert "not-the-key" not in str(wrong)
    assert "pk_wrong" not in str(wrong)
