"""Each destination's contract: what is asked of a vendor, and what is made of each of its answers."""

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyrate_limiter import Rate

from reverse_etl.addresses import Channel
from reverse_etl.destinations import http
from reverse_etl.destinations.aiq import Aiq
from reverse_etl.destinations.base import Answer, Destination, Effect, RefusedError
from reverse_etl.destinations.csv_drop import CsvDrop
from reverse_etl.destinations.drop_folder import drop_folder
from reverse_etl.destinations.klaviyo import (
    BULK,
    BULK_RATES,
    DEFAULT_RATES,
    DELETIONS,
    EVENTS,
    IMPORT,
    LEAST_EVENTS,
    PROFILE_RATES,
    REVISION,
    SUPPRESSIONS,
    Klaviyo,
)
from reverse_etl.destinations.klaviyo_profiles import BULK_IMPORT, JOBS, bulk_import, one_import, profile_of
from reverse_etl.destinations.webhook import Webhook
from reverse_etl.kinds import EXIT
from reverse_etl.ledger.rows import Enrollment
from sandbox.klaviyo.state import LIMITS
from tests.reverse_etl.judges import OPENAPI, judge, judges_of_klaviyo, openapi, signed_by
from tests.reverse_etl.rows import BOTH, closed, row
from tests.reverse_etl.scene import SIGNING_SECRET, SetClock
from tests.reverse_etl.vendor import Reply, Vendor

POINTER = "/data/attributes/profile/data/attributes/email"
JSON_API = {"errors": [{"id": "x", "code": "invalid", "detail": "bad", "source": {"pointer": POINTER}}]}
PROXY = b"<html>Bad gateway of a proxy</html>"


@dataclass(frozen=True)
class Call:
    """One kind of call: its destination, and the rows that it is made of."""

    destination: Destination
    rows: Sequence[Enrollment]
    keys: str
    address: str

    def make(self) -> Answer:
        """Make it; every row gets the same answer."""

        async def send() -> Sequence[Answer]:
            bodies = [self.destination.body(one, BOTH) for one in self.rows]
            async with self.destination.session() as session:
                return await session.send(bodies)

        answers = asyncio.run(send())
        assert len(answers) == len(self.rows)
        assert len(set(answers)) == 1
        return answers[0]


def calls_at(url: str) -> Mapping[str, Call]:
    """Return every kind of call over HTTP, to one place."""
    clock = SetClock()
    aiq = Aiq(url, "aiq-key", "slug", clock)
    klaviyo = Klaviyo(url, "klaviyo-key", clock, suppression_key="suppression-key")
    webhook = Webhook(url, [SIGNING_SECRET], clock)
    ours = ("KLAVIYO_API_KEY", "KLAVIYO_BASE_URL")
    return {
        "aiq": Call(aiq, [row()], "AIQ_API_KEY", "AIQ_BASE_URL"),
        "aiq exit": Call(aiq, [row(7, EXIT)], "AIQ_API_KEY", "AIQ_BASE_URL"),
        "aiq opt-out": Call(aiq, [closed("sms")], "AIQ_API_KEY", "AIQ_BASE_URL"),
        "klaviyo": Call(klaviyo, [row()], *ours),
        "klaviyo job": Call(klaviyo, [row(1), row(2), row(3)], *ours),
        "klaviyo exit": Call(klaviyo, [row(7, EXIT)], *ours),
        "klaviyo opt-out": Call(klaviyo, [closed("email")], *ours),
        "webhook": Call(webhook, [row()], "WEBHOOK_SIGNING_SECRET", "WEBHOOK_URL"),
        "webhook exit": Call(webhook, [row(7, EXIT)], "WEBHOOK_SIGNING_SECRET", "WEBHOOK_URL"),
        "webhook opt-out": Call(webhook, [closed("email")], "WEBHOOK_SIGNING_SECRET", "WEBHOOK_URL"),
    }


# What an answer means is asked of each way in which answers are read.
each_call = pytest.mark.parametrize("kind", ["aiq", "klaviyo", "klaviyo job", "klaviyo opt-out", "webhook"])


def answer_to(vendor: Vendor, kind: str, reply: Reply) -> Answer:
    """Make a call that gets a reply."""
    vendor.script = lambda _number, _body: reply
    return calls_at(vendor.url)[kind].make()


