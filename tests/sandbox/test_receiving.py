"""AIQ and Klaviyo: what they check, limit, dedupe and keep."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.aiq import DEMO_LIMITS
from sandbox.credentials import (
    AIQ_API_KEY,
    AIQ_INTEGRATOR_SLUG,
    KLAVIYO_API_KEY,
    KLAVIYO_SUPPRESSION_API_KEY,
)
from sandbox.klaviyo.state import BULK, EVENTS, IMPORT, LIMITS, SUPPRESSIONS
from tests.sandbox.running import TINY, Running, run_sandbox

INGEST = "/aiq/api/v2/integrators/events/ingest"
AIQ_EVENT = {
    "integratorSlug": AIQ_INTEGRATOR_SLUG,
    "eventName": "cart_abandoned_recovery",
    "timestamp": 1497110400,
    "event": {"enrollment_id": "e1"},
    "email": "dana@example.com",
}
KLAVIYO_HEADERS = {"Authorization": f"Klaviyo-API-Key {KLAVIYO_API_KEY}", "revision": "2026-07-15"}


@pytest.fixture
def aiq(sandbox: Running) -> Iterator[httpx.Client]:
    """Return a client of AIQ with nothing received and the demo's limits."""
    sandbox.control("DELETE", "/received")
    sandbox.control("POST", "/limits/aiq", DEMO_LIMITS)
    with sandbox.client(**{"X-APIKEY": AIQ_API_KEY}) as client:
        yield client


@pytest.fixture
def klaviyo(sandbox: Running) -> Iterator[httpx.Client]:
    """Return a client of Klaviyo with nothing received and the documented limits."""
    sandbox.control("DELETE", "/received")
    sandbox.control("POST", "/limits/klaviyo", LIMITS)
    with sandbox.client(**KLAVIYO_HEADERS) as client:
        yield client


def _event(**attributes: object) -> dict[str, Any]:
    return {
        "data": {
            "type": "event",
            "attributes": {
                "properties": {"store": "Colfax"},
                "time": "2017-06-10T16:00:00Z",
                "unique_id": "e1",
                "metric": {"data": {"type": "metric", "attributes": {"name": "Points expiring"}}},
                "profile": {"data": {"type": "profile", "attributes": {"email": "dana@example.com"}}},
                **attributes,
            },
        }
    }


