"""The promise: what was answered with 2xx is there, whatever happens; what can't be kept is refused."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from extractors.landing.log import LandingLog
from extractors.receiver.server import serve
from perennial.errors import PerennialError
from perennial.settings import Settings
from tests.extractors.receiver.serving import landed, make_settings, rows, serving, wait_until_up

EVENT = {
    "event_name": "viewed_product",
    "occurred_at": "2017-03-01T12:00:00Z",
    "customer": {},
    "properties": {},
}
KEY = {"X-API-Key": "key-of-acme"}

_SERVER = """
import socket, sys
from pathlib import Path
from extractors.receiver.server import run_on
from tests.extractors.receiver.serving import make_settings
listener = socket.socket(fileno=int(sys.argv[2]))
run_on(listener, make_settings(Path(sys.argv[1])))
"""


def test_a_killed_receiver_has_lost_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """SIGKILL under load; the next receiver lands what the dead one left, once."""
    acknowledged: list[str] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(  # our own interpreter and text
            [sys.executable, "-c", _SERVER, str(tmp_path), str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )

        def send(sender: int) -> None:
            with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:
                for number in range(10_000):
                    event_id = f"{sender}-{number}"
                    try:
                        answer = client.post("/v1/events", json={**EVENT, "event_id": event_id}, headers=KEY)
                    except httpx.TransportError:
                        if process.poll() is not None:
                            return
                        time.sleep(0.02)
                        continue
                    assert answer.status_code == 200
                    acknowledged.append(f"acme:{event_id}")

        senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
        for sender in senders:
            sender.start()
        while len(acknowledged) < 100 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        listener.close()
        for sender in senders:
            sender.join()
    settings = make_settings(tmp_path)
    with serving(settings):
        pass
    keys = [record.source_key for record in landed(settings, "partners", "events")]
    assert len(keys) == len(set(keys))
    assert set(acknowledged) <= set(keys)
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_receiver_that_is_told_to_end_lands_everything_first(tmp_path: Path) -> None:
    """SIGTERM leaves no journal behind."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(  # as above
            [sys.executable, "-c", _SERVER, str(tmp_path), str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
    with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:
        wait_until_up(client)
        assert client.post("/v1/events", json={**EVENT, "event_id": "e1"}, headers=KEY).is_success
    process.terminate()
    assert process.wait() in (0, -signal.SIGTERM)
    assert rows(make_settings(tmp_path)) == 1
    assert list((tmp_path / "journal").iterdir()) == []


def test_what_is_acknowledged_lands_soon_while_the_receiver_runs(settings: Settings) -> None:
    """The sealer works beside it."""
    log = LandingLog(settings.landing_url)
    with serving(settings) as receiver:
        receiver.post("/v1/events", json.dumps({**EVENT, "event_id": "e1"}), KEY)
        deadline = time.monotonic() + 20
        while log.last_seq() == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert [batch.streams for batch in log.batches()] == [{"partners/events": 1}]
    assert log.last_seq() == 1


def test_a_log_that_can_not_be_written_stops_nobody(settings: Settings) -> None:
    """The receiver says so and goes on; the segments land once the cause is mended."""
    blocked = Path(settings.landing_url)
    blocked.write_text("in the way")
    with serving(settings) as receiver:
        for number in range(3):
            assert receiver.post(
                "/v1/events", json.dumps({**EVENT, "event_id": f"e{number}"}), KEY
            ).is_success
        deadline = time.monotonic() + 20
        while receiver.client.get("/healthz").json()["status"] != "degraded":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "perennial_receiver_sealing_stuck 1.0" in receiver.client.get("/metrics").text
        blocked.unlink()
    assert rows(settings) == 3


def test_a_journal_that_can_not_be_written_refuses_and_keeps_nothing(settings: Settings) -> None:
    """503 with a reason that tells no path; it works again when the disk does."""
    with serving(settings) as receiver:
        [folder] = (settings.home / "journal").iterdir()
        aside = folder.with_name("aside")
        folder.rename(aside)
        answer = receiver.post("/v1/events", json.dumps({**EVENT, "event_id": "e1"}), KEY)
        aside.rename(folder)
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert str(settings.home) not in answer.text
        assert receiver.post("/v1/events", json.dumps({**EVENT, "event_id": "e2"}), KEY).is_success
    assert [record.source_key for record in landed(settings, "partners", "events")] == ["acme:e2"]


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """With the setting to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = make_settings(tmp_path, perennial_receiver_port=taken.getsockname()[1])
        with pytest.raises(PerennialError, match="can't listen on") as caught:
            serve(settings)
    assert "PERENNIAL_RECEIVER_PORT" in caught.value.fix


def test_a_home_that_can_not_hold_a_journal_ends_the_start_with_the_reason(tmp_path: Path) -> None:
    """Not with a server that refuses everything."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(PerennialError, match="journal can't be opened"):
        serve(make_settings(tmp_path, perennial_receiver_port=port))