@pytest.mark.parametrize("kind", calls_at(""))
def test_what_is_taken(vendor: Vendor, kind: str) -> None:
    """By any 2xx; and every request is in order, or the fixture says why not."""
    for status in (200, 201, 202, 204):
        assert answer_to(vendor, kind, Reply(status)).effect is Effect.TAKEN
    assert vendor.paths


@each_call
def test_what_is_refused(vendor: Vendor, kind: str) -> None:
    """For good where it is one row, with the vendor's word; a job is taken apart to find the bad one."""
    refused = Effect.SPLIT if kind == "klaviyo job" else Effect.REFUSED
    for status in (400, 409, 413, 422):
        answer = answer_to(vendor, kind, Reply(status, JSON_API))
        assert (answer.effect, f"HTTP {status}" in (answer.reason or "")) == (refused, True)
        assert (POINTER in (answer.reason or "")) == kind.startswith("klaviyo")
        # a proxy's page says nothing more
        answer = answer_to(vendor, kind, Reply(status, PROXY))
        assert (answer.effect, answer.reason) == (refused, f"HTTP {status}")


@each_call
def test_an_answer_that_is_not_json(vendor: Vendor, kind: str) -> None:
    """AIQ's word is in its body, so a page of somebody else is no word; the others say it by their status."""
    answer = answer_to(vendor, kind, Reply(200, PROXY))
    assert answer.effect is (Effect.UNKNOWN if kind == "aiq" else Effect.TAKEN)


@each_call
def test_what_no_other_call_would_fare_better_with_stops_the_run(vendor: Vendor, kind: str) -> None:
    """And names the setting. A redirect is not followed: it would carry addresses to a place that nobody set."""
    call = calls_at("")[kind]
    for status in (401, 403, 301, 302, 307, 308, 404, 405):
        answer = answer_to(
            vendor, kind, Reply(status, JSON_API, headers={"Location": f"{vendor.url}/elsewhere"})
        )
        setting = call.keys if status in (401, 403) else call.address
        assert (answer.effect, setting in (answer.reason or "")) == (Effect.STOP, True)
    assert len(vendor.calls) == 8


def test_a_receiver_that_is_gone_stops_the_run(vendor: Vendor) -> None:
    """410 is how a receiver says that it wants no more of these."""
    answer = answer_to(vendor, "webhook", Reply(410))
    assert (answer.effect, "WEBHOOK_URL" in (answer.reason or "")) == (Effect.STOP, True)


@each_call
def test_what_had_no_effect(vendor: Vendor, kind: str) -> None:
    """It may be sent again everywhere, after the time that the vendor names."""
    for reply, wait in (
        (Reply(429, headers={"Retry-After": "7"}), 7.0),
        (Reply(429), None),
        (Reply(425), None),
        (Reply(503, headers={"Retry-After": "7"}), 7.0),
    ):
        answer = answer_to(vendor, kind, reply)
        assert (answer.effect, answer.retry_after) == (Effect.NONE, wait)
        assert answer.is_throttled == (reply.status == 429)


