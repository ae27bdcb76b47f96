"""Several workers on one port: whoever is killed, what was acknowledged lands, and others go on."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from extractors.landing.log import LandingLog
from extractors.landing.sealer import seal_orphans
from extractors.receiver.workers import supervise
from perennial.errors import PerennialError
from tests.extractors.receiver.serving import landed, make_settings, until, wait_until_up
from tests.extractors.receiver.test_durability import EVENT, KEY

_SERVER = """
import sys
from pathlib import Path
from extractors.receiver.server import serve
from tests.extractors.receiver.serving import make_settings
if __name__ == "__main__":
    serve(make_settings(Path(sys.argv[1]), perennial_receiver_port=int(sys.argv[2]), perennial_receiver_workers=2))
"""


@dataclass
class Load:
    """Senders that go on whatever the receiver does, and what was acknowledged to them."""

    address: str
    ends: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[str] = field(default_factory=list)

    def send(self, sender: int) -> None:
        """Send one event after another, each under a name of its own."""
        number = 0
        while not self.ends.is_set():
            # a new connection now and then, so that each worker gets some
            with httpx.Client(base_url=self.address, timeout=20, trust_env=False) as client:
                for _ in range(10):
                    number += 1
                    event_id = f"{sender}-{number}"
                    try:
                        answer = client.post("/v1/events", json={**EVENT, "event_id": event_id}, headers=KEY)
                    except httpx.TransportError:
                        break
                    if answer.is_success:
                        self.acknowledged.append(f"acme:{event_id}")


@contextmanager
def under_load(address: str, senders: int = 4) -> Iterator[Load]:
    """Send from several sides until the end of the block."""
    load = Load(address)
    threads = [threading.Thread(target=load.send, args=(sender,)) for sender in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.ends.set()
        for thread in threads:
            thread.join()


@contextmanager
def receiving(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Run a receiver with two workers in processes of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = home.parent / "serve.py"
    script.write_text(_SERVER, encoding="utf-8")
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, str(script), str(home), str(port)], env={**os.environ, "PYTHONPATH": path}
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
        try:
            wait_until_up(client)
            until(lambda: client.get("/healthz").json()["workers"] == 2)
            yield process, client
        finally:
            process.kill()
            process.wait()


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the ids of the receiver's workers."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    return [
        int(child)
        for child in children.split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def count_of(client: httpx.Client, name: str) -> float:
    """Return a figure of the whole receiver."""
    [line] = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name + " ")]
    return float(line.split()[-1])


def all_landed_once(home: Path, acknowledged: list[str]) -> None:
    """Nothing lost, nothing twice."""
    keys = [record.source_key for record in landed(make_settings(home), "partners", "events")]
    assert len(keys) == len(set(keys))
    assert set(acknowledged) <= set(keys)
    assert acknowledged


def test_a_killed_worker_is_replaced_and_the_others_land_what_it_acknowledged(tmp_path: Path) -> None:
    """Counts go on over its death, and a TERM ends all of them with everything sealed."""
    home = tmp_path / "home"
    with receiving(home) as (process, client):
        with under_load(str(client.base_url)) as load:
            for _ in range(2):
                enough = len(load.acknowledged) + 50
                until(lambda wanted=enough: len(load.acknowledged) >= wanted)  # type: ignore[misc]
                before = workers_of(process)
                os.kill(before[0], signal.SIGKILL)
                until(lambda gone=before[0]: gone not in (now := workers_of(process)) and len(now) == 2)  # type: ignore[misc]
        until(lambda: client.get("/healthz").json()["workers"] == 2)
        assert 'perennial_receiver_records_total{source="partners"}' in client.get("/metrics").text
        counted = count_of(client, 'perennial_receiver_records_total{source="partners"}')
        assert counted >= len(load.acknowledged)
        process.terminate()
        assert process.wait(60) == 0
    all_landed_once(home, load.acknowledged)
    assert list((home / "journal").iterdir()) == []


def test_workers_end_and_seal_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    """Nobody goes on receiving for a home that somebody else may own by then."""
    home = tmp_path / "home"
    with receiving(home) as (process, client):
        with under_load(str(client.base_url)) as load:
            until(lambda: len(load.acknowledged) >= 50)
            workers = workers_of(process)
            process.kill()
            process.wait()
            until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
        with pytest.raises(httpx.ConnectError):
            client.get("/healthz")
    assert seal_orphans(home / "journal", LandingLog(str(home / "landing"))) == []
    all_landed_once(home, load.acknowledged)


def test_a_receiver_none_of_whose_workers_can_start_says_so(tmp_path: Path) -> None:
    """It does not try for ever, with nobody listening."""
    settings = make_settings(tmp_path / "home", perennial_receiver_workers=2)
    (tmp_path / "home" / "journal").write_text("in the way")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        with pytest.raises(PerennialError, match="could not start"):
            supervise(listener, settings, threading.Event())