def test_aiq_keeps_every_event_and_dedupes_nothing(sandbox: Running, aiq: httpx.Client) -> None:
    """The same call twice is two events."""
    for _ in range(2):
        assert aiq.post(INGEST, json=AIQ_EVENT).json()["success"] is True
    received = sandbox.control("GET", "/received/aiq").json()
    assert received["outcomes"] == {"accepted": 2}
    assert received["accepted_events"] == {"cart_abandoned_recovery": 2}
    assert [call["body"] for call in received["calls"]] == [AIQ_EVENT, AIQ_EVENT]
    assert received["calls"][0]["received_at"] == sandbox.spec.window_start.isoformat()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"integratorSlug": "someone"}, "integratorSlug"),
        ({"eventName": "Cart-Abandoned"}, "eventName"),
        ({"eventName": None}, "eventName"),
        ({"eventDisplayName": 7}, "eventDisplayName"),
        ({"timestamp": 1497110400.5}, "timestamp"),
        ({"timestamp": "1497110400"}, "timestamp"),
        ({"timestamp": 1497110400000}, "timestamp"),
        ({"timestamp": True}, "timestamp"),
        ({"event": []}, "event"),
        ({"email": None}, "srcID"),
        ({"email": ""}, "identifiers"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_aiq_names_the_bad_field(
    sandbox: Running, aiq: httpx.Client, change: dict[str, object], field: str
) -> None:
    """What the contract requires is checked, and the refused call is kept with its reason."""
    answer = aiq.post(INGEST, json=AIQ_EVENT | change)
    assert answer.status_code == 400
    assert field in answer.json()["errors"][0]["message"]
    (call,) = sandbox.control("GET", "/received/aiq").json()["calls"]
    assert (call["outcome"], field in call["reason"]) == ("rejected", True)


def test_aiq_wants_its_key(sandbox: Running, aiq: httpx.Client) -> None:
    """Another header or value opens nothing."""
    del aiq
    for headers, status in (({}, 401), ({"X-API-Key": AIQ_API_KEY}, 401), ({"X-APIKEY": "wrong"}, 403)):
        with sandbox.client(**headers) as client:
            assert client.post(INGEST, json=AIQ_EVENT).status_code == status
    assert sandbox.control("GET", "/received/aiq").json()["outcomes"] == {"unauthorized": 3}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"'])
def test_aiq_refuses_what_is_no_object(aiq: httpx.Client, body: bytes) -> None:
    """Nor does it fall over."""
    assert aiq.post(INGEST, content=body).status_code == 400


def test_aiq_limits_calls(sandbox: Running, aiq: httpx.Client) -> None:
    """With the limits that clients report of the real one, a burst is cut."""
    sandbox.control("POST", "/limits/aiq", {"per_second": 5, "per_minute": 7})
    statuses = [aiq.post(INGEST, json=AIQ_EVENT).status_code for _ in range(20)]
    assert statuses.count(200) <= 14  # two minutes may meet in a test
    assert 429 in statuses
    assert sandbox.control("GET", "/received/aiq").json()["outcomes"]["rate_limited"] == statuses.count(429)
    assert sandbox.control("POST", "/limits/aiq", {"per_day": 1}).status_code == 422


def test_klaviyo_records_an_event_once(sandbox: Running, klaviyo: httpx.Client) -> None:
    """The same unique id for the same profile and metric is accepted and not recorded again."""
    for _ in range(3):
        answer = klaviyo.post(f"/klaviyo{EVENTS}", json=_event())
        assert answer.status_code == 202
        assert answer.headers["RateLimit-Limit"] == "3500"
        assert "Retry-After" not in answer.headers
    other = {"data": {"type": "profile", "attributes": {"email": "eve@example.com"}}}
    klaviyo.post(f"/klaviyo{EVENTS}", json=_event(profile=other))
    klaviyo.post(f"/klaviyo{EVENTS}", json=_event(unique_id="e2"))
    assert sandbox.control("GET", "/received/klaviyo").json()["outcomes"] == {"accepted": 3, "duplicate": 2}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"properties": None}, "/data/attributes/properties"),
        ({"properties": {str(n): n for n in range(401)}}, "/data/attributes/properties"),
        ({"metric": {}}, "/data/attributes/metric/data"),
        (
            {"metric": {"data": {"type": "metric", "attributes": {"name": "m" * 128}}}},
            "/data/attributes/metric/data/attributes/name",
        ),
        ({"time": "yesterday"}, "/data/attributes/time"),
        ({"time": "1970-01-01T00:00:00Z"}, "/data/attributes/time"),
        ({"value": "12"}, "/data/attributes/value"),
        ({"unique_id": 12}, "/data/attributes/unique_id"),
        ({"profile": {"data": {"type": "person"}}}, "/data/attributes/profile/data/type"),
        (
            {"profile": {"data": {"type": "profile", "attributes": {}}}},
            "/data/attributes/profile/data/attributes",
        ),
        (
            {"profile": {"data": {"type": "profile", "attributes": {"phone_number": "(303) 555-0142"}}}},
            "/data/attributes/profile/data/attributes/phone_number",
        ),
        (
            {"profile": {"data": {"type": "profile", "attributes": {"email": "nobody"}}}},
            "/data/attributes/profile/data/attributes/email",
        ),
    ],
)
def test_klaviyo_points_at_the_bad_place(
    klaviyo: httpx.Client, change: dict[str, object], pointer: str
) -> None:
    """Errors are JSON:API."""
    answer = klaviyo.post(f"/klaviyo{EVENTS}", json=_event(**change))
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["source"]["pointer"] == pointer
    assert {"id", "code", "title", "detail"} <= set(error)


def test_klaviyo_wants_key_revision_and_type(sandbox: Running, klaviyo: httpx.Client) -> None:
    """Each missing header has its own answer."""
    del klaviyo
    for changes, status in (
        ({"Authorization": "Klaviyo-API-Key wrong"}, 401),
        ({"Authorization": f"Bearer {KLAVIYO_API_KEY}"}, 401),
        ({"revision": ""}, 400),
        ({"revision": "latest"}, 400),
        ({"Content-Type": "text/plain"}, 415),
    ):
        with sandbox.client(**(KLAVIYO_HEADERS | changes)) as client:
            assert client.post(f"/klaviyo{EVENTS}", json=_event()).status_code == status


