"""The one clock: the wall's, or the sandbox's.

It serves ``as_of``, ``received_at``, expiry, ``not_before`` and signature freshness; nothing else reads the time
of day. The sandbox's clock is a small file, so that every process of a demo reads the same instant.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from perennial.errors import PerennialError
from perennial.settings import Settings


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        ...


@dataclass(frozen=True)
class WallClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class SandboxClock:
    """A clock that someone sets: it stands still, or runs at the wall's pace from the instant it was set to.

    The file holds ``{"instant": RFC 3339, "set_at": RFC 3339 wall time, "running": bool}``.
    """

    path: Path

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PerennialError(
                f"the sandbox's clock is not set ({self.path} is missing)",
                "start the sandbox first: make dev, make run or perennial sandbox",
            ) from None
        instant = datetime.fromisoformat(state["instant"])
        if not state["running"]:
            return instant
        return instant + (datetime.now(UTC) - datetime.fromisoformat(state["set_at"]))

    def set(self, instant: datetime, *, running: bool) -> None:
        """Set the time; readers see the old instant or the new one, nothing between."""
        state = {
            "instant": instant.astimezone(UTC).isoformat(),
            "set_at": datetime.now(UTC).isoformat(),
            "running": running,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(self.path)

    def advance(self, by: timedelta) -> None:
        """Move a standing clock forward."""
        self.set(self.now() + by, running=False)


def sandbox_clock(settings: Settings) -> SandboxClock:
    """Return the clock of the sandbox that works in this home."""
    return SandboxClock(settings.home / "sandbox" / "clock.json")


def clock_of(settings: Settings) -> Clock:
    """Return the clock that the settings choose."""
    return WallClock() if settings.perennial_clock == "wall" else sandbox_clock(settings)
