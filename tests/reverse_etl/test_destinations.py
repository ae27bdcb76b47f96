"""What each destination sends, refuses, and makes of an answer."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from reverse_etl.destinations.http import Caller
from reverse_etl.destinations.klaviyo import REVISION
from reverse_etl.destinations.scrub import scrub
from tests.reverse_etl.scene import EMAIL, NOON, PHONE, Scene, SetClock, decision
from tests.reverse_etl.vendor import Reply, Vendor

JSON_API_ERROR = {
    "errors": [
        {
            "id": "x",
            "code": "invalid",
            "title": "Invalid input.",
            "detail": "'ann7@example.com' is not a valid address, nor is ann7@example.com",
            "source": {"pointer": "/data/attributes/profile/data/attributes/email"},
        }
    ]
}


def test_an_aiq_event_is_as_documented(scene: Scene, vendor: Vendor) -> None:
    """Fields, header, epoch seconds; the context flat beside our id."""
    scene.decide(decision(7))
    scene.push()
    assert vendor.calls == [
        {
            "integratorSlug": "slug",
            "eventName": "cart_abandoned_recovery",
            "eventDisplayName": "Cart abandoned recovery",
            "timestamp": int(NOON.timestamp()),
            "event": {
                "cart_id": "7",
                "cart_total": 41.8,
                "utm_campaign": "cart-abandoned-recovery",
                "enrollment_id": "d000007",
                "flow": "cart_abandoned_recovery",
                "channels": "sms,email",
            },
            "phone": "+13035550007",
            "email": "ann7@example.com",
            "srcID": "fh-7",
        }
    ]
    assert vendor.headers[0]["x-apikey"] == "aiq-key"


def test_a_klaviyo_event_is_as_documented(scene: Scene, vendor: Vendor) -> None:
    """JSON:API, revision, unique_id; never a phone number."""
    scene.decide(decision(7, destination="klaviyo"))
    scene.push()
    [event] = vendor.calls
    assert event == {
        "data": {
            "type": "event",
            "attributes": {
                "unique_id": "d000007",
                "time": "2026-03-15T18:00:00Z",
                "properties": {"cart_id": "7", "cart_total": 41.8, "utm_campaign": "cart-abandoned-recovery"},
                "metric": {
                    "data": {"type": "metric", "attributes": {"name": "Cart abandoned recovery"}},
                },
                "profile": {
                    "data": {
                        "type": "profile",
                        "attributes": {"email": "ann7@example.com", "external_id": "c_7"},
                    },
                },
            },
        }
    }
    headers = vendor.headers[0]
    assert headers["authorization"] == "Klaviyo-API-Key klaviyo-key"
    assert headers["revision"] == REVISION
    assert headers["content-type"] == "application/vnd.api+json"


def test_sms_never_goes_to_klaviyo(scene: Scene, vendor: Vendor) -> None:
    """A row without e-mail is refused before any call, one with both channels goes as e-mail."""
    scene.decide(decision(1, destination="klaviyo", channels=["sms"]), decision(2, destination="klaviyo"))
    assert scene.push().by_destination == {"klaviyo": {"accepted": 1, "rejected": 1}}
    assert "+1303" not in json.dumps(vendor.calls)
    rejected = next(receipt for receipt in scene.receipts() if receipt["status"] == "rejected")
    assert rejected["error"] == "Klaviyo takes e-mail only, and email is not among the open channels"
    assert rejected["attempts"] == 0


def test_a_flow_name_that_aiq_would_refuse_is_refused_here(scene: Scene, vendor: Vendor) -> None:
    """A name becomes a trait for good, so a bad one must not get there."""
    scene.decide(decision(1, flow_name="Cart-Abandoned"))
    scene.push()
    assert vendor.calls == []
    assert scene.receipts()[0]["error"].startswith("flow_name can't be an AIQ event name")


@pytest.mark.parametrize(
    ("destination", "reply", "status", "calls", "said"),
    [
        ("aiq", Reply(200, {"success": True}), "accepted", 1, None),
        ("aiq", Reply(200), "accepted", 1, None),
        (
            "aiq",
            Reply(200, {"success": False, "errors": [{"message": "unknown integrator"}]}),
            "rejected",
            1,
            "unknown integrator",
        ),
        ("aiq", Reply(422, {"errors": [{"message": "bad 'x'"}]}), "rejected", 1, "HTTP 422: bad …"),
        ("aiq", Reply(200, ["a page", "of a proxy"]), "ambiguous", 1, "without AIQ's JSON envelope"),
        ("aiq", Reply(500), "ambiguous", 1, "HTTP 500"),
        ("aiq", Reply(503), "ambiguous", 1, "HTTP 503"),
        ("aiq", Reply(hangs_up=True), "ambiguous", 1, "no answer"),
        ("klaviyo", Reply(202), "accepted", 1, None),
        ("klaviyo", Reply(400, JSON_API_ERROR), "rejected", 1, "attributes/email: … is not a valid"),
        ("klaviyo", Reply(500), "ambiguous", 3, "HTTP 500"),
        ("klaviyo", Reply(hangs_up=True), "ambiguous", 3, "no answer"),
    ],
)
def test_what_an_answer_means(
    scene: Scene,
    vendor: Vendor,
    destination: str,
    reply: Reply,
    status: str,
    calls: int,
    said: str | None,
) -> None:
    """An unknown outcome is asked for again where the vendor dedupes, and waits for a person where not."""
    vendor.script = lambda _number, _body: reply
    scene.decide(decision(7, destination=destination))
    assert scene.push().by_destination == {destination: {status: 1}}
    assert len(vendor.calls) == calls
    receipt = scene.receipts()[-1]
    assert (receipt["status"], receipt["attempts"]) == (status, calls)
    assert receipt["error"] is None if said is None else said in receipt["error"]
    assert "ann7@example.com" not in str(receipt)


@pytest.mark.parametrize("destination", ["aiq", "klaviyo"])
@pytest.mark.parametrize(
    "reply", [Reply(429, headers={"Retry-After": "1"}), Reply(503, headers={"Retry-After": "1"}), Reply(425)]
)
def test_what_had_no_effect_is_sent_again_everywhere(
    scene: Scene, vendor: Vendor, destination: str, reply: Reply
) -> None:
    """A refusal for now leaves no doubt, so it ends in one effect with two attempts."""
    vendor.script = lambda number, _body: reply if number == 1 else Reply()
    scene.decide(decision(7, destination=destination))
    assert scene.push().by_destination == {destination: {"accepted": 1}}
    assert [receipt["attempts"] for receipt in scene.receipts()] == [2]
    assert vendor.calls[0] == vendor.calls[1]


@pytest.mark.parametrize(
    ("destination", "status", "said"),
    [("aiq", 401, "check {}_API_KEY"), ("klaviyo", 302, "check {}_BASE_URL")],
)
def test_a_wrong_setting_stops_the_run_and_is_named(
    scene: Scene, vendor: Vendor, destination: str, status: int, said: str
) -> None:
    """No row is lost to it: they wait for the mended setting."""
    vendor.script = lambda _number, _body: Reply(status)
    scene.decide(*(decision(number, destination=destination) for number in range(40)))
    lines: list[str] = []
    report = scene.push(on_progress=lines.append)
    assert report.by_destination == {destination: {"pending": 40}}
    assert said.format(destination.upper()) in report.stopped[destination]
    assert said.format(destination.upper()) in lines[-1]
    assert len(vendor.calls) <= 16
    vendor.script = lambda _number, _body: Reply()
    assert scene.push().by_destination == {destination: {"accepted": 40}}


def test_a_vendor_that_is_down_leaves_everything_waiting(scene: Scene) -> None:
    """A refused connection had no effect anywhere; the run ends instead of trying row after row."""
    scene.aiq_url = scene.klaviyo_url = "http://127.0.0.1:9"
    scene.decide(*(decision(number, destination=("aiq", "klaviyo")[number % 2]) for number in range(100)))
    report = scene.push()
    assert report.by_destination == {"aiq": {"pending": 50}, "klaviyo": {"pending": 50}}
    assert "not reached" in report.stopped["aiq"]
    assert "AIQ_BASE_URL" in report.stopped["aiq"]


def test_a_vendor_that_loses_every_answer_is_left_alone(scene: Scene, vendor: Vendor) -> None:
    """After a few rows whose every try was lost; the others wait, known to have been tried together."""
    vendor.script = lambda _number, _body: Reply(500)
    scene.decide(*(decision(number, destination="klaviyo") for number in range(50)))
    report = scene.push()
    assert report.by_destination == {"klaviyo": {"ambiguous": 50}}
    assert len(vendor.calls) < 20
    assert "HTTP 500" in report.stopped["klaviyo"]
    vendor.script = lambda _number, _body: Reply()
    assert scene.push().by_destination == {"klaviyo": {"accepted": 50}}


def test_a_row_that_is_refused_for_now_every_time_does_not_end_the_run(scene: Scene, vendor: Vendor) -> None:
    """It waits for the next push, the others go out."""
    vendor.script = lambda _number, body: Reply(
        429 if body["srcID"] == "fh-3" else 200, headers={"Retry-After": "0"}
    )
    scene.decide(*(decision(number) for number in range(10)))
    report = scene.push()
    assert report.by_destination == {"aiq": {"accepted": 9, "pending": 1}}
    assert report.stopped == {}


def test_a_long_pause_is_left_to_a_later_push(scene: Scene, vendor: Vendor) -> None:
    """Nobody waits an hour inside a push."""
    vendor.script = lambda _number, _body: Reply(429, headers={"Retry-After": "3600"})
    scene.decide(*(decision(number) for number in range(10)))
    report = scene.push()
    assert report.by_destination == {"aiq": {"pending": 10}}
    assert "pause of 3600 s" in report.stopped["aiq"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("Sun, 15 Mar 2026 18:00:30 GMT", 30), ("soon", None), ("", None)],
)
def test_retry_after_is_read_in_both_its_forms(header: str, seconds: float | None) -> None:
    """As seconds, or as a date on our clock."""

    async def answer() -> Any:
        transport = httpx.MockTransport(lambda _request: httpx.Response(429, headers={"Retry-After": header}))
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        async with Caller(lambda: client, SetClock(), "KEY", "URL") as caller:
            return await caller.post("/", {})

    assert asyncio.run(answer()).retry_after == seconds


@pytest.mark.parametrize(
    "said",
    [
        f"bad value {EMAIL}",
        f"{PHONE} is taken",
        "call (303) 555-0142",
        "Ann  Reyes is unknown",
        'value "secret" given',
        "code ABC-1 used up",
    ],
)
def test_what_a_vendor_says_shows_nothing_that_was_sent(said: str) -> None:
    """Values that we sent, and what looks like an address, are blanked."""
    sent = {"event": {"name": "Ann Reyes", "code": "ABC-1"}, "lines": [{"note": "secret"}]}
    shown = scrub(said, sent)
    for value in (EMAIL, PHONE, "555", "Ann Reyes", "secret", "ABC-1"):
        assert value not in shown


def test_keys_are_not_shown(scene: Scene) -> None:
    """A destination in a log line or a traceback shows where it is, not its key."""
    assert "key" not in str(scene.destinations()).replace("api_key", "").replace("Key", "")