def test_klaviyo_fails_a_job_that_repeats_an_id(sandbox: Running, klaviyo: httpx.Client) -> None:
    """And records nothing of it; a clean job is recorded whole."""
    attributes = _event()["data"]["attributes"]
    own = {
        "type": "event",
        "attributes": {key: attributes[key] for key in ("properties", "metric", "unique_id")},
    }
    second: dict[str, Any] = deepcopy(own)
    group = {
        "type": "event-bulk-create",
        "attributes": {"profile": attributes["profile"], "events": {"data": [own, second]}},
    }
    job = {"data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": [group]}}}}
    answer = klaviyo.post(f"/klaviyo{BULK}", json=job)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"]["pointer"].endswith("/events/data/1/attributes/unique_id")
    second["attributes"]["unique_id"] = "e2"
    assert klaviyo.post(f"/klaviyo{BULK}", json=job).status_code == 202
    klaviyo.post(f"/klaviyo{EVENTS}", json=_event())
    assert sandbox.control("GET", "/received/klaviyo").json()["outcomes"]["duplicate"] == 1


def test_klaviyo_creates_a_profile_once(klaviyo: httpx.Client) -> None:
    """201 for a new one, 200 for a known one, whose properties are kept."""

    def send(**properties: object) -> httpx.Response:
        attributes = {"email": "Dana@example.com", "properties": properties}
        return klaviyo.post(f"/klaviyo{IMPORT}", json={"data": {"type": "profile", "attributes": attributes}})

    first, second = send(points=5), send(tier="Gold")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["data"]["id"] == second.json()["data"]["id"]
    assert second.json()["data"]["attributes"]["properties"] == {"points": 5, "tier": "Gold"}


def test_klaviyo_says_how_long_to_wait(sandbox: Running, klaviyo: httpx.Client) -> None:
    """A 429 has ``Retry-After`` in seconds and none of the other headers."""
    sandbox.control("POST", "/limits/klaviyo", {EVENTS: [1, 2]})
    answers = [klaviyo.post(f"/klaviyo{EVENTS}", json=_event()) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert "RateLimit-Limit" not in refused[0].headers
    assert refused[0].json()["errors"][0]["code"] == "throttled"


def test_what_was_received_outlives_the_sandbox(tmp_path: Path, worlds: Path) -> None:
    """Calls are kept, and Klaviyo still knows what it recorded."""
    for outcomes in ({"accepted": 1}, {"accepted": 1, "duplicate": 1}):
        with run_sandbox(tmp_path, TINY, worlds=worlds) as running:
            with running.client(**KLAVIYO_HEADERS) as client:
                client.post(f"/klaviyo{EVENTS}", json=_event())
            assert running.control("GET", "/received/klaviyo").json()["outcomes"] == outcomes


def test_the_page_shows_what_came(sandbox: Running, aiq: httpx.Client) -> None:
    """And shows texts as texts."""
    aiq.post(INGEST, json=AIQ_EVENT | {"event": {"name": "<script>alert(1)</script>"}})
    page = sandbox.client().get("/").text
    assert "cart_abandoned_recovery" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_klaviyo_suppresses_for_a_key_of_its_own(sandbox: Running, klaviyo: httpx.Client) -> None:
    """The key that writes may not; a job takes e-mails and nothing else."""
    profile = {"type": "profile", "attributes": {"email": "Dana@example.com"}}

    def job(*profiles: dict[str, Any]) -> dict[str, Any]:
        attributes = {"profiles": {"data": list(profiles)}}
        return {"data": {"type": "profile-suppression-bulk-create-job", "attributes": attributes}}

    assert klaviyo.post(f"/klaviyo{SUPPRESSIONS}", json=job(profile)).status_code == 403
    headers = KLAVIYO_HEADERS | {"Authorization": f"Klaviyo-API-Key {KLAVIYO_SUPPRESSION_API_KEY}"}
    with sandbox.client(**headers) as client:
        by_phone = {"type": "profile", "attributes": {"phone_number": "+13035550007"}}
        for bad in (job(), job(by_phone), job(*[profile] * 101)):
            assert client.post(f"/klaviyo{SUPPRESSIONS}", json=bad).status_code == 400
        assert client.post(f"/klaviyo{SUPPRESSIONS}", json=job(profile)).status_code == 202
        assert client.post(f"/klaviyo{EVENTS}", json=_event()).status_code == 403
