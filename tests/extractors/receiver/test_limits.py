"""What one sender, one connection and all of them together may have."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from extractors.receiver import connections, limits
from extractors.receiver.limits import Rates
from extractors.receiver.problems import Problem
from perennial.settings import Settings
from tests.extractors.receiver.serving import Receiver, make_settings, rows, serving, until, wait_until_up
from tests.extractors.receiver.test_durability import EVENT, KEY


def test_a_sender_beyond_its_share_gets_429_and_the_others_theirs(tmp_path: Path) -> None:
    """With when to come back; what was refused did not land, and time gives a share back."""
    settings = make_settings(tmp_path, perennial_receiver_requests_per_second=2)
    answers: list[httpx.Response] = []
    with serving(settings) as receiver:
        for number in range(8):
            body = json.dumps({**EVENT, "event_id": f"e{number}"})
            answers.append(receiver.post("/v1/events", body, KEY))
        other = receiver.post(
            "/v1/events", json.dumps({**EVENT, "event_id": "o"}), {"X-API-Key": "key:of:other"}
        )
        refused = [answer for answer in answers if answer.status_code == 429]
        taken = [answer for answer in answers if answer.is_success]
        assert len(taken) >= 4
        assert refused
        assert other.is_success
        assert refused[0].json()["error"] == "too_many_requests"
        assert int(refused[0].headers["Retry-After"]) >= 1
        assert 'perennial_receiver_refused_total{source="partners",status="429"}' in (
            receiver.client.get("/metrics").text
        )
        time.sleep(int(refused[0].headers["Retry-After"]))
        again = receiver.post("/v1/events", json.dumps({**EVENT, "event_id": "later"}), KEY)
        assert again.is_success
    assert rows(settings) == len(taken) + 2


def test_a_large_body_weighs_as_much_as_many_small_ones_and_never_more_than_a_share() -> None:
    """Otherwise a limit of requests would limit nothing, or a large list could never be sent."""
    rates = Rates(per_second=100)
    rates.admit("a", 199 * 16 * 1024)
    with pytest.raises(Problem) as caught:
        rates.admit("a", 60 * 16 * 1024)
    assert caught.value.retry_after == 1
    rates.admit("b", 10_000 * 16 * 1024)


def test_a_forged_request_uses_up_nobodys_share(tmp_path: Path) -> None:
    """A stranger could silence Jane."""
    settings = make_settings(tmp_path, perennial_receiver_requests_per_second=1)
    with serving(settings) as receiver:
        for _ in range(10):
            answer = receiver.post("/v1/events", json.dumps(EVENT), {"X-API-Key": "wrong"})
            assert answer.status_code == 401
        assert receiver.post("/v1/events", json.dumps({**EVENT, "event_id": "e"}), KEY).is_success


def test_a_body_that_drips_is_refused_in_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a reason, and the connection ends: the sender may still be dripping."""
    monkeypatch.setattr(limits.Bodies.__init__, "__defaults__", (limits._HELD_BYTES, 0.3))  # noqa: SLF001

    def drops() -> Iterator[bytes]:
        for _ in range(20):
            yield b" "
            time.sleep(0.1)

    with serving(settings) as receiver:
        try:
            answer = receiver.client.post("/v1/events", content=drops(), headers=KEY)
        except httpx.TransportError:  # the connection went while it was writing: the answer was there before
            return
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert "did not come to its end" in answer.json()["reason"]
        assert answer.headers["Connection"] == "close"
    assert rows(settings) == 0


def _connected(receiver: Receiver) -> socket.socket:
    url = receiver.client.base_url
    return socket.create_connection((url.host, url.port or 0), timeout=20)


def test_headers_that_drip_or_never_end_close_the_connection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that says nothing; another that was answered may wait for its next request."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.5)
    with serving(settings) as receiver:
        with _connected(receiver) as silent, _connected(receiver) as dripping:
            dripping.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nX-A: ")
            assert silent.recv(100) == b""
            assert dripping.recv(100) == b""
        with _connected(receiver) as endless:
            endless.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 70_000)
            answer = endless.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "too_large"
        with _connected(receiver) as patient:
            for _ in range(2):
                patient.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b" 200 " in patient.recv(10_000)
                time.sleep(0.7)


_SERVER = """
import socket, sys
from pathlib import Path
from extractors.receiver.server import run_on
from tests.extractors.receiver.serving import make_settings
listener = socket.socket(fileno=int(sys.argv[2]))
run_on(listener, make_settings(Path(sys.argv[1]), perennial_receiver_requests_per_second=1_000_000))
"""


def test_many_large_bodies_at_once_stay_within_the_memory_bound(tmp_path: Path) -> None:
    """Forty bodies of eight megabytes would be 320 MB; beyond the bound a sender is told to come again."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(tmp_path), str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        wait_until_up(client)
    before = _peak_mb(process.pid)
    body = json.dumps(
        {**EVENT, "event_id": "big", "properties": {"note": "x" * (8 * 1024 * 1024 - 500)}}
    ).encode()
    all_under_way, arrived, statuses = threading.Event(), list[int](), list[int]()

    def slowly() -> Iterator[bytes]:
        yield body[:-1]
        arrived.append(1)
        assert all_under_way.wait(60)
        yield body[-1:]

    def send() -> None:
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            try:
                answer = client.post("/v1/events", content=slowly(), headers=KEY)
            except httpx.TransportError:
                statuses.append(0)
            else:
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(40)]
    for thread in threads:
        thread.start()
    until(lambda: len(arrived) + len(statuses) >= 40)  # some were refused before their last byte
    all_under_way.set()
    for thread in threads:
        thread.join()
    peak = _peak_mb(process.pid)
    process.terminate()
    process.wait()
    assert set(statuses) <= {200, 503, 0}
    assert statuses.count(200) >= 1
    assert statuses.count(200) < 40
    assert peak - before < 280, f"{peak - before} MB more at the peak"


def _peak_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024
