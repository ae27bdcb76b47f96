"""The pull against an account that misbehaves: what is new lands once, and nothing is lost."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from datetime import datetime, timedelta

import pytest

from extractors.klaviyo.pulls import HISTORY_DAYS, RE_READ, SWEEP_REACH, pull
from extractors.landing.log import LandingLog
from perennial.clock import clock_of, sandbox_clock
from perennial.crash import EXIT_CODE, VARIABLE
from perennial.errors import SettingsError, VendorError
from perennial.settings import Settings
from tests.extractors.klaviyo.account import KEY, Account, event
from tests.extractors.klaviyo.conftest import Pull, payloads, settings_for
from tests.extractors.pulling import IMPATIENT, NOW, Reply

EVENTS = "/api/events"
SLOW_DOWN = (429, b"", {"Retry-After": "1"})
OOPS: Reply = (500, b"{}", {})
EXPIRED = json.dumps(
    {"errors": [{"status": 400, "code": "invalid", "source": {"parameter": "page[cursor]"}}]}
).encode()


def _fill(account: Account, count: int = 35) -> None:
    account.events = [event(number, NOW - timedelta(minutes=60 - number)) for number in range(count)]


def _ids(log: LandingLog) -> Counter[str]:
    return Counter(json.loads(text)["event"]["id"] for text in payloads(log))


def _since(params: dict[str, str]) -> datetime:
    return datetime.fromisoformat(params["filter"].partition("(datetime,")[2].rstrip(")"))


def test_each_event_lands_once_with_its_profile_as_it_came(
    account: Account, pulled: Pull, log: LandingLog
) -> None:
    """Metrics and events are paged; the request asks for OMNI's metric only, in order, with the profile."""
    _fill(account)
    report = pulled()
    assert (report.records, report.landed, report.pages) == (35, 35, 4)
    first = payloads(log)[0]
    assert first.startswith('{"event":{"type": "event", "id": "e000", ')  # spaces are the vendor's
    told = json.loads(first)
    assert told["event"] == account.events[0]
    assert told["metric"]["attributes"]["name"] == "wv/points/added"
    assert told["profile"]["attributes"]["properties"] == {"wv_point_balance": 35}
    [asked, *_] = account.asked(EVENTS)
    assert asked["filter"].startswith('equals(metric_id,"M1"),greater-or-equal(datetime,')
    assert (asked["sort"], asked["include"]) == ("datetime", "metric,profile")
    assert {headers["authorization"] for *_, headers in account.requests} == {f"Klaviyo-API-Key {KEY}"}
    assert {headers["revision"] for *_, headers in account.requests} == {"2026-07-15"}
    again = pulled()
    assert (again.records, again.landed) == (35, 0)
    assert KEY not in "".join(str(record) for record in log.read("omni", "klaviyo_events"))


def test_each_pull_reads_an_hour_again_and_a_week_once_a_day(
    account: Account, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """An event that Klaviyo shows late, within the hour or days after it happened, still lands, once."""
    clock = sandbox_clock(settings)
    _fill(account)
    pulled()
    clock.set(NOW + timedelta(minutes=3), running=False)
    account.events.append(event(100, NOW - timedelta(minutes=50)))
    assert pulled().landed == 1
    account.events.append(event(101, NOW - timedelta(days=3)))
    clock.set(NOW + timedelta(hours=25), running=False)
    assert pulled().landed == 1
    reaches = [NOW - _since(asked) for asked in account.asked(EVENTS) if "page[cursor]" not in asked]
    minutes = timedelta(minutes=5)
    assert reaches == [
        timedelta(days=HISTORY_DAYS) + minutes,
        RE_READ + minutes,
        SWEEP_REACH + minutes - timedelta(minutes=3),
    ]
    assert max(_ids(log).values()) == 1


def test_what_changed_lands_again_and_a_profile_that_changed_does_not(
    account: Account, pulled: Pull, log: LandingLog
) -> None:
    """A profile is that of the reading: it changes with every later event of that member."""
    _fill(account, 3)
    account.events[1] = event(1, NOW - timedelta(minutes=59), profile=None)
    pulled()
    assert json.loads(payloads(log)[1])["profile"] is None
    account.events[1] = event(1, NOW - timedelta(minutes=59))
    account.events[2]["attributes"]["event_properties"]["note"] = "corrected"
    account.events.append(event(3, NOW))
    assert pulled().landed == 3
    assert _ids(log) == {"e000": 1, "e001": 2, "e002": 2, "e003": 1}
    assert len({record.source_key for record in log.read("omni", "klaviyo_events")}) == 6


def _pull_in_a_process(account: Account, settings: Settings, crash_at: str) -> int:
    environment = {
        **os.environ,
        "PERENNIAL_HOME": str(settings.home),
        "PERENNIAL_CLOCK": "sandbox",
        "KLAVIYO_BASE_URL": account.url,
        "OMNI_KLAVIYO_API_KEY": KEY,
        VARIABLE: crash_at,
    }
    code = (
        "from extractors.klaviyo.pulls import pull\n"
        "from extractors.landing.log import LandingLog\n"
        "from perennial.clock import clock_of\n"
        "from perennial.settings import load_settings\n"
        "settings = load_settings()\n"
        "pull(settings, LandingLog(settings.landing_url), clock_of(settings), print)\n"
    )
    return subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=60).returncode


