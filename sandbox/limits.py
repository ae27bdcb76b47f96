"""Rate limits in fixed windows, on the machine's time: they protect a server, whatever the clock says."""

import math
import time
from dataclasses import dataclass


@dataclass
class Window:
    """At most ``limit`` calls in each span of ``seconds``."""

    limit: int
    seconds: float
    _place: int = -1
    _used: int = 0

    def _enter(self, now: float) -> None:
        place = int(now // self.seconds)
        if place != self._place:
            self._place, self._used = place, 0

    def room(self, now: float) -> int:
        """Return how many calls are left."""
        self._enter(now)
        return self.limit - self._used

    def use(self) -> None:
        """Count a call."""
        self._used += 1

    def reset_in(self, now: float) -> int:
        """Return whole seconds until the window ends, at least 1."""
        return max(1, math.ceil((self._place + 1) * self.seconds - now))


class Limiter:
    """Several windows at once."""

    def __init__(self, *windows: tuple[int, float]) -> None:
        """Take (limit, seconds) pairs, the shortest first."""
        self.windows = [Window(limit, seconds) for limit, seconds in windows]

    def take(self) -> int:
        """Count a call; return 0, or the seconds to wait where a window is full (then nothing is counted)."""
        now = time.monotonic()
        full = [window for window in self.windows if window.room(now) <= 0]
        if full:
            return max(window.reset_in(now) for window in full)
        for window in self.windows:
            window.use()
        return 0

    def wait(self) -> int:
        """Return whole seconds until every full window ends, at least 1."""
        now = time.monotonic()
        return max((window.reset_in(now) for window in self.windows if window.room(now) <= 0), default=1)

    def headers(self) -> dict[str, str]:
        """Return the ``RateLimit-*`` headers of the longest window."""
        now = time.monotonic()
        window = self.windows[-1]
        return {
            "RateLimit-Limit": str(window.limit),
            "RateLimit-Remaining": str(max(0, window.room(now))),
            "RateLimit-Reset": str(window.reset_in(now)),
        }
