"""Lists that come whole: what changed lands, and the marker tells what is there."""

import json
from typing import Any

from extractors.landing.log import LandingLog
from perennial.settings import Settings
from tests.extractors.flowhub.conftest import Pull, payloads, settings_for
from tests.extractors.flowhub.vendor import LOCATION, Vendor

BROADWAY = {"locationId": "loc-2", "importId": "imp-2", "locationName": "Broadway"}


def _item(product: str, quantity: int = 1, **other: object) -> dict[str, Any]:
    return {
        "locationId": "loc-1",
        "roomId": "r-1",
        "productId": product,
        "variantId": "v-1",
        "quantity": quantity,
        **other,
    }


def _markers(log: LandingLog) -> list[dict[str, Any]]:
    return [json.loads(text) for text in payloads(log, "pulls")]


def test_what_is_gone_is_missing_from_the_keys_and_lands_again_when_it_is_back(
    vendor: Vendor, pulled: Pull, log: LandingLog
) -> None:
    """Silence is not absence; only the marker tells."""
    vendor.items = [_item("p-1"), _item("p-2")]
    pulled("inventory")
    vendor.items = [_item("p-1")]
    pulled("inventory")
    vendor.items = [_item("p-1"), _item("p-2")]
    pulled("inventory")
    assert [marker["keys"] for marker in _markers(log)] == [
        ["loc-1:r-1:p-1:v-1", "loc-1:r-1:p-2:v-1"],
        ["loc-1:r-1:p-1:v-1"],
        ["loc-1:r-1:p-1:v-1", "loc-1:r-1:p-2:v-1"],
    ]
    landed = [json.loads(text)["productId"] for text in payloads(log, "inventory")]
    assert landed == ["p-1", "p-2", "p-2"]


def test_a_marker_says_what_was_taken_and_equal_lists_are_equal_texts(
    vendor: Vendor, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """Lists can be compared where the same rooms were asked for; the vendor's order of items is no news."""
    room = "a" * 32
    vendor.items = [_item("p-1", roomId=room), _item("p-2", roomId=room), _item("p-3", roomId="b" * 32)]
    pulled("inventory")
    vendor.items.reverse()
    pulled("inventory")
    filtered = settings_for(
        settings.home, vendor.url, flowhub_room_ids=room, flowhub_purchase_categories="rec"
    )
    pulled("inventory", others=filtered)
    first, second, third = _markers(log)
    assert first["keys"] == second["keys"]
    assert (first["room_ids"], first["purchase_categories"]) == ([], [])
    assert (third["room_ids"], third["purchase_categories"], third["keys"]) == ([room], ["rec"], [])


def test_a_quantity_that_returns_to_an_old_value_is_news(
    vendor: Vendor, pulled: Pull, log: LandingLog
) -> None:
    """5, 4, 5 are three versions: what counts is the one that landed last."""
    for quantity in (5, 4, 5, 5):
        vendor.items = [_item("p-1", quantity)]
        pulled("inventory")
    assert [json.loads(text)["quantity"] for text in payloads(log, "inventory")] == [5, 4, 5]


def test_an_empty_store_has_a_marker_too(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """A complete snapshot without items is said to be one."""
    vendor.locations = [LOCATION, BROADWAY]
    vendor.items = [_item("p-1")]
    pulled("inventory")
    found = {marker["location_id"]: (marker["complete"], marker["records"]) for marker in _markers(log)}
    assert found == {"loc-1": (True, 1), "loc-2": (True, 0)}


def test_lots_that_share_a_key_both_land_once(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """Several lots of one product do not overwrite each other pull by pull."""
    vendor.items = [_item("p-1", 3, regulatoryId="A"), _item("p-1", 4, regulatoryId="B")]
    pulled("inventory")
    assert pulled("inventory").landed == 0
    assert len(payloads(log, "inventory")) == 2


def test_what_can_not_be_read_as_an_item_lands_for_quarantine(
    vendor: Vendor, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """Even where rooms filter: what says nothing of its room may be anything."""
    vendor.items = [_item("p-1", roomId="a" * 32), "odd", None, {"productId": {"x": 1}}]
    filtered = settings_for(settings.home, vendor.url, flowhub_room_ids="A" * 32, flowhub_location_id="loc-1")
    pulled("inventory", others=filtered)
    pulled("inventory", others=filtered)
    assert [json.loads(text) for text in payloads(log, "inventory")] == vendor.items
    keys = [(row.source_key or "").partition(":")[0] for row in log.read("flowhub", "inventory")]
    assert keys == ["loc-1", "no-id", "no-id", "no-id"]
    assert {marker["location_id"] for marker in _markers(log)} == {"loc-1"}


def test_locations_that_are_not_ours_are_left_out(
    vendor: Vendor, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """FLOWHUB_LOCATION_ID, by either id of a location, restricts all streams that have one."""
    vendor.locations = [LOCATION, BROADWAY]
    vendor.items = [_item("p-1"), _item("p-2", locationId="loc-2")]
    vendor.orders = [{"id": "o1"}]
    only = settings_for(settings.home, vendor.url, flowhub_location_id="imp-1")
    pulled("locations", "inventory", "orders", others=only)
    assert [json.loads(text)["locationId"] for text in payloads(log, "locations")] == ["loc-1"]
    assert [json.loads(text)["productId"] for text in payloads(log, "inventory")] == ["p-1"]
    assert {path for path, _ in vendor.requests if "orders" in path} == {"/v1/orders/findByLocationId/imp-1"}


def test_a_location_without_import_id_is_asked_by_its_id(vendor: Vendor, pulled: Pull) -> None:
    """The two ids are often equal, and one is sometimes missing."""
    vendor.locations = [{"locationId": "imp-1", "locationName": "Colfax"}, {"name": "no id at all"}]
    vendor.orders = [{"id": "o1"}]
    assert pulled("locations", "orders").landed == 3


def test_a_location_lands_again_when_it_changes(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """New opening hours are a new version."""
    pulled("locations")
    vendor.locations = [{**LOCATION, "hoursOfOperation": "9-21"}]
    pulled("locations")
    assert len(payloads(log, "locations")) == 2
    assert [marker["changed"] for marker in _markers(log)] == [1, 1]
    assert all("keys" not in marker and marker["location_id"] is None for marker in _markers(log))
