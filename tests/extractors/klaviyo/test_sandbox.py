"""The pull against the sandbox's Klaviyo: what OMNI wrote there, late events and faults included."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from extractors.http import Patience
from extractors.klaviyo.pulls import pull
from extractors.klaviyo.setup_check import check_klaviyo
from extractors.landing.log import LandingLog
from extractors.pulled import StreamReport
from perennial.clock import SandboxClock, sandbox_clock
from perennial.errors import VendorError
from perennial.settings import Settings
from sandbox.credentials import KLAVIYO_API_KEY, KLAVIYO_READ_API_KEY
from sandbox.klaviyo.state import LIMITS, READ_EVENTS, READ_METRICS
from tests.extractors.klaviyo.conftest import settings_for
from tests.sandbox.running import TINY, Running, run_sandbox

HEADERS = {"Authorization": f"Klaviyo-API-Key {KLAVIYO_READ_API_KEY}", "revision": "2026-07-15"}
# The facts of Klaviyo's OpenAPI document (revision 2026-07-15) that a reader relies on: what is required where.
REQUIRED = {
    "event": {"type", "id", "attributes", "links"},
    "metric": {"type", "id", "attributes", "links"},
    "profile": {"type", "attributes", "links"},
}
EVENT_ATTRIBUTES = {"timestamp": int, "event_properties": dict, "datetime": str, "uuid": str}
PATIENT = Patience(attempts=6, first_wait=0.01, longest_wait=0.1, jitter=0.0, in_all=10.0)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve a tiny world."""
    with run_sandbox(tmp_path_factory.mktemp("sandbox"), TINY) as running:
        yield running


@pytest.fixture
def klaviyo(sandbox: Running) -> Iterator[httpx.Client]:
    """Return a client of the reading end, at the window's end, without faults."""
    sandbox.control("POST", "/clock", {"instant": TINY.window_end.isoformat()})
    sandbox.control("DELETE", "/faults")
    sandbox.control("POST", "/limits/klaviyo", LIMITS)
    with sandbox.client(**HEADERS) as client:
        yield client


def _installation(home: Path, sandbox: Running) -> tuple[Settings, SandboxClock]:
    settings = settings_for(home, f"{sandbox.url}/klaviyo", omni_klaviyo_api_key=KLAVIYO_READ_API_KEY)
    clock = sandbox_clock(settings)
    clock.set(TINY.window_end, running=False)
    return settings, clock


def _pull(settings: Settings, clock: SandboxClock) -> StreamReport:
    return pull(settings, LandingLog(settings.landing_url), clock, lambda _text: None, patience=PATIENT)


def _all(client: httpx.Client, **params: str) -> list[dict[str, Any]]:
    """Walk all pages as the links say."""
    found = []
    url: str | None = "/klaviyo/api/events"
    asked: dict[str, str] | None = {"sort": "datetime", "page[size]": "50", **params}
    while url:
        document = client.get(url, params=asked).raise_for_status().json()
        found += document["data"]
        url, asked = document["links"].get("next"), None
    return found


def test_responses_are_as_the_description_says(klaviyo: httpx.Client) -> None:
    """Types, required members, whole seconds, ascending order; each event leads to its metric and profile."""
    page = klaviyo.get("/klaviyo/api/events", params={"include": "metric,profile", "sort": "datetime"})
    assert page.headers["content-type"].startswith("application/vnd.api+json")
    document = page.json()
    assert 0 < len(document["data"]) <= 200
    included = {(one["type"], one["id"]): one for one in document["included"]}
    for resource in [*document["data"], *document["included"]]:
        assert REQUIRED[resource["type"]] <= resource.keys()
        assert resource["links"]["self"].startswith("https://")
    for one in document["data"]:
        attributes = one["attributes"]
        assert {name: type(attributes[name]) for name in EVENT_ATTRIBUTES} == EVENT_ATTRIBUTES
        for kind in ("metric", "profile"):
            assert (kind, one["relationships"][kind]["data"]["id"]) in included
    times = [one["attributes"]["datetime"] for one in document["data"]]
    assert times == sorted(times)
    metrics = klaviyo.get("/klaviyo/api/metrics").json()
    assert "next" in metrics["links"]
    assert {REQUIRED["metric"] <= one.keys() for one in metrics["data"]} == {True}


def test_what_is_asked_wrongly_is_refused_with_the_parameter(klaviyo: httpx.Client, sandbox: Running) -> None:
    """400 names the parameter; keys and revision are checked; a cursor ends with its day."""
    for name, value in {
        "filter": "equals(metric_id",
        "sort": "name",
        "include": "flows",
        "page[size]": "1001",
        "page[cursor]": "abc",
    }.items():
        answer = klaviyo.get("/klaviyo/api/events", params={name: value})
        assert (answer.status_code, answer.json()["errors"][0]["source"]) == (400, {"parameter": name})
    for headers, status in (
        ({**HEADERS, "Authorization": "Bearer x"}, 401),
        ({**HEADERS, "Authorization": f"Klaviyo-API-Key {KLAVIYO_API_KEY}"}, 403),
        ({**HEADERS, "revision": "latest"}, 400),
    ):
        with sandbox.client(**headers) as other:
            assert other.get("/klaviyo/api/metrics").status_code == status
    link = klaviyo.get("/klaviyo/api/events", params={"page[size]": "1"}).json()["links"]["next"]
    assert klaviyo.get(link).status_code == 200
    sandbox.control("POST", "/clock", {"advance_minutes": 25 * 60})
    assert klaviyo.get(link).json()["errors"][0]["source"] == {"parameter": "page[cursor]"}


