"""What a connection may do before it has sent a request: little, and not for long."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADER_BYTES = 64 * 1024
HEADER_SECONDS = 10.0
_REASON = json.dumps(
    {
        "error": "too_large",
        "reason": f"the headers have more than {HEADER_BYTES:,} bytes",
        "fix": "send fewer or shorter headers",
    },
).encode()
_TOO_LARGE = (
    b"HTTP/1.1 413 Request Entity Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
    + f"content-length: {len(_REASON)}\r\n\r\n".encode()
    + _REASON
)


class BoundedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen by the server when it loads
    """The server's own protocol with two bounds that it lacks: on the size of headers, and on their time."""

    _unfinished = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  # as the server's
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take data in; what belongs to no request yet is headers."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._unfinished = 0
            self._be_patient_no_more()
        elif before is None or before.response_complete:
            self._unfinished += len(data)
            if self._unfinished > HEADER_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._be_patient_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _be_patient_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
