"""Runs the sandbox's real server in a thread, on a free port."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from perennial.settings import Settings
from sandbox.server import serve
from sandbox.world.spec import WorldSpec

TINY = WorldSpec(households=60, history_days=14)


@dataclass(frozen=True)
class Running:
    """A sandbox that answers at ``url``; its home is ``home``."""

    url: str
    home: Path
    spec: WorldSpec
    controls: httpx.Client

    def client(self, **headers: str) -> httpx.Client:
        """Return a client of it."""
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call a control endpoint."""
        return self.controls.request(method, f"/control{path}", json=body)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_sandbox(
    home: Path, spec: WorldSpec = TINY, receiver_port: int = 1, worlds: Path | None = None
) -> Iterator[Running]:
    """Serve until the block ends; ``worlds`` holds worlds that need not be made again."""
    port = free_port()
    if worlds is not None:
        shutil.copytree(worlds, home / "sandbox" / "world", dirs_exist_ok=True)
    settings = Settings(
        _env_file=None,
        perennial_home=home,
        perennial_clock="sandbox",
        perennial_sandbox_port=port,
        perennial_receiver_port=receiver_port,
    )
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(settings, spec, stop), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as controls:
        running = Running(url, home, spec, controls)
        try:
            _wait(running, thread)
            yield running
        finally:
            stop.set()
            thread.join(10)


def _wait(running: Running, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and thread.is_alive():
        try:
            if running.control("GET", "/state").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the sandbox does not answer")
