"""What decisions watch, from a real build to the push's readers: the same records say the same in SQL and in Python."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perennial.salt import salt_of
from reverse_etl.addresses import Channel, address_hash
from reverse_etl.watched import refused_at_till, sale, shelf, till_words
from tests.scene import KNOWN_SINCE, Scene
from tests.warehouse import story
from tests.warehouse.shelves import item, land_shelves

YES = {"consentsToPromotionalEmail": True, "consentsToPromotionalSMS": True}
CHANNELS: dict[Channel, str] = {"email": "Email", "sms": "SMS"}
# What a till says of somebody who had said yes to both with ann@…/+13035550142, and of whom it had said nothing.
SECOND: dict[str, dict[str, Any]] = {
    "no": {"consentsToPromotionalEmail": False, "consentsToPromotionalSMS": False},
    "no_word": {"consentsToPromotionalEmail": "false", "consentsToPromotionalSMS": "FALSE"},
    "spelled": {"consentsToPromotionalSMS": False, "phone": "(303) 555-0142 "},
    "one": {"consentsToPromotionalSMS": False},
    "yes": {"isLoyal": True},
    "unsaid": {"consentsToPromotionalEmail": None, "consentsToPromotionalSMS": None},
    "moved": {**dict.fromkeys(YES, False), "phone": "+13035550199", "email": "moved@example.com"},
    "nowhere": {**dict.fromkeys(YES, False), "phone": "", "email": None},
    "upper": {"consentsToPromotionalEmail": False, "email": " UPPER@Example.com "},
}


def till_row(name: str, **changes: Any) -> dict[str, Any]:
    """Return a till's record of a customer."""
    number = 100 + sorted(SECOND).index(name)
    return {
        "id": f"fh-{name}", "createdAt": "2026-01-01T00:00:00Z", "type": "recCustomer", "name": f"{name.title()} Till",
        "birthDate": f"1980-01-{number - 90:02d}", "phone": f"+1303555{number:04d}", "email": f"{name}@example.com",
        "country": "US", **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def scene(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Let Ann be enrolled, tills say yes and then something else, and a list of the shelves land."""
    scene = Scene.on(deployed, tmp_path_factory.mktemp("watch") / "home", {})
    story.morning(scene)
    scene.flowhub_row("ann", KNOWN_SINCE, consents=YES)
    for name in SECOND:
        scene.land("flowhub", "customers", KNOWN_SINCE, till_row(name, **YES), f"fh-{name}:{'0' * 16}")
    scene.build(story.at(18, 10))
    for name, changes in SECOND.items():
        told = {**YES, **changes}
        if "phone" in changes and name == "spelled":
            told["phone"] = f"(303) 555-0{till_row(name)['phone'][-3:]} "
        scene.land("flowhub", "customers", story.at(18, 12), till_row(name, **told), f"fh-{name}:{'1' * 16}")
    for number, changes in enumerate(ORDERS):
        scene.land(
            "flowhub", "orders", story.at(18, 13), till_order(number, **changes), f"o{number}:{'0' * 16}"
        )
    land_shelves(
        scene, story.at(18, 14), [item(quantity=2), item("Gelato", quantity=0), item("Kush", lot="a:b")]
    )
    scene.build(story.at(18, 20))
    return scene


ORDERS: list[dict[str, Any]] = [
    {},
    {"voided": True},
    {"voided": "true"},
    {"orderStatus": "Voided"},
    {"orderStatus": "CANCELLED"},
    {"orderStatus": "created", "completedOn": None},
    {"originalSaleId": "o0"},
    {"customerId": ""},
    {"createdAt": None, "createdOn": "2026-03-15T18:12:30Z"},
    {"createdAt": "2026-03-15T18:12:30"},
    {"createdAt": "2026-03-15"},
    {"createdAt": "2026-03-17T18:12:30Z"},
    {"createdAt": "yesterday"},
]


def till_order(number: int, **changes: Any) -> dict[str, Any]:
    """Return an order of the till."""
    return {
        "id": f"o{number}", "locationId": "store", "customerId": f"fh-{number}",
        "createdAt": "2026-03-15T18:12:30.250Z", "completedOn": "2026-03-15T18:12:40Z", "voided": False,
        "orderStatus": "sold", "orderType": "instore", "totals": {"finalTotal": 10}, "itemsInCart": [], **changes,
    }  # fmt: skip


def landed(scene: Scene, stream: str) -> Iterator[Any]:
    """Yield what has landed of a stream of the till."""
    yield from scene.log.read("flowhub", stream)


def test_a_landed_decision_says_what_it_watches(scene: Scene) -> None:
    """Her accounts, because her flow ends when she buys, and the till that says yes; nothing else of hers."""
    [told] = [
        json.loads(record.payload)["enrollment"]
        for record in scene.log.read("perennial", "decisions")
        if json.loads(record.payload).get("outcome") == "enrolled"
    ]
    [jane] = scene.rows("select node from identity.int_identity__map where node like 'jane_user:%'")
    assert told["watch"] == [
        "buyer:flowhub_customer:fh-ann",
        f"buyer:{jane['node']}",
        "till:email:fh-ann",
        "till:sms:fh-ann",
    ]


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_sql_and_python_hear_the_same_refusals_of_a_till(scene: Scene, channel: Channel) -> None:
    """Of whom said yes before, to the address that she said it of."""
    flips = scene.rows(
        "select address from identity.int_identity__consent_evidence where basis = 'till_flip' and channel = ?",
        channel,
    )
    salt = salt_of(scene.settings)
    heard = {
        word.key: word.about
        for record in landed(scene, "customers")
        for word in till_words(record, salt)
        if word.about is not None and word.key.startswith(f"till:{channel}:")
    }
    yes = {
        f"till:{channel}:fh-{name}": till_row(name)[{"email": "email", "sms": "phone"}[channel]]
        for name in SECOND
    }
    closed = {
        address for key, address in yes.items() if heard.get(key) == address_hash(salt, channel, address)
    }
    assert closed == {row["address"] for row in flips}
    assert 3 <= len(closed) < len(SECOND)
    # and the end of the build says in which records they stand
    ends = [json.loads(record.payload) for record in scene.log.read("perennial", "moments")]
    places = {
        (one["seq"], one["row_no"])
        for end in ends
        for one in end.get("closed", ())
        if one["channel"] == channel
    }
    said = [
        refused_at_till(record, channel, salt)
        for record in landed(scene, "customers")
        if (record.seq, record.row_no) in places
    ]
    assert {word and word.address for word in said} == closed


def test_sql_and_python_know_the_same_sales(scene: Scene) -> None:
    """Whose they are and when they were made; what was called off, taken back or can't be used is none."""
    told = scene.rows(
        "select node, created_at from events.int_orders "
        "where node is not null and status not in ('canceled', 'refunded')"
    )
    found = [one for one in map(sale, landed(scene, "orders")) if one is not None]
    assert {(one.key, one.at and one.at.replace(tzinfo=None)) for one in found} == {
        (f"buyer:{row['node']}", row["created_at"]) for row in told
    }
    assert 4 <= len(found) < len(ORDERS)


def test_sql_and_python_know_the_same_items(scene: Scene) -> None:
    """By one key, and whether any is left."""
    told = scene.rows("select inventory_key, on_hand from staging.stg_flowhub__inventory")
    found = {(one.key, one.takes_back) for one in map(shelf, landed(scene, "inventory")) if one is not None}
    assert found == {(f"item:{row['inventory_key']}", row["on_hand"] > 0) for row in told}
    assert len(found) == 3