def test_killed_in_the_middle_it_goes_on_behind_the_last_page(
    account: Account, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """The page that landed before the kill is the same batch again, and each event is in the log once."""
    _fill(account)
    assert _pull_in_a_process(account, settings, "klaviyo_landed:3") == EXIT_CODE
    assert sum(_ids(log).values()) == 30
    account.requests.clear()
    pulled()
    assert account.asked(EVENTS)[0]["page[cursor]"] == "20"
    assert _ids(log) == dict.fromkeys((f"e{number:03}" for number in range(35)), 1)
    assert len({batch.name for batch in log.batches()}) == log.last_seq()


def test_a_cursor_that_expired_costs_a_second_reading_and_no_event(
    account: Account, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """The window begins again from its start; what landed of it does not land again."""
    _fill(account)
    assert _pull_in_a_process(account, settings, "klaviyo_landed:2") == EXIT_CODE
    account.before = lambda _path, params: (400, EXPIRED, {}) if params.get("page[cursor]") == "10" else None
    said: list[str] = []
    with pytest.raises(VendorError, match="no longer knows where a pull of /api/events stopped"):
        pulled(said=said)  # refused again at once: an error, and no endless loop
    account.before = lambda _path, _params: None
    pulled()
    assert any("the window is read again" in text for text in said)
    assert set(_ids(log)) == {f"e{number:03}" for number in range(35)}
    assert max(_ids(log).values()) <= 2  # the page on which it was killed was not yet known


@pytest.mark.parametrize("burst", [[OOPS] * 3, [(503, b"busy", {}), (429, b"", {}), OOPS]])
def test_a_burst_of_refusals_is_survived(
    account: Account, pulled: Pull, log: LandingLog, burst: list[tuple[int, bytes, dict[str, str]]]
) -> None:
    """Back-off gets through."""
    _fill(account, 1)
    account.answers_first = list(burst)
    pulled()
    assert sum(_ids(log).values()) == 1


def test_the_time_that_a_429_names_is_waited(account: Account, pulled: Pull) -> None:
    """``Retry-After`` counts, not our own idea of a wait."""
    _fill(account, 1)
    account.answers_first = [SLOW_DOWN]
    began = time.monotonic()
    assert pulled().landed == 1
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("answer", [(429, b"", {}), OOPS])
def test_refusals_that_last_end_the_pull_and_lose_nothing(
    account: Account, pulled: Pull, log: LandingLog, answer: tuple[int, bytes, dict[str, str]]
) -> None:
    """The error names status and path; what landed stays, and the next pull has everything."""
    _fill(account)
    account.before = lambda _path, params: answer if params.get("page[cursor]") == "20" else None
    with pytest.raises(VendorError, match=f"kept answering {answer[0]} to {EVENTS}") as caught:
        pulled()
    assert "nothing is lost" in caught.value.fix
    assert sum(_ids(log).values()) == 20
    account.before = lambda _path, _params: None
    pulled()
    assert _ids(log) == dict.fromkeys((f"e{number:03}" for number in range(35)), 1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_with_its_scopes_and_never_shown(
    account: Account, pulled: Pull, log: LandingLog, status: int
) -> None:
    """One request, no secret in text or trace, nothing landed."""
    account.before = lambda _path, _params: (status, f'{{"errors": [{{"detail": "{KEY}"}}]}}'.encode(), {})
    with pytest.raises(VendorError, match="OMNI_KLAVIYO_API_KEY") as caught:
        pulled()
    for scope in ("events:read", "metrics:read", "profiles:read"):
        assert scope in caught.value.fix
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert len(account.requests) == 1
    assert log.last_seq() == 0


@pytest.mark.parametrize("key", [None, "pk with space", "pk_line\n"])
def test_a_key_that_can_not_be_one_is_a_settings_error(
    account: Account, settings: Settings, pulled: Pull, key: str | None
) -> None:
    """Before any request, without showing it."""
    odd = settings_for(settings.home, account.url, omni_klaviyo_api_key=key)
    with pytest.raises(SettingsError, match="OMNI_KLAVIYO_API_KEY") as caught:
        pulled(others=odd)
    assert "pk" not in str(caught.value)
    assert account.requests == []


def test_a_vendor_that_is_down_or_silent_is_named(settings: Settings, pulled: Pull) -> None:
    """The error says which host, and that nothing is lost."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    away = settings_for(settings.home, f"http://127.0.0.1:{port}")
    with pytest.raises(VendorError, match=f"no answer from 127.0.0.1:{port}") as caught:
        pulled(others=away)
    assert "KLAVIYO_BASE_URL" in caught.value.fix


def test_a_page_that_leads_to_itself_is_no_endless_loop(account: Account, pulled: Pull) -> None:
    """The window stays open, and the error says so."""
    _fill(account)
    looped = json.dumps(
        {"data": [account.events[0]], "links": {"next": "https://x.example/?page%5Bcursor%5D=10"}}
    ).encode()
    account.before = lambda path, params: (
        (200, looped, {}) if path == EVENTS and params.get("page[cursor]") == "10" else None
    )
    with pytest.raises(VendorError, match="whose next page is itself"):
        pulled()
    account.before = lambda _path, _params: None
    assert pulled().landed == 25


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": {}}', b'{"data": [{"id": '])
def test_a_malformed_page_lands_nothing_and_moves_nothing(
    account: Account, pulled: Pull, log: LandingLog, body: bytes
) -> None:
    """The next pull asks for that page again."""
    _fill(account, 15)
    account.before = lambda _path, params: (200, body, {}) if params.get("page[cursor]") == "10" else None
    with pytest.raises(VendorError, match="is not the list it should be"):
        pulled()
    assert sum(_ids(log).values()) == 10
    account.before = lambda _path, _params: None
    account.requests.clear()
    pulled()
    assert account.asked(EVENTS)[0]["page[cursor]"] == "10"
    assert sum(_ids(log).values()) == 15


def test_an_odd_event_stops_no_other(account: Account, pulled: Pull, log: LandingLog) -> None:
    """Without an id, of another form, with broken UTF-8: it lands, and staging judges it."""
    good = json.dumps(event(1, NOW)).encode()
    body = b'{"data": [{"type":"event","attributes":{}}, 5, {"id":"e9","note":"Zo\xff"}, ' + good + b"]}"
    account.before = lambda path, _params: (200, body, {}) if path == EVENTS else None
    assert pulled().landed == 4
    assert [text.partition(',"metric"')[0] for text in payloads(log)] == [
        '{"event":{"type":"event","attributes":{}}',
        '{"event":5',
        '{"event":{"id":"e9","note":"Zo\ufffd"}',
        '{"event":' + good.decode(),
    ]


def test_an_account_without_omni_says_so(account: Account, pulled: Pull) -> None:
    """No metric, no event, no error."""
    account.metrics = ["Opened Email"]
    said: list[str] = []
    assert pulled(said=said).records == 0
    assert any("ask OMNI to connect Klaviyo" in text for text in said)
    assert account.asked(EVENTS) == []


def test_a_lost_state_or_another_log_is_read_again_in_full(
    account: Account, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """What landed before lands under the same keys, by which the warehouse drops it."""
    _fill(account, 5)
    pulled()
    for file in settings.home.glob("extractors.sqlite*"):
        file.unlink()
    assert pulled().landed == 5
    assert len({record.source_key for record in log.read("omni", "klaviyo_events")}) == 5
    (settings.home / "landing").rename(settings.home / "old")
    said: list[str] = []
    emptied = LandingLog(settings.landing_url)
    assert pull(settings, emptied, clock_of(settings), said.append, patience=IMPATIENT).landed == 5
    assert any("all is read again" in text for text in said)


def test_two_pulls_at_once_take_turns(account: Account, pulled: Pull, log: LandingLog) -> None:
    """A scheduled and a manual pull land no event twice."""
    _fill(account)
    errors: list[BaseException] = []

    def one() -> None:
        try:
            pulled()
        except BaseException as error:  # noqa: BLE001 - the thread hands it to the test
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert max(_ids(log).values()) == 1
