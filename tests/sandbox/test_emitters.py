"""The senders: signed, in order, once, and again after a failure; taken in by our own receiver."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from extractors.landing.log import LandingLog
from extractors.receiver.server import run_on
from perennial.settings import Settings
from sandbox.credentials import (
    JANE_SIGNING_SECRET,
    JANE_WEBHOOK_TOKEN,
    OMNI_SHARED_SECRET,
    PARTNER_KEYS,
    SHOPIFY_CLIENT_SECRET,
    sandbox_environment,
)
from sandbox.emitters.delivery import parcels
from sandbox.emitters.signing import headers_for
from sandbox.world.cache import load_world
from sandbox.world.ids import to_us
from sandbox.world.world import Emission
from tests.sandbox.running import TINY, Running, run_sandbox


class Inbox(ThreadingHTTPServer):
    """A receiver that keeps every request, and answers with ``status``."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.lock = threading.Lock()

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keep the request."""
        server = self.server
        assert isinstance(server, Inbox)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with server.lock:
            if server.status == 200:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.path, headers, body))
        self.send_response(server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Return a receiver that takes everything."""
    server = Inbox()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def _sandbox(tmp_path: Path, worlds: Path, inbox: Inbox) -> Iterator[Running]:
    with run_sandbox(tmp_path, receiver_port=inbox.port, worlds=worlds) as running:
        yield running


def _events(inbox: Inbox) -> list[str]:
    """Return the bodies that came, partner lists taken apart."""
    found = []
    for path, _, body in inbox.requests:
        if path == "/v1/events" and body.startswith(b"["):
            found += [json.dumps(event, sort_keys=True) for event in json.loads(body)]
        else:
            found.append(json.dumps(json.loads(body), sort_keys=True))
    return found


def _planned(worlds: Path) -> list[Emission]:
    emissions = load_world(worlds.parent, TINY, lambda _: None).emissions
    return [one for one in emissions if one.vendor != "klaviyo"]  # that is read at Klaviyo, never sent


def test_everything_due_comes_once(tmp_path: Path, worlds: Path, inbox: Inbox) -> None:
    """The history at the window's start, then each step's; never what is not yet due."""
    planned = _planned(worlds)
    with _sandbox(tmp_path, worlds, inbox) as running:
        for step in (0, 60, 60):
            running.control("POST", "/clock", {"advance_minutes": step})
            answer = running.control("POST", "/emit", {})
            assert answer.json()["failed"] == 0
        again = running.control("POST", "/emit", {}).json()
    assert again["requests"] == 0
    due = [one for one in planned if one.due <= to_us(TINY.window_start) + 120 * 60_000_000]
    wanted = Counter(json.dumps(json.loads(one.body), sort_keys=True) for one in due)
    assert Counter(_events(inbox)) == wanted
    assert sum(wanted.values()) > 100


def test_every_vendor_signs_as_it_should(tmp_path: Path, worlds: Path, inbox: Inbox) -> None:
    """Each signature is computed anew here."""
    with _sandbox(tmp_path, worlds, inbox) as running:
        running.control("POST", "/clock", {"instant": TINY.window_end.isoformat()})
        running.control("POST", "/emit", {})
    seen = Counter(
        path.split("/")[2] if path.startswith("/webhooks") else "partners" for path, *_ in inbox.requests
    )
    assert set(seen) == {"jane", "omni", "shopify", "partners"}
    for path, headers, body in inbox.requests:
        if path.startswith("/webhooks/jane"):
            signed = headers["x-jane-request-timestamp"].encode() + b":" + body
            right = hmac.new(JANE_SIGNING_SECRET.encode(), signed, hashlib.sha256).hexdigest()
            assert headers["x-jane-signature"] == right
            assert headers["authorization"] == f"Bearer {JANE_WEBHOOK_TOKEN}"
        elif path == "/webhooks/omni":
            assert headers["x-perennial-secret"] == OMNI_SHARED_SECRET
        elif path.startswith("/webhooks/shopify"):
            digest = hmac.new(SHOPIFY_CLIENT_SECRET.encode(), body, hashlib.sha256).digest()
            assert base64.b64decode(headers["x-shopify-hmac-sha256"]) == digest
            assert path.endswith(headers["x-shopify-topic"])
        else:
            assert headers["x-api-key"] in PARTNER_KEYS.values()


def test_the_timestamp_is_the_demos_clock(worlds: Path) -> None:
    """A status is signed when it happened, also where it is sent late."""
    jane = [one for one in _planned(worlds) if one.vendor == "jane"]
    for one in jane:
        assert one.signed <= one.due
        stamp = int(headers_for(one, one.body.encode())["X-Jane-Request-Timestamp"])
        assert stamp == one.signed // 1_000_000
        stale = int(headers_for(one, one.body.encode(), "stale")["X-Jane-Request-Timestamp"])
        assert stamp - stale == 24 * 3600


def test_statuses_of_a_cart_stay_in_one_lane(worlds: Path) -> None:
    """So that many connections at once don't reorder them."""
    lanes = parcels(_planned(worlds))
    home: dict[str, int] = {}
    for place, lane in enumerate(lanes):
        numbers: dict[str, int] = {}
        for parcel in lane:
            for one in parcel.emissions:
                if one.vendor in PARTNER_KEYS:
                    continue
                assert home.setdefault(one.subject, place) == place
                assert numbers.get(one.subject, 0) < one.number
                numbers[one.subject] = one.number


