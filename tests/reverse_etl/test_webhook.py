"""Signed webhooks: what is posted, who can check it, and what comes of trying again."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import standardwebhooks
import time_machine
from pydantic import ValidationError

from perennial.settings import Settings
from reverse_etl.destinations.registry import Configured
from reverse_etl.destinations.webhook import Webhook, batches_of
from reverse_etl.kinds import EXIT
from sandbox.credentials import WEBHOOK_SIGNING_SECRET
from sandbox.faults import Fault
from tests.reverse_etl.rows import BOTH, closed, row
from tests.reverse_etl.sandbox_vendors import Vendors, serving_sandbox
from tests.reverse_etl.scene import NOON, SIGNING_SECRET, Scene, SetClock, decision
from tests.reverse_etl.vendor import Reply, Vendor

OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGhlLXRlc3Q="  # noqa: S105 - of a test


def receiver(clock: SetClock, vendors: Vendors) -> Webhook:
    """Return the destination whose receiver is the sandbox's."""
    return Webhook(f"{vendors.url}/webhook/events", [WEBHOOK_SIGNING_SECRET], clock)


def post(vendors: Vendors, content: bytes, headers: dict[str, str]) -> int:
    """Post what somebody else might."""
    return httpx.post(f"{vendors.url}/webhook/events", content=content, headers=headers).status_code


def test_a_message_is_as_the_standard_says(scene: Scene, vendor: Vendor) -> None:
    """The standard's own library takes the signature; the id is ours, and the body says the rest."""
    scene.decide(decision(7, destination="webhook"))
    assert scene.push().by_destination == {"webhook": {"accepted": 1}}
    with time_machine.travel(NOON, tick=False):
        message = standardwebhooks.Webhook(SIGNING_SECRET).verify(vendor.raw[0], vendor.headers[0])
    assert vendor.headers[0]["webhook-id"] == "d000007"
    assert message == {
        "id": "d000007",
        "type": "enrollment.created",
        "timestamp": "2026-03-15T18:00:00Z",
        "data": {
            "enrollment_id": "d000007",
            "flow": "cart_abandoned_recovery",
            "flow_display_name": "Cart abandoned recovery",
            "customer_id": "c_7",
            "channels": ["sms", "email"],
            "recipient": {
                "phone": "+13035550007",
                "email": "ann7@example.com",
                "flowhub_customer_id": "fh-7",
            },
            "kind": "marketing",
            "triggered_at": "2026-03-15T18:00:00Z",
            "expires_at": "2026-03-15T18:30:00Z",
            "context": {"cart_id": "7", "cart_total": 41.8, "utm_campaign": "cart-abandoned-recovery"},
        },
    }


def test_ends_and_closed_addresses_have_types_of_their_own() -> None:
    """An end names the enrollment; a closed address is told with nothing else of the person."""
    webhook = Webhook("https://hooks.example.com/", [SIGNING_SECRET], SetClock())
    ended = webhook.body(row(7, EXIT), BOTH)
    assert (ended["id"], ended["type"]) == ("d000007:exit", "enrollment.exited")
    assert (ended["data"]["enrollment_id"], ended["data"]["reason"]) == ("d000007", "bought")
    assert webhook.body(closed("sms"), ()) == {
        "id": "opt_out:sms:7",
        "type": "address.opted_out",
        "timestamp": "2026-03-15T18:00:00Z",
        "data": {
            "channel": "sms",
            "address": "+13035550007",
            "reason": "unsubscribed",
            "said_at": "2026-03-15T17:59:58Z",
        },
    }


@pytest.mark.parametrize("known", [SIGNING_SECRET, OTHER_SECRET])
def test_while_a_secret_is_rotated_either_is_enough(vendor: Vendor, known: str) -> None:
    """A receiver that has the new one and one that still has the old one both take the call."""
    webhook = Webhook(vendor.url, [SIGNING_SECRET, OTHER_SECRET], SetClock())
    asyncio.run(webhook.check())
    with time_machine.travel(NOON, tick=False):
        standardwebhooks.Webhook(known).verify(vendor.raw[0], vendor.headers[0])
    with pytest.raises(standardwebhooks.WebhookVerificationError), time_machine.travel(NOON, tick=False):
        standardwebhooks.Webhook(b"a secret that nobody uses").verify(vendor.raw[0], vendor.headers[0])


def test_another_try_is_signed_anew_under_the_same_id(scene: Scene, vendor: Vendor) -> None:
    """So an old signature opens nothing, and the receiver knows the message again."""

    def answer(number: int, _body: dict[str, Any]) -> Reply:
        scene.clock.advance(minutes=1)
        return Reply(500) if number == 1 else Reply()

    vendor.script = answer
    scene.decide(decision(7, destination="webhook"))
    assert scene.push().by_destination == {"webhook": {"accepted": 1}}
    first, second = vendor.headers
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 60
    assert first["webhook-signature"] != second["webhook-signature"]
    assert vendor.raw[0] == vendor.raw[1]


