"""Starts and stops a sandbox in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from perennial.errors import PerennialError
from perennial.settings import Settings
from sandbox.credentials import LOOPBACK, sandbox_environment
from sandbox.world.spec import WorldSpec, spec_to_json

LONGEST_START = 120.0
LONGEST_STOP = 10.0
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Handle:
    """A running sandbox. ``url`` has the vendors' prefixes under it."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(LONGEST_STOP)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _quiet(message: str) -> None:
    del message


def start(settings: Settings, spec: WorldSpec, on_progress: Callable[[str], None] = _quiet) -> Handle:
    """Start the sandbox of this home and wait until it answers; what it says is in ``sandbox/server.log``."""
    folder = settings.home / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    environment = {
        **os.environ,
        **sandbox_environment(
            settings.home, settings.perennial_sandbox_port, settings.perennial_receiver_port
        ),
        "PYTHONPATH": str(_ROOT),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "sandbox", spec_to_json(spec)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,  # so that no .env of the caller is read
        )
    handle = Handle(process, f"http://{LOOPBACK}:{settings.perennial_sandbox_port}", log)
    try:
        _wait(handle, on_progress)
    except BaseException:
        handle.stop()
        raise
    return handle


def _wait(handle: Handle, on_progress: Callable[[str], None]) -> None:
    deadline = time.monotonic() + LONGEST_START
    told = ""
    while time.monotonic() < deadline:
        if handle.process.poll() is not None:
            last = handle.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-2:]
            raise PerennialError(f"the sandbox ended at once: {' '.join(last)}", f"see {handle.log}")
        if _answers(handle):
            return
        lines = handle.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines and lines[-1] != told:
            told = lines[-1]
            on_progress(told)
        time.sleep(0.1)
    raise PerennialError(f"the sandbox does not answer after {LONGEST_START:.0f} s", f"see {handle.log}")


def _answers(handle: Handle) -> bool:
    """Tell whether this very process serves, not another one on its port."""
    try:
        answer = httpx.get(f"{handle.url}/control/state", timeout=5, trust_env=False)
        return bool(answer.json()["pid"] == handle.process.pid)
    except (httpx.TransportError, ValueError, KeyError):
        return False
