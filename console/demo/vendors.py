"""The sandbox's controls: its clock and what its vendors send."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import httpx

from perennial.errors import PerennialError

# Emitting a step's webhooks is one call that ends when the last one is acknowledged.
EMIT_SECONDS = 300.0


@dataclass(frozen=True)
class Window:
    """The instants that the demo replays."""

    start: datetime
    end: datetime


# Each step of the replay is a whole run of the job: two hours show every flow and take minutes, not a quarter hour.
REPLAYED = timedelta(hours=2)


@dataclass(frozen=True)
class Vendors:
    """A running sandbox; every call raises ``PerennialError`` where it refuses."""

    client: httpx.Client

    @classmethod
    def at(cls, port: int) -> Self:
        """Return the sandbox that listens on a port of this machine."""
        base = f"http://127.0.0.1:{port}/control"
        return cls(httpx.Client(base_url=base, timeout=EMIT_SECONDS, trust_env=False))

    def window(self) -> Window:
        """Return the part of the sandbox's window that the demo replays; `make dev` lives on from its end."""
        told = self._call("GET", "/clock", None)
        start = datetime.fromisoformat(told["window_start"])
        return Window(start, min(start + REPLAYED, datetime.fromisoformat(told["window_end"])))

    def set_clock(self, instant: datetime, *, running: bool) -> None:
        """Set the clock that the whole demo uses."""
        self._call("POST", "/clock", {"instant": instant.isoformat(), "running": running})

    def emit(self) -> Mapping[str, int]:
        """Send what happened since the last call, up to the clock; counts by stream."""
        sent = self._call("POST", "/emit", {"upto": None})
        return {name: count for name, count in sent.items() if isinstance(count, int)}

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
        fix = "read logs/sandbox.log in the demo's home"
        try:
            answer = self.client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise PerennialError(f"the sandbox does not answer ({type(error).__name__})", fix) from None
        if answer.is_error:
            raise PerennialError(f"the sandbox refused {path} with {answer.status_code}", fix)
        found: Mapping[str, Any] = answer.json()
        return found