def test_a_receiver_that_is_down_gets_it_later(tmp_path: Path, worlds: Path, inbox: Inbox) -> None:
    """Nothing is lost, and the answer says what is wrong."""
    planned = _planned(worlds)
    with _sandbox(tmp_path, worlds, inbox) as running:
        inbox.status = 503
        answer = running.control("POST", "/emit", {})
        assert answer.status_code == 502
        assert answer.json()["failed"] > 0
        assert "503" in answer.json()["problem"]
        inbox.status = 200
        assert running.control("POST", "/emit", {}).status_code == 200
    due = {one.body for one in planned if one.due <= to_us(TINY.window_start)}
    assert {json.dumps(json.loads(body), sort_keys=True) for body in due} == set(_events(inbox))


def test_a_restart_goes_on_where_it_was(tmp_path: Path, worlds: Path, inbox: Inbox) -> None:
    """The place is kept; the clock too."""
    with _sandbox(tmp_path, worlds, inbox) as running:
        running.control("POST", "/emit", {})
        running.control("POST", "/clock", {"advance_minutes": 30})
    came = len(inbox.requests)
    with _sandbox(tmp_path, worlds, inbox) as running:
        state = running.control("GET", "/state").json()
        assert state["world"]["emitted"] > 0
        running.control("POST", "/emit", {})
    later = inbox.requests[came:]
    assert 0 < len(later) < came


def test_a_mess_can_be_asked_for(tmp_path: Path, worlds: Path, inbox: Inbox) -> None:
    """Copies, another order, and sending again in a bad manner."""
    with _sandbox(tmp_path, worlds, inbox) as running:
        running.control("POST", "/emit", {"copies": 2, "shuffled": True})
        counts = Counter(_events(inbox))
        assert min(counts.values()) == 2
        before = len(inbox.requests)
        for manner in ("forged", "unsigned", "stale", "true"):
            answer = running.control("POST", "/send", {"vendor": "jane", "manner": manner, "count": 2})
            assert answer.json() == {"statuses": [200, 200]}
        signatures = [headers.get("x-jane-signature") for _, headers, _ in inbox.requests[before:]]
        assert signatures[2:4] == [None, None]
        assert len(set(signatures)) == 7
        assert running.control("POST", "/send", {"vendor": "jane", "manner": "rude"}).status_code == 422


def test_upto_must_have_passed(tmp_path: Path, worlds: Path, inbox: Inbox) -> None:
    """Nothing is sent from the future."""
    with _sandbox(tmp_path, worlds, inbox) as running:
        answer = running.control("POST", "/emit", {"upto": TINY.window_end.isoformat()})
        assert answer.status_code == 422
        assert "clock" in answer.json()["error"]
        assert not inbox.requests


def test_a_running_clock_sends_by_itself(tmp_path: Path, worlds: Path, inbox: Inbox) -> None:
    """As ``make dev`` needs it."""
    with _sandbox(tmp_path, worlds, inbox) as running:
        running.control("POST", "/clock", {"running": True})
        for _ in range(100):
            if inbox.requests:
                break
            threading.Event().wait(0.1)
    assert inbox.requests


def test_shopify_names_a_webhook_the_same_when_sent_again() -> None:
    """What the receiver dedupes by."""
    one = Emission(
        1,
        5_000_000,
        5_000_000,
        "shopify",
        "/webhooks/shopify/customers/update",
        "customers/update",
        "m",
        "{}",
    )
    again = replace(one, number=2, due=9_000_000)
    assert (
        headers_for(one, b"{}")["X-Shopify-Webhook-Id"] == headers_for(again, b"{}")["X-Shopify-Webhook-Id"]
    )


def test_our_own_receiver_takes_it_all_in(tmp_path: Path, worlds: Path) -> None:
    """What the vendors send is what the receiver expects: nothing is refused, everything lands."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    environment = sandbox_environment(tmp_path, 1, port)
    given: Any = {name.lower(): value for name, value in environment.items() if value}
    settings = Settings(_env_file=None, **given)
    stop = threading.Event()
    with run_sandbox(tmp_path, receiver_port=port, worlds=worlds) as running:
        receiver = threading.Thread(target=run_on, args=(listener, settings, stop), daemon=True)
        receiver.start()
        running.control("POST", "/clock", {"instant": TINY.window_end.isoformat()})
        answer = running.control("POST", "/emit", {}).json()
        statuses = running.control("POST", "/send", {"vendor": "jane", "manner": "forged", "count": 3}).json()
        stop.set()
        receiver.join(20)
    assert answer["refused"] == {}
    assert statuses == {"statuses": [401, 401, 401]}
    landed = Counter[str]()
    for batch in LandingLog(settings.landing_url).batches():
        landed.update(batch.streams)
    assert landed["jane/cart_status"] + landed["jane/cart_abandoned"] == answer["delivered"]["jane"]
    assert landed["omni/events"] == answer["delivered"]["omni"]
    assert landed["shopify/webhooks"] == answer["delivered"].get("shopify", 0)
    assert landed["partners/events"] == sum(answer["delivered"].get(name, 0) for name in PARTNER_KEYS)
