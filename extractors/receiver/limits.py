"""How much a request may send, how long it may take, and how much one sender and all together may have."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from extractors.receiver.problems import too_large, too_many, too_slow, unavailable

WEBHOOK_BYTES = 1024 * 1024
EVENTS_BYTES = 8 * 1024 * 1024
BODY_SECONDS = 30.0
_HELD_BYTES = 64 * 1024 * 1024
_BYTES_OF_A_REQUEST = 16 * 1024
_BURST_SECONDS = 2


class Bodies:
    """Reads bodies within the limits of one process."""

    def __init__(self, held_bytes: int = _HELD_BYTES, seconds: float = BODY_SECONDS) -> None:
        self._left = held_bytes
        self._seconds = seconds

    @asynccontextmanager
    async def read(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """Give a request's body; its bytes count as held until the caller is done with it.

        413 beyond the limit, whether the length is announced or not, before more than the limit is read. 503 where
        it does not end in time: a sender that drips would hold its bytes, and its place, for ever.
        """
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            raise _beyond(limit)
        parts: list[bytes] = []
        held = 0
        try:
            try:
                async with asyncio.timeout(self._seconds):
                    async for chunk in request.stream():
                        self._hold(len(chunk), held, limit)
                        held += len(chunk)
                        parts.append(chunk)
            except TimeoutError:
                reason = f"the body did not come to its end within {self._seconds:.0f} s"
                raise too_slow(reason, "send it again, faster") from None
            body = b"".join(parts)
            parts.clear()
            yield body
        finally:
            self._left += held

    def _hold(self, size: int, held: int, limit: int) -> None:
        if held + size > limit:
            raise _beyond(limit)
        if size > self._left:
            raise unavailable("the receiver holds as many bodies as it may", "send it again in a second")
        self._left -= size


class Rates:
    """What each sender of one process has left of its share: a bucket that fills evenly, two seconds deep."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._deep = float(_BURST_SECONDS * per_second)
        self._buckets: dict[str, tuple[float, float]] = {}

    def admit(self, sender: str, size: int) -> None:
        """Count a request of a sender that has proven who it is; 429 when it sends more than its share.

        Each 16 KiB of a body count as a request, so that few large ones weigh as much as many small ones.
        """
        now = time.monotonic()
        cost = min(1 + size // _BYTES_OF_A_REQUEST, self._deep)
        left, since = self._buckets.get(sender, (self._deep, now))
        left = min(self._deep, left + (now - since) * self._per_second)
        if left < cost:
            self._buckets[sender] = (left, now)
            raise too_many(
                f"more than {self._per_second:,} requests a second come from this sender",
                "send it again after the seconds of Retry-After",
                retry_after=math.ceil((cost - left) / self._per_second),
            )
        self._buckets[sender] = (left - cost, now)


def _beyond(limit: int) -> Exception:
    return too_large(f"the body has more than {limit:,} bytes", "send less at a time")
