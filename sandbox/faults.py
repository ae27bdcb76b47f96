"""Faults on demand: what a vendor does to its next calls."""

import asyncio
import random
import socket
import struct
import threading
from typing import Literal, Protocol

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Vendor = Literal["flowhub", "aiq", "klaviyo", "webhook"]


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """What happens to the next ``count`` calls of a vendor (whose path contains ``path``, if given).

    ``status``: answered with ``status`` (and ``Retry-After``, if given), nothing done. ``reset_before``: the
    connection is reset, nothing done. ``reset_after``: the call takes effect and is kept, then the connection
    is reset without an answer. ``slow``: the answer comes ``seconds`` late. With a ``chance`` below 1 each
    call meets the fault only so often.
    """

    vendor: Vendor
    kind: Literal["status", "reset_before", "reset_after", "slow"]
    count: int = 1
    status: int = 500
    seconds: float = 1.0
    retry_after: int | None = None
    path: str = ""
    chance: float = 1.0


class Faults:
    """The faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        """Start without any."""
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(0)

    def add(self, fault: Fault) -> None:
        """Let a fault happen to the next calls."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget those that have not happened."""
        with self._lock:
            self._waiting.clear()

    def take(self, vendor: str, path: str) -> Fault | None:
        """Return the fault that this call meets, and count it down."""
        with self._lock:
            for fault in self._waiting:
                if fault.vendor == vendor and fault.path in path and self._random.random() < fault.chance:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._waiting.remove(fault)
                    return fault
            return None

    def waiting(self) -> list[Fault]:
        """Return those that have not happened."""
        with self._lock:
            return list(self._waiting)


class Connections:
    """The open connections of the server, by the peer's address, so that one can be reset."""

    def __init__(self) -> None:
        """Start with none."""
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Return an HTTP protocol that tells these connections of each one."""
        opened = self._open

        class Watched(HttpToolsProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
                super().connection_made(transport)
                if self.client is not None:
                    opened[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    opened.pop(self.client, None)
                super().connection_lost(exc)

        return Watched

    async def reset(self, peer: tuple[str, int]) -> None:
        """Reset a connection: the peer sees ECONNRESET, not an orderly end."""
        transport = self._open.get(peer)
        if transport is None:
            return
        handle: socket.socket = transport.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        await asyncio.sleep(
            0.01
        )  # the loss is noticed before the call returns, which would be an error of ours


class CallLog(Protocol):
    """Counts calls."""

    def count(self, vendor: str, method: str, path: str, outcome: str) -> None:
        """Count a call and how it ended."""
        ...


class Gate:
    """Stands before a vendor's app: lets the faults happen and counts the calls."""

    def __init__(
        self, app: ASGIApp, vendor: Vendor, faults: Faults, connections: Connections, log: CallLog
    ) -> None:
        """Guard an app."""
        self._app, self._vendor = app, vendor
        self._faults, self._connections, self._log = faults, connections, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a call, or what its fault makes of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, method = scope["path"], scope["method"]
        fault = self._faults.take(self._vendor, path)
        if fault is None:
            await self._app(scope, receive, self._watch(send, method, path))
        elif fault.kind == "status":
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            self._log.count(self._vendor, method, path, f"fault {fault.status}")
            await Response(status_code=fault.status, headers=headers)(scope, receive, send)
        elif fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, self._watch(send, method, path))
        else:
            if fault.kind == "reset_after":
                await self._app(scope, receive, _swallow)
            else:
                await _read_all(receive)
            self._log.count(self._vendor, method, path, fault.kind)
            await self._connections.reset(scope["client"])

    def _watch(self, send: Send, method: str, path: str) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._log.count(self._vendor, method, path, str(message["status"]))
            await send(message)

        return watched


async def _swallow(message: Message) -> None:
    del message


async def _read_all(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass
