"""The demo's own processes: started with logs, waited for until healthy, always ended by their id."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import httpx

from perennial.errors import PerennialError

STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Service:
    """A running process and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it has stopped."""
        return self.process.poll() is not None


@dataclass
class Services:
    """Processes that live as long as the ``with`` block, whatever ends it: return, error, Ctrl-C or TERM."""

    logs: Path
    _running: list[Service] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str]) -> Service:
        """Start a process with a log file of its own, in the environment of this one.

        It gets its own process group: Ctrl-C reaches this process, which then ends the others in order.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command lines
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        service = Service(name, process, log)
        self._running.append(service)
        return service

    def wait_until_up(self, service: Service, url: str, *, seconds: float) -> None:
        """Wait until a URL answers; raises ``PerennialError`` with the log's end where it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if service.ended:
                raise PerennialError(
                    f"{service.name} ended with code {service.process.returncode} while starting:\n"
                    f"{tail(service.log)}",
                    f"read {service.log}",
                )
            if _answers(url):
                return
            time.sleep(0.1)
        raise PerennialError(
            f"{service.name} did not answer within {seconds:.0f} s:\n{tail(service.log)}",
            f"read {service.log}",
        )

    def ended(self) -> Service | None:
        """Return a process that has ended although nobody asked it to."""
        return next((service for service in self._running if service.ended), None)

    def __enter__(self) -> Self:
        """Let a TERM end the block as an error would."""
        signal.signal(signal.SIGTERM, _leave)
        # A shell starts what it puts into the background with Ctrl-C ignored; the children would ignore it too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs: ask all of them at once, then wait, then insist."""
        for service in reversed(self._running):
            _signal(service, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for service in reversed(self._running):
            _end(service, deadline)
        self._running.clear()


def tail(log: Path, lines: int = 15) -> str:
    """Return a log's last lines."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def own_command(*arguments: str) -> list[str]:
    """Return how a command of ``perennial`` is started with this Python."""
    return [sys.executable, "-m", "console", *arguments]


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def _end(service: Service, deadline: float) -> None:
    """Wait for a process that was asked to end; after the deadline it is killed."""
    try:
        service.process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _signal(service, signal.SIGKILL)
        service.process.wait(timeout=STOP_SECONDS)


def _signal(service: Service, how: signal.Signals) -> None:
    """Send a signal to a process and those that it started: its own group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(service.process.pid, how)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code < httpx.codes.INTERNAL_SERVER_ERROR
    except httpx.HTTPError:
        return False
