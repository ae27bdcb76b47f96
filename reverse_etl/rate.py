"""Keeping a destination's limits ahead of its 429."""

import asyncio
import time
from collections.abc import Sequence
from functools import cache

from pyrate_limiter import InMemoryBucket, Rate, RateItem

_MILLISECOND = 0.001


class Pacer:
    """Hands out permits to call, in the order they are asked for, as fast as all rates together allow.

    A pause (``Retry-After``) holds everyone back. Belongs to one event loop.
    """

    def __init__(self, bucket: InMemoryBucket) -> None:
        self._bucket = bucket
        self._turn = asyncio.Lock()
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Let nobody call for some seconds."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    async def permit(self, patience: float | None = None) -> bool:
        """Wait for the right to make one call; False when that would take longer than ``patience`` s."""
        deadline = None if patience is None else time.monotonic() + patience
        async with self._turn:
            while (wait := self._wait()) > 0:
                if deadline is not None and time.monotonic() + wait > deadline:
                    return False
                await asyncio.sleep(wait)
        return True

    def _wait(self) -> float:
        """Take a permit (0), or return the seconds until it is worth asking again."""
        if (pause := self._paused_until - time.monotonic()) > 0:
            return pause
        now = int(time.monotonic() / _MILLISECOND)
        self._bucket.leak(now)
        item = RateItem("call", now)
        if self._bucket.put(item):
            return 0
        waiting = self._bucket.waiting(item)
        # Only a bucket on a server gives an awaitable.
        return max(waiting, 1) * _MILLISECOND if isinstance(waiting, int) else _MILLISECOND


@cache
def shared_bucket(account: str, rates: Sequence[tuple[int, int]]) -> InMemoryBucket:
    """Return the bucket of an account in this process: it outlives a push, as the vendor's window does."""
    del account  # part of the key only
    return InMemoryBucket([Rate(limit, interval) for limit, interval in rates])


def pacer_of(account: str, rates: Sequence[Rate]) -> Pacer:
    """Return a pacer for one run, on the bucket that all runs of this process share."""
    return Pacer(shared_bucket(account, tuple((rate.limit, rate.interval) for rate in rates)))