@each_call
def test_what_may_have_had_an_effect(vendor: Vendor, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of a server, resets whether it kept the call or not, time-outs: of a job every row is in doubt."""
    for status in (408, 500, 502, 503, 504):
        assert answer_to(vendor, kind, Reply(status, PROXY)).effect is Effect.UNKNOWN
    monkeypatch.setattr(http, "_TIMEOUT", httpx.Timeout(0.1))
    for reply in (Reply(keeps=False, hangs_up=True), Reply(keeps=True, hangs_up=True), Reply(delay=0.3)):
        answer = answer_to(vendor, kind, reply)
        assert (answer.effect, answer.reached) == (Effect.UNKNOWN, True)


@each_call
def test_nobody_there_has_no_effect(kind: str) -> None:
    """A connection that was never made leaves no doubt."""
    answer = calls_at("http://127.0.0.1:9")[kind].make()
    assert (answer.effect, answer.reached) == (Effect.NONE, False)
    assert calls_at("")[kind].address in (answer.reason or "")


def test_a_suppression_that_is_refused_names_its_own_key(vendor: Vendor) -> None:
    """The profile is told first; the key that may suppress is another one."""
    vendor.script = lambda number, _body: Reply(202 if number == 1 else 403)
    answer = calls_at(vendor.url)["klaviyo opt-out"].make()
    assert vendor.paths == [IMPORT, SUPPRESSIONS]
    assert [headers["authorization"] for headers in vendor.headers] == [
        "Klaviyo-API-Key klaviyo-key",
        "Klaviyo-API-Key suppression-key",
    ]
    assert (answer.effect, "KLAVIYO_SUPPRESSION_API_KEY" in (answer.reason or "")) == (Effect.STOP, True)


def test_a_closed_address_without_the_second_key_is_a_property(vendor: Vendor) -> None:
    """The first key can't suppress, and must not."""
    klaviyo = Klaviyo(vendor.url, "klaviyo-key", SetClock())
    Call(klaviyo, [closed("email")], "", "").make()
    assert vendor.paths == [IMPORT]
    assert vendor.calls[0]["data"]["attributes"] == {
        "email": "ann7@example.com",
        "properties": {
            "perennial_email_consent": "opted_out",
            "perennial_email_opted_out_at": "2026-03-15T17:59:58Z",
            "perennial_email_opted_out_because": "unsubscribed",
        },
    }


def test_an_end_is_an_event_of_its_own(vendor: Vendor) -> None:
    """It names the enrollment that it ends and why, and its id is not the enrollment's."""
    for kind in ("klaviyo exit", "aiq exit"):
        answer_to(vendor, kind, Reply(200))
    klaviyo, aiq = vendor.calls
    attributes = klaviyo["data"]["attributes"]
    assert attributes["metric"]["data"]["attributes"]["name"] == "Cart abandoned recovery \N{EN DASH} ended"
    assert (attributes["unique_id"], attributes["properties"]["reason"]) == ("d000007:exit", "bought")
    assert aiq["eventName"] == "cart_abandoned_recovery_ended"
    assert (aiq["event"]["enrollment_id"], aiq["event"]["reason"]) == ("d000007", "bought")


def test_aiq_hears_which_channel_was_closed(vendor: Vendor) -> None:
    """Its flow makes that an opt-out of the persona; no other identifier goes along."""
    answer_to(vendor, "aiq opt-out", Reply(200))
    [event] = vendor.calls
    assert event["eventName"] == "address_opted_out"
    assert event["event"] == {"channel": "sms", "reason": "unsubscribed", "said_at": "2026-03-15T17:59:58Z"}
    assert {"phone", "email", "srcID"} & set(event) == {"phone"}


@pytest.mark.parametrize("name", ["aiq", "klaviyo", "webhook", "csv"])
@pytest.mark.parametrize("channels", [("sms",), ("email",), ()])
@pytest.mark.parametrize("kind", ["marketing", "transactional", EXIT])
def test_no_identifier_of_a_closed_channel_is_sent(name: str, channels: Sequence[Channel], kind: str) -> None:
    """An address stays here unless its own channel is used."""
    destinations = {call.destination.name: call.destination for call in calls_at("").values()}
    destination = destinations.get(name) or CsvDrop(drop_folder("memory://nobody"))
    used = [channel for channel in channels if channel in destination.channels]
    if name == "klaviyo" and not used:
        with pytest.raises(RefusedError, match="e-mail only"):
            destination.body(row(7, kind), used)
        return
    told = json.dumps(destination.body(row(7, kind), used))
    assert ("ann7@example.com" in told) == ("email" in used)
    assert ("+13035550007" in told) == ("sms" in used)


def test_sms_that_was_closed_is_no_news_for_klaviyo() -> None:
    """It is never given a phone number, to close it neither."""
    klaviyo = Klaviyo("", "", SetClock())
    with pytest.raises(RefusedError, match="e-mail only"):
        klaviyo.body(closed("sms"), ())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"flow_display_name": "n" * 128}, "127 characters"),
        ({"context": {str(number): number for number in range(401)}}, "more than 400 fields"),
        ({"context": {"note": "x" * 100_001}}, "note in the context is longer than"),
    ],
)
def test_what_breaks_a_bound_of_klaviyo_is_refused_here(change: dict[str, Any], said: str) -> None:
    """With a reason that names the field and not its value."""
    with pytest.raises(RefusedError, match=said):
        Klaviyo("", "", SetClock()).body(row(7, **change), BOTH)


def test_a_job_that_would_be_too_large_is_split_before_the_call(vendor: Vendor) -> None:
    """5 MB is the bound; nothing of a larger one is sent."""
    klaviyo = Klaviyo(vendor.url, "klaviyo-key", SetClock())
    big = {str(number): "x" * 90_000 for number in range(30)}
    rows = [row(number, context=big) for number in (1, 2)]
    assert Call(klaviyo, rows, "", "").make().effect is Effect.SPLIT
    assert vendor.calls == []