def test_a_lost_answer_has_one_effect(tmp_path: Path) -> None:
    """The receiver took the first, and drops the second by its id: after a restart, too."""
    clock = SetClock()
    scene = Scene(tmp_path, clock=clock)
    with serving_sandbox(tmp_path, clock) as vendors:
        vendors.faults.add(Fault("webhook", "reset_after"))
        scene.decide(*(decision(number, destination="webhook") for number in range(3)))
        webhook = replace(receiver(clock, vendors), concurrency=1)
        assert scene.push(destinations=Configured((webhook,))).by_destination == {"webhook": {"accepted": 3}}
        assert vendors.received.outcomes("webhook") == {"accepted": 3, "duplicate": 1}
    with serving_sandbox(tmp_path, clock) as vendors:
        body = vendors.webhooks()[0]
        content = json.dumps(body).encode()
        assert post(vendors, content, receiver(clock, vendors).signed(body["id"], content.decode())) == 200
        assert vendors.received.outcomes("webhook") == {"accepted": 3, "duplicate": 2}


def test_rows_share_a_call_where_the_receiver_reads_batches(tmp_path: Path) -> None:
    """A lost answer brings each of them once more, alone: the receiver knows them by their own ids."""
    clock = SetClock()
    scene = Scene(tmp_path, clock=clock)
    with serving_sandbox(tmp_path, clock) as vendors:
        vendors.faults.add(Fault("webhook", "reset_after"))
        scene.decide(*(decision(number, destination="webhook") for number in range(20)))
        webhook = replace(receiver(clock, vendors), batch=batches_of(10), concurrency=1)
        assert scene.push(destinations=Configured((webhook,))).by_destination == {"webhook": {"accepted": 20}}
        assert vendors.received.outcomes("webhook") == {"accepted": 20, "duplicate": 10}
        assert {body["id"] for body in vendors.webhooks()} == {f"d{number:06d}" for number in range(20)}


def test_a_refused_batch_is_halved_until_the_bad_row_is_alone(scene: Scene, vendor: Vendor) -> None:
    """The others go out, in as few calls as that takes."""

    def answer(_number: int, body: dict[str, Any]) -> Reply:
        told = body["data"]["messages"] if body["type"] == "perennial.batch" else [body]
        return Reply(422) if "d000005" in {one["id"] for one in told} else Reply()

    vendor.script = answer
    scene.decide(*(decision(number, destination="webhook") for number in range(8)))
    webhook = Webhook(vendor.url, [SIGNING_SECRET], scene.clock, batch=batches_of(8))
    report = scene.push(destinations=Configured((webhook,)))
    assert report.by_destination == {"webhook": {"accepted": 7, "rejected": 1}}
    assert len(vendor.raw) == 7  # 8; 4 and 4; 2 and 2 of the bad half; 1 and 1


def test_the_receiver_refuses_what_it_cannot_prove(tmp_path: Path) -> None:
    """Unsigned, forged, changed on the way, and old calls."""
    clock = SetClock()
    with serving_sandbox(tmp_path, clock) as vendors:
        webhook = receiver(clock, vendors)
        content = json.dumps(webhook.body(row(), BOTH))
        good = webhook.signed("d000007", content)
        forged = Webhook(webhook.url, [OTHER_SECRET], clock).signed("d000007", content)
        assert post(vendors, content.encode(), {}) == 401
        assert post(vendors, content.encode(), forged) == 401
        assert post(vendors, content.replace("ann7", "eve7").encode(), good) == 401
        assert post(vendors, content.encode(), {**good, "webhook-id": "d000008"}) == 401
        for minutes in (6, -12):
            clock.advance(minutes=minutes)
            assert post(vendors, content.encode(), good) == 401
        clock.advance(minutes=6)
        assert post(vendors, content.encode(), good) == 200
        assert vendors.received.outcomes("webhook") == {"unauthorized": 6, "accepted": 1}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("webhook_url", "http://hooks.example.com/in"),
        ("webhook_url", "hooks.example.com"),
        ("webhook_signing_secret", "not-prefixed-but-long-enough-to-be-one"),
        ("webhook_signing_secret", "whsec_c2hvcnQ="),
        ("webhook_signing_secret", "whsec_no base64 at all no base64 at all"),
    ],
)
def test_a_setting_that_would_not_keep_addresses_safe_is_refused(setting: str, value: str) -> None:
    """Nothing is sent in the clear or under a guessable secret; the message does not show it."""
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({setting: value})
    shown = str(refused.value.errors(include_input=False, include_url=False, include_context=False))
    assert setting in shown
    assert value not in shown
