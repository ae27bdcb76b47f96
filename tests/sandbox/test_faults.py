"""Faults on demand: what the caller sees, and what the vendor kept."""

import time

import httpx
import pytest

from sandbox.credentials import AIQ_API_KEY, FLOWHUB_API_KEY, FLOWHUB_CLIENT_ID
from tests.sandbox.running import Running
from tests.sandbox.test_receiving import AIQ_EVENT, INGEST

HEADERS = {"clientId": FLOWHUB_CLIENT_ID, "key": FLOWHUB_API_KEY, "X-APIKEY": AIQ_API_KEY}
LOCATIONS = "/flowhub/v0/clientsLocations"


def _kept(sandbox: Running) -> int:
    return sum(sandbox.control("GET", "/received/aiq").json()["outcomes"].values())


@pytest.mark.parametrize(("kind", "kept"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_loses_the_answer(sandbox: Running, kind: str, kept: int) -> None:
    """Before the commit nothing is kept, after it the event is: the caller can't tell them apart."""
    before = _kept(sandbox)
    sandbox.control("POST", "/faults", {"vendor": "aiq", "kind": kind})
    with sandbox.client(**HEADERS) as client:
        with pytest.raises(httpx.TransportError):
            client.post(INGEST, json=AIQ_EVENT)
        assert _kept(sandbox) == before + kept
        assert client.post(INGEST, json=AIQ_EVENT).status_code == 200


def test_a_status_comes_as_often_as_asked(sandbox: Running) -> None:
    """Of one vendor only, with its ``Retry-After``; then all is well."""
    fault = {"vendor": "flowhub", "kind": "status", "status": 503, "count": 2, "retry_after": 7}
    sandbox.control("POST", "/faults", fault)
    with sandbox.client(**HEADERS) as client:
        assert client.post(INGEST, json=AIQ_EVENT).status_code == 200
        answers = [client.get(LOCATIONS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_a_fault_can_wait_for_a_path(sandbox: Running) -> None:
    """Other calls pass it by."""
    sandbox.control(
        "POST", "/faults", {"vendor": "flowhub", "kind": "status", "status": 500, "path": "customers"}
    )
    with sandbox.client(**HEADERS) as client:
        assert client.get(LOCATIONS).status_code == 200
        assert client.get("/flowhub/v1/customers/").status_code == 500
    assert sandbox.control("GET", "/faults").json() == {"waiting": []}


def test_a_slow_answer_outlasts_a_time_out(sandbox: Running) -> None:
    """The caller gives up; the vendor lives on."""
    sandbox.control("POST", "/faults", {"vendor": "flowhub", "kind": "slow", "seconds": 1.5})
    started = time.monotonic()
    with sandbox.client(**HEADERS) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get(LOCATIONS, timeout=0.3)
        assert time.monotonic() - started < 1.4
        assert client.get(LOCATIONS).status_code == 200


def test_an_unknown_fault_is_refused(sandbox: Running) -> None:
    """With the field's name."""
    answer = sandbox.control("POST", "/faults", {"vendor": "aiq", "kind": "explode"})
    assert answer.status_code == 422
    assert "kind" in answer.text


def test_a_fault_can_be_a_matter_of_chance(sandbox: Running) -> None:
    """Some calls fail, some don't, as an API under load."""
    fault = {"vendor": "flowhub", "kind": "status", "count": 1000, "chance": 0.5}
    sandbox.control("POST", "/faults", fault)
    with sandbox.client(**HEADERS) as client:
        statuses = {client.get(LOCATIONS).status_code for _ in range(40)}
    assert statuses == {200, 500}
