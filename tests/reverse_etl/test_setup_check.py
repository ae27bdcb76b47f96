"""What ``perennial check`` finds out about a destination, and that nothing comes of it there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perennial.clock import WallClock
from perennial.settings import Settings
from reverse_etl.destinations.registry import destinations_for
from reverse_etl.destinations.setup_check import check_destination
from sandbox.credentials import (
    AIQ_API_KEY,
    AIQ_INTEGRATOR_SLUG,
    KLAVIYO_API_KEY,
    KLAVIYO_READ_API_KEY,
    WEBHOOK_SIGNING_SECRET,
)
from tests.reverse_etl.sandbox_vendors import Vendors, serving_sandbox

OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGhlLXRlc3Q="  # noqa: S105 - of a test


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    """Serve AIQ, Klaviyo and a receiver of webhooks."""
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
        "webhook_url": f"{vendors.url}/webhook/events",
        "webhook_signing_secret": WEBHOOK_SIGNING_SECRET,
        "csv_drop_url": "memory://checked",
    }
    names = ["aiq", "klaviyo", "webhook", "csv"]
    ready = destinations_for(Settings(**{"_env_file": None, **told, **changes}), names).ready
    results = (check_destination(destination) for destination in ready)
    return {result.name: (result.ok, result.detail, result.fix) for result in results}


def test_good_credentials_are_told_and_nothing_is_taken(vendors: Vendors) -> None:
    """Each is called once, with nothing that could have an effect."""
    results = found(vendors)
    assert all((ok, fix) == (True, "") for ok, _, fix in results.values())
    assert {name: detail for name, (_, detail, _) in results.items()} == {
        "aiq": "the credentials are accepted; an empty call was refused, as it must be",
        "klaviyo": "the credentials are accepted; an empty call was refused, as it must be",
        "webhook": "a signed call without content was taken",
        "csv": "files can be written there",
    }
    assert vendors.calls == 3
    assert (vendors.aiq_events(), vendors.klaviyo_events()) == ([], [])


def test_each_wrong_setting_is_named_and_no_secret_is_shown(vendors: Vendors) -> None:
    """A refused key, a key that may only read, an address where nobody listens."""
    wrong = found(
        vendors,
        aiq_api_key="not-the-key",
        klaviyo_api_key="pk_wrong",
        webhook_signing_secret=OTHER_SECRET,
        csv_drop_url="/proc/nowhere",
    )
    assert {name: fix for name, (_, _, fix) in wrong.items()} == {
        "aiq": "check AIQ_API_KEY",
        "klaviyo": "check KLAVIYO_API_KEY",
        "webhook": "check WEBHOOK_SIGNING_SECRET",
        "csv": "check CSV_DROP_URL",
    }
    ok, detail, _ = found(vendors, klaviyo_api_key=KLAVIYO_READ_API_KEY)["klaviyo"]
    assert not ok
    assert "403" in detail
    nobody = found(vendors, aiq_base_url="http://127.0.0.1:9", klaviyo_base_url=vendors.url)
    assert nobody["aiq"] == (False, "not reached (ConnectError)", "check AIQ_BASE_URL")
    assert nobody["klaviyo"][2] == "check KLAVIYO_BASE_URL"
    assert "not-the-key" not in str(wrong)
    assert "pk_wrong" not in str(wrong)
    assert OTHER_SECRET not in str(wrong)