def test_limits_hold_and_name_the_time_to_wait(klaviyo: httpx.Client, sandbox: Running) -> None:
    """Each operation has its own; a 429 carries ``Retry-After`` and no ``RateLimit`` headers."""
    sandbox.control("POST", "/limits/klaviyo", {READ_EVENTS: [2, 100], READ_METRICS: [10, 150]})
    answers = [klaviyo.get("/klaviyo/api/events", params={"page[size]": "1"}) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert all("ratelimit-limit" not in answer.headers for answer in refused)
    assert klaviyo.get("/klaviyo/api/metrics").headers["ratelimit-limit"] == "150"


def test_a_pull_brings_what_omni_wrote_once(klaviyo: httpx.Client, sandbox: Running, tmp_path: Path) -> None:
    """Each event with its profile, of which no more is asked for than whose it is and what OMNI wrote there."""
    settings, clock = _installation(tmp_path / "home", sandbox)
    assert check_klaviyo(settings).ok
    report = _pull(settings, clock)
    ids = [one["id"] for one in _all(klaviyo)]
    landed = [
        json.loads(row.payload) for row in LandingLog(settings.landing_url).read("omni", "klaviyo_events")
    ]
    assert sorted(one["event"]["id"] for one in landed) == sorted(ids)
    assert report.landed == len(ids) > 40
    assert _pull(settings, clock).landed == 0
    assert all("wv_point_balance" in one["profile"]["attributes"]["properties"] for one in landed)
    assert all(
        set(one["profile"]["attributes"]) <= {"email", "phone_number", "external_id", "properties"}
        for one in landed
    )


def test_pulled_bit_by_bit_it_is_what_one_pull_brings(
    klaviyo: httpx.Client, sandbox: Running, tmp_path: Path
) -> None:
    """Events that Klaviyo shows half an hour or a day late are not missed."""
    settings, clock = _installation(tmp_path / "bits", sandbox)
    steps = int((TINY.horizon - TINY.window_start) / timedelta(hours=5))
    for instant in [*(TINY.window_start + step * timedelta(hours=5) for step in range(steps)), TINY.horizon]:
        sandbox.control("POST", "/clock", {"instant": instant.isoformat()})
        clock.set(instant, running=False)
        _pull(settings, clock)
    landed = [row.source_key for row in LandingLog(settings.landing_url).read("omni", "klaviyo_events")]
    assert len(landed) == len(set(landed)) == len(_all(klaviyo))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "count": 2, "retry_after": 0},
        {"kind": "status", "status": 500, "count": 3},
        {"kind": "reset_before", "count": 2},
        {"kind": "reset_after", "count": 2},
    ],
    ids=["429", "500", "reset", "reset after the answer was made"],
)
def test_bursts_are_survived(
    klaviyo: httpx.Client, sandbox: Running, tmp_path: Path, fault: dict[str, object]
) -> None:
    """In the middle of a pull."""
    settings, clock = _installation(tmp_path / "home", sandbox)
    sandbox.control("POST", "/faults", {"vendor": "klaviyo", "path": "/api/events", **fault})
    assert _pull(settings, clock).landed == len(_all(klaviyo))


def test_a_time_out_ends_a_pull_that_the_next_one_finishes(
    klaviyo: httpx.Client, sandbox: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor that is slower than the patience is an error; nothing is lost."""
    settings, clock = _installation(tmp_path / "home", sandbox)
    monkeypatch.setattr("extractors.http.Http.get.__kwdefaults__", {"read_seconds": 0.1})
    sandbox.control("POST", "/faults", {"vendor": "klaviyo", "kind": "slow", "seconds": 1, "count": 20})
    with pytest.raises(VendorError, match="ReadTimeout"):
        _pull(settings, clock)
    sandbox.control("DELETE", "/faults")
    monkeypatch.undo()
    assert _pull(settings, clock).landed == len(_all(klaviyo))


def test_the_check_says_what_is_wrong_with_a_key(sandbox: Running, tmp_path: Path) -> None:
    """A key for writing is no key for reading."""
    settings = settings_for(tmp_path / "home", f"{sandbox.url}/klaviyo", omni_klaviyo_api_key=KLAVIYO_API_KEY)
    found = check_klaviyo(settings)
    assert not found.ok
    assert "403" in found.detail
    assert "events:read" in found.fix
