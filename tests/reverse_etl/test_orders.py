"""Confirmed orders on their way into the till: once, or open and listed."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from perennial.clock import SandboxClock
from perennial.settings import Settings
from reverse_etl.destinations.registry import Configured, destinations_for
from reverse_etl.restore import restore_ledger
from sandbox.credentials import sandbox_environment
from tests.reverse_etl.pushing import start_push
from tests.reverse_etl.scene import JWT, NOON, Scene, order_push
from tests.reverse_etl.vendor import Reply, Vendor

MADE = Reply(200, {"customerExternalId": "c_1", "orderId": "pos-1", "status": "new"})


def takes(number: int, body: dict[str, Any]) -> Reply:
    """Take every order, with an id of its own; give a token to who asks."""
    del number
    if "grant_type" in body:
        return Reply(200, {"access_token": "fresh", "expires_in": 86_400, "token_type": "Bearer"})
    return Reply(200, {"orderId": f"pos-{body['customer']['externalId']}", "status": "new"})


def test_an_order_is_pushed_as_documented(scene: Scene, vendor: Vendor) -> None:
    """The API's own names and nothing else; the receipt refers to the till's order and shows nobody."""
    vendor.script = takes
    scene.decide(order_push(1), order_push(2, verdict="refused"))
    assert scene.push().by_destination == {"flowhub": {"accepted": 1}}
    assert vendor.calls == [
        {
            "externalCreatedAt": "2026-03-15T18:00:00+00:00",
            "customer": {
                "firstName": "Ann",
                "lastName": "Reyes1",
                "externalId": "c_1",
                "medRecOrBoth": "rec",
                "phone": "+13035550001",
            },
            "orderItems": [{"productId": "p-1", "quantityPurchased": 2}],
            "address": {"street1": "12 Elm St", "city": "Denver", "state": "CO", "zip": "80202"},
            "customerNote": "Ring twice",
            "orderType": "delivery",
            "fees": [{"name": "Delivery", "amount": 500}],
        }
    ]
    [receipt] = scene.order_receipts()
    assert (receipt["status"], receipt["cart_id"], receipt["reference"]) == ("accepted", "1", "pos-c_1")
    assert scene.receipts() == []
    assert "Reyes" not in json.dumps(receipt)


def test_a_secret_is_exchanged_once_and_again_when_it_ended(scene: Scene, vendor: Vendor) -> None:
    """A 401 under an exchanged token had no effect: one more call, with a new token."""
    scene.flowhub_token = "secret"  # noqa: S105 - opens nothing
    ended = iter([True, False, False])

    def script(number: int, body: dict[str, Any]) -> Reply:
        if "grant_type" not in body and next(ended):
            return Reply(401)
        return takes(number, body)

    vendor.script = script
    scene.decide(order_push(1), order_push(2))
    assert scene.push().by_destination == {"flowhub": {"accepted": 2}}
    asked = [body for body in vendor.calls if "grant_type" in body]
    assert [body["client_secret"] for body in asked] == ["secret", "secret"]
    bearers = [headers.get("authorization") for headers in vendor.headers]
    assert bearers.count("Bearer fresh") == 3


@pytest.mark.parametrize("exchange", [Reply(401), Reply(404)])
def test_what_is_not_exchanged_is_the_token(scene: Scene, vendor: Vendor, exchange: Reply) -> None:
    """As one client uses it."""
    scene.flowhub_token = "opaque"  # noqa: S105 - opens nothing
    vendor.script = lambda number, body: exchange if "grant_type" in body else takes(number, body)
    scene.decide(order_push(1))
    assert scene.push().by_destination == {"flowhub": {"accepted": 1}}
    assert vendor.headers[-1]["authorization"] == "Bearer opaque"


def test_without_a_token_nothing_was_pushed(scene: Scene, vendor: Vendor) -> None:
    """An exchange that is down leaves the orders waiting."""
    scene.flowhub_token = "secret"  # noqa: S105 - opens nothing
    vendor.script = lambda _number, _body: Reply(500)
    scene.decide(order_push(1))
    assert scene.push().by_destination == {"flowhub": {"pending": 1}}
    assert all("grant_type" in body for body in vendor.calls)


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (Reply(422, {"errors": ["orderItems[0].productId: unknown product"]}), "rejected", "unknown product"),
        (Reply(422, {"errors": ["Reyes1 at +13035550001 is blocked"]}), "rejected", "HTTP 422"),
        (Reply(500), "ambiguous", "HTTP 500"),
        (Reply(200, {"status": "new"}), "ambiguous", "without an order id"),
        (Reply(200, ["a page", "of a proxy"]), "ambiguous", "without an order id"),
        (Reply(hangs_up=True, keeps=True), "ambiguous", "no answer"),
    ],
)
def test_what_an_answer_means(scene: Scene, vendor: Vendor, reply: Reply, status: str, said: str) -> None:
    """A refusal is a dead letter; what may have happened is listed and never called again."""
    vendor.script = lambda _number, _body: reply
    scene.decide(order_push(1))
    assert scene.push().by_destination == {"flowhub": {status: 1}}
    assert scene.push().by_destination == {}
    assert len(vendor.calls) == 1
    [receipt] = scene.order_receipts()
    assert said in receipt["error"]
    assert "Reyes1" not in str(receipt)
    assert "+1303555" not in str(receipt)
    assert scene.report().ambiguous == (["o000001"] if status == "ambiguous" else [])


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_and_are_named(scene: Scene, vendor: Vendor, status: int) -> None:
    """The orders wait for the mended setting."""
    vendor.script = lambda _number, _body: Reply(status)
    scene.decide(order_push(1), order_push(2), order_push(3))
    report = scene.push()
    assert report.by_destination == {"flowhub": {"pending": 3}}
    assert "FLOWHUB_ORDER_AHEAD_TOKEN" in report.stopped["flowhub"]
    vendor.script = takes
    assert scene.push().by_destination == {"flowhub": {"accepted": 3}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "dismissed"}, "canceled"),
        ({"status": "preparing", "pos_order_id": "pos-9"}, "at_pos"),
        ({"status": "delivery_finished"}, "fulfilled"),
        ({"status": "finished"}, "fulfilled"),
        ({"status": "finished_without_review"}, "fulfilled"),
        ({"status": "with_review"}, "fulfilled"),
    ],
)
def test_what_landed_since_ends_a_push(
    scene: Scene, vendor: Vendor, change: dict[str, Any], reason: str
) -> None:
    """An order that is canceled, handed out, or that Jane has put into the till meanwhile, is not pushed."""
    scene.decide(order_push(1), order_push(2))
    scene.land("jane/cart_status", {"cart": {"id": 1, "pos_order_id": None, **change}})
    vendor.script = takes
    assert scene.push().by_destination == {"flowhub": {"accepted": 1, "exited": 1}}
    ended = [receipt for receipt in scene.order_receipts() if receipt["status"] == "exited"]
    assert [(receipt["cart_id"], receipt["error"]) for receipt in ended] == [("1", reason)]


def test_what_was_known_at_the_decision_ends_nothing(scene: Scene, vendor: Vendor) -> None:
    """The status that confirmed the order is no news."""
    scene.land("jane/cart_status", {"cart": {"id": 1, "status": "preparing", "pos_order_id": None}})
    scene.decide(order_push(1))
    scene.land("jane/cart_status", {"cart": {"id": 1, "status": "ready_for_pickup", "pos_order_id": None}})
    vendor.script = takes
    assert scene.push().by_destination == {"flowhub": {"accepted": 1}}


def test_nothing_is_pushed_a_day_after_it_was_confirmed(scene: Scene, vendor: Vendor) -> None:
    """An order that waited too long for Flowhub is listed as expired; its last instant still counts."""
    scene.decide(order_push(1))
    vendor.script = lambda _number, _body: Reply(401)
    assert scene.push().by_destination == {"flowhub": {"pending": 1}}
    vendor.script = takes
    scene.clock.advance(hours=24)
    assert scene.push().by_destination == {"flowhub": {"accepted": 1}}
    scene.decide(order_push(2))
    scene.clock.advance(seconds=1)
    assert scene.push().by_destination == {"flowhub": {"expired": 1}}
    statuses = {receipt["cart_id"]: receipt["status"] for receipt in scene.order_receipts()}
    assert statuses == {"1": "accepted", "2": "expired"}


def test_switched_off_ends_what_waits(scene: Scene, vendor: Vendor) -> None:
    """Switched on again it begins with what is new; what lacks a credential only waits."""
    scene.decide(order_push(1))
    assert scene.push(destinations=Configured((), {"flowhub": "x"})).by_destination == {
        "flowhub": {"pending": 1}
    }
    off = Configured((), {}, {"flowhub": "FLOWHUB_SYNC_ORDERS is off"})
    assert scene.push(destinations=off).by_destination == {"flowhub": {"exited": 1}}
    assert scene.push().by_destination == {}
    assert vendor.calls == []


def test_the_switch_and_the_credentials_decide_what_is_ready() -> None:
    """Off is no fault; on without credentials names them."""
    assert "flowhub" in destinations_for(Settings(_env_file=None)).off
    half = Settings(_env_file=None, flowhub_sync_orders=True, flowhub_order_ahead_client_id="oa")
    assert "FLOWHUB_ORDER_AHEAD_TOKEN" in destinations_for(half).missing["flowhub"]
    whole = half.model_copy(update={"flowhub_order_ahead_token": "oa-secret"})
    [ready] = destinations_for(Settings(**{**whole.model_dump(), "_env_file": None}), ["flowhub"]).ready
    assert "oa-secret" not in repr(ready)


def test_a_lost_ledger_knows_what_the_till_took(scene: Scene, vendor: Vendor) -> None:
    """What was accepted stays so; what has no receipt is open."""
    vendor.script = takes
    scene.decide(order_push(1))
    scene.push()
    scene.decide(order_push(2))
    for file in scene.home.glob("ledger.sqlite*"):
        file.unlink()
    ledger = scene.open()
    assert restore_ledger(ledger, scene.log, scene.clock) == {"accepted": 1, "ambiguous": 1}
    ledger.close()
    scene.push()
    assert len(vendor.calls) == 1
    assert [receipt["reference"] for receipt in scene.order_receipts()] == ["pos-c_1", None]


@pytest.mark.parametrize(
    "place",
    [
        "exported_not_in_ledger",
        "attempting",
        "attempting:3",
        "answered_not_committed:2",
        "committed_not_landed",
        "receipts_planned:2",
        "receipts_landed",
    ],
)
def test_a_push_that_dies_pushes_no_order_twice(tmp_path: Path, vendor: Vendor, place: str) -> None:
    """Each order is in the till once, or it is open and listed; nothing is lost."""
    vendor.script = takes
    scene = Scene(tmp_path)
    scene.decide(*(order_push(number) for number in range(8)))
    clock = SandboxClock(tmp_path / "sandbox" / "clock.json")
    clock.set(NOON, running=False)
    environment = sandbox_environment(tmp_path, 1, 1) | {
        "FLOWHUB_BASE_URL": vendor.url,
        "FLOWHUB_SYNC_ORDERS": "true",
        "FLOWHUB_ORDER_AHEAD_TOKEN": JWT,
    }
    exits = []
    for crash_at in (place, "", ""):
        process = start_push(environment, crash_at)
        process.join(60)
        exits.append(process.exitcode)
    assert exits == [137, 0, 0]
    taken = Counter(body["customer"]["externalId"] for body in vendor.kept)
    report = scene.report()
    assert set(taken.values()) == {1}
    missing = {f"o{number:06d}" for number in range(8)} - {f"o{int(one[2:]):06d}" for one in taken}
    assert missing <= set(report.ambiguous)
    accepted = report.counts["flowhub"].get("accepted", 0)
    assert accepted + len(report.ambiguous) == report.total == 8
    assert len(report.ambiguous) <= 2, "no more than the calls in flight"
    last = {receipt["enrollment_id"]: receipt["status"] for receipt in scene.order_receipts()}
    assert Counter(last.values())["accepted"] == accepted
    assert len(last) == 8
