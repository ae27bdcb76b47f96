"""Keeping a destination's limits ahead of its 429, together with every other process of the home."""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from pyrate_limiter import AbstractBucket, InMemoryBucket, Rate, RateItem, SQLiteBucket

from perennial.errors import PerennialError
from reverse_etl.destinations.base import Limit
from reverse_etl.process import machine

_MILLISECOND = 0.001
_FIRST_SPACING = 0.02  # seconds between two calls where a limit that nobody told us has been met
_LONGEST_SPACING = 5.0
_RECOVERY = 0.95  # of the spacing is left after each call that was taken
_LONGEST_PAUSE = 3_600.0  # seconds, until a vendor is asked again whatever it said


class Pacer:
    """Hands out permits to call, in the order they are asked for, as fast as all rates together allow.

    A pause (``Retry-After``) holds everyone back, later pushes too where it has a ``memory``. Each 429 that comes
    nevertheless doubles the spacing of the calls, each call that is taken narrows it again: so a limit that is lower
    than the published one is found. Belongs to one event loop.
    """

    def __init__(self, bucket: AbstractBucket | None, memory: Path | None = None) -> None:
        self._bucket = bucket
        self._memory = memory
        self._turn = asyncio.Lock()
        self._not_before = _remembered(memory)
        self._spacing = 0.0

    @property
    def pause_left(self) -> float:
        """How many seconds nobody may call yet."""
        return max(0.0, self._not_before - time.monotonic())

    def pause(self, seconds: float) -> None:
        """Let nobody call for some seconds."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def heed(self, retry_after: float) -> None:
        """Let nobody call for as long as the vendor said, which the next push knows, too."""
        self.pause(min(retry_after, _LONGEST_PAUSE))
        if self._memory is not None:
            with suppress(OSError):  # it only saves a call that is refused again
                self._memory.write_text(str(self._not_before), encoding="ascii")

    def refused(self) -> None:
        """Learn of a 429."""
        self._spacing = min(max(_FIRST_SPACING, self._spacing * 2), _LONGEST_SPACING)

    def taken(self) -> None:
        """Learn of a call that was not too many."""
        narrower = self._spacing * _RECOVERY
        self._spacing = narrower if narrower >= _FIRST_SPACING / 2 else 0.0

    async def permit(self, patience: float | None = None) -> bool:
        """Wait for the right to make one call; False when that would take longer than ``patience`` s."""
        deadline = None if patience is None else time.monotonic() + patience
        async with self._turn:
            while (wait := self._wait()) > 0:
                if deadline is not None and time.monotonic() + wait > deadline:
                    return False
                await asyncio.sleep(wait)
            if self._spacing:
                self.pause(self._spacing)
        return True

    def _wait(self) -> float:
        """Take a permit (0), or return the seconds until it is worth asking again."""
        if pause := self.pause_left:
            return pause
        if self._bucket is None:
            return 0
        now = int(time.monotonic() / _MILLISECOND)
        self._bucket.leak(now)
        item = RateItem("call", now)
        if self._bucket.put(item):
            return 0
        waiting = self._bucket.waiting(item)
        # Only a bucket on a server gives an awaitable.
        return max(waiting, 1) * _MILLISECOND if isinstance(waiting, int) else _MILLISECOND


def pacer_of(account: str, limit: Limit, folder: Path | None = None) -> Pacer:
    """Return a pacer for one run, on the bucket of its account and limit.

    With a ``folder`` all processes that know it share the bucket, else all runs of this process. Pushes on several
    machines don't: there a 429 and its ``Retry-After`` have the last word.
    """
    rates = tuple((rate.limit, rate.interval) for rate in limit.rates)
    memory = None if folder is None else folder / f"{_digest(account, limit.name)}.pause"
    return Pacer(_bucket(account, limit.name, rates, folder) if rates else None, memory)


def _remembered(memory: Path | None) -> float:
    """Return until when a vendor asked for a pause, by the clock that never jumps."""
    try:
        until = 0.0 if memory is None else float(memory.read_text(encoding="ascii"))
    except (OSError, ValueError):  # there was none; or a file that nobody wrote whole
        return 0.0
    return until if until - time.monotonic() <= _LONGEST_PAUSE else 0.0


def _digest(account: str, name: str) -> str:
    # Calls are counted by the clock that never jumps, which begins anew with the machine: so does the file.
    return hashlib.sha256(f"{account}\n{name}\n{machine()}".encode()).hexdigest()[:16]


@cache
def _bucket(account: str, name: str, rates: Sequence[tuple[int, int]], folder: Path | None) -> AbstractBucket:
    """Return a bucket that outlives a push, as the vendor's window does."""
    kept = [Rate(limit, interval) for limit, interval in rates]
    if folder is None:
        return InMemoryBucket(kept)
    path = folder / f"{_digest(account, name)}.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return SQLiteBucket.init_from_file(kept, db_path=str(path), use_file_lock=True)
    except (OSError, sqlite3.Error) as error:
        raise PerennialError(
            f"calls can't be counted in {folder}: {type(error).__name__}",
            "let this user write there, and see that its disk has space; without a count a vendor would be overrun",
        ) from None
