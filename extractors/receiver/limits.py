"""How much a request may send, and how much all of them together may hold in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from extractors.receiver.problems import too_large, unavailable

WEBHOOK_BYTES = 1024 * 1024
EVENTS_BYTES = 8 * 1024 * 1024
_HELD_BYTES = 128 * 1024 * 1024


class Bodies:
    """Reads bodies within the limits of one process."""

    def __init__(self, held_bytes: int = _HELD_BYTES) -> None:
        self._left = held_bytes

    @asynccontextmanager
    async def read(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """Give a request's body; its bytes count as held until the caller is done with it.

        413 beyond the limit, whether the length is announced or not, before more than the limit is read.
        """
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            raise _beyond(limit)
        body = bytearray()
        try:
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise _beyond(limit)
                if len(chunk) > self._left:
                    raise unavailable(
                        "the receiver holds as many bodies as it may", "send it again in a second"
                    )
                self._left -= len(chunk)
                body += chunk
            yield bytes(body)
        finally:
            self._left += len(body)


def _beyond(limit: int) -> Exception:
    return too_large(f"the body has more than {limit:,} bytes", "send less at a time")