def test_every_signature_is_the_standards(vendor: Vendor) -> None:
    """Over the bytes that were sent, whatever is in them."""
    answer_to(vendor, "webhook", Reply())
    webhook = Webhook(vendor.url, [SIGNING_SECRET], SetClock())
    Call(webhook, [row(context={"note": "crème brûlée, 3 €"})], "", "").make()
    assert all(
        signed_by(SIGNING_SECRET, headers, raw)
        for headers, raw in zip(vendor.headers, vendor.raw, strict=True)
    )


# Facts of Klaviyo's document, revision 2026-07-15: burst a second, steady a minute, and the scopes that a key needs.
FACTS = {
    EVENTS: ("350/s", "3500/m", {"events:write"}),
    BULK: ("10/s", "150/m", {"events:write"}),
    IMPORT: ("75/s", "750/m", {"profiles:write"}),
    SUPPRESSIONS: ("75/s", "750/m", {"profiles:write", "subscriptions:write"}),
    DELETIONS: ("3/s", "60/m", {"data-privacy:write"}),
    JOBS: ("10/s", "150/m", {"lists:write", "profiles:write"}),
}


def test_what_is_kept_equal_is_as_documented() -> None:
    """A job with a list, and one profile of which a field is cleared."""
    profile = profile_of("ann@example.com", {"tier": "gold", "points_balance": 1.5, "birth_month": None})
    assert judge(JOBS, json.dumps(bulk_import([profile], "XyZ123")).encode()) == []
    one = one_import("ann@example.com", {"tier": None, "points_balance": 2})
    assert judge(IMPORT, json.dumps(one).encode()) == []


@pytest.mark.parametrize(
    ("path", "rates"),
    [
        (EVENTS, DEFAULT_RATES),
        (BULK, BULK_RATES),
        (IMPORT, PROFILE_RATES),
        (SUPPRESSIONS, PROFILE_RATES),
        (JOBS, BULK_IMPORT.rates),
    ],
)
def test_the_limits_kept_are_the_documented_ones(path: str, rates: Sequence[Rate]) -> None:
    """By the push and by the sandbox alike."""
    burst, steady, _ = FACTS[path]
    assert [f"{rates[0].limit}/s", f"{rates[1].limit}/m"] == [burst, steady]
    assert tuple(int(re.sub(r"\D", "", rate)) for rate in (burst, steady)) == LIMITS[path]
    assert [rate.interval for rate in rates] == [1_000, 60_000]


def test_a_job_is_used_from_where_it_says_more_than_single_events() -> None:
    """150 jobs a minute, or 3,500 events: below 24 rows a job is the dearer call."""
    assert LEAST_EVENTS == 3_500 // 150 + 1


def test_who_judges_klaviyos_requests() -> None:
    """The SDK always; the official document where its path is set, and then for the facts too."""
    assert judges_of_klaviyo() == ("klaviyo-api 25.0.0", *(["OpenAPI"] if os.environ.get(OPENAPI) else []))
    document = openapi()
    if document is None:
        assert OPENAPI not in os.environ
        return
    assert document["info"]["version"] == REVISION
    for path, (burst, steady, scopes) in FACTS.items():
        operation = document["paths"][path]["post"]
        assert operation["x-klaviyo-ratelimit"] == {"burst": burst, "steady": steady}
        assert set(operation["x-klaviyo-scopes"]) == scopes


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (EVENTS, {"unique_id": 7}),
        (EVENTS, {"metric": {}}),
        (EVENTS, {"surprise": 1}),
        (IMPORT, {"phone_number": "+13035550007"}),
        (IMPORT, {"subscriptions": {}}),
    ],
)
def test_a_judge_that_finds_nothing_would_be_none(path: str, change: dict[str, Any]) -> None:
    """A body that is changed for the worse is told."""
    klaviyo = Klaviyo("", "", SetClock())
    body = json.loads(json.dumps(klaviyo.body(row() if path == EVENTS else closed("email"), BOTH)))
    assert judge(path, json.dumps(body).encode()) == []
    body["data"]["attributes"] |= change
    assert judge(path, json.dumps(body).encode()) != []


def test_no_call_that_lifts_a_consent_exists() -> None:
    """Neither in what is sent out nor under another name."""
    for module in Path(http.__file__).parent.glob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert "subscription-bulk-create" not in text
        assert "suppression-bulk-delete" not in text
        assert "/optin" not in text
