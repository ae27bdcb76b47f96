"""A vendor that does what its script says: a real server for what the sandbox's are too well-behaved for."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass(frozen=True)
class Reply:
    """What the vendor does with a call: keep it or not, then answer, or hang up."""

    status: int = 202
    body: Any = b""  # bytes as they are, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    keeps: bool | None = None  # None: keeps what it answers with 2xx
    hangs_up: bool = False
    delay: float = 0


@dataclass
class Vendor:
    """The server's record: every call, and those it kept."""

    script: Callable[[int, dict[str, Any]], Reply] = lambda _number, _body: Reply()
    calls: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    in_flight: int = 0
    most_in_flight: int = 0

    @property
    def as_aiq(self) -> dict[str, str]:
        """The settings with which this is AIQ."""
        return {"AIQ_BASE_URL": self.url, "AIQ_API_KEY": "aiq-key", "AIQ_INTEGRATOR_SLUG": "slug"}


class _Server(ThreadingHTTPServer):
    vendor: Vendor
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        vendor = cast("_Server", self.server).vendor
        raw = self.rfile.read(int(self.headers["content-length"]))
        body = json.loads(raw)
        with vendor.lock:
            vendor.paths.append(self.path)
            vendor.raw.append(raw)
            vendor.calls.append(body)
            vendor.headers.append({key.lower(): value for key, value in self.headers.items()})
            reply = vendor.script(len(vendor.calls), body)
            vendor.in_flight += 1
            vendor.most_in_flight = max(vendor.most_in_flight, vendor.in_flight)
        time.sleep(reply.delay)
        with vendor.lock:
            vendor.in_flight -= 1
            if reply.keeps or (reply.keeps is None and reply.status < 300):
                vendor.kept.append(body)
        if reply.hangs_up:
            # A reset, not a polite close.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for key, value in reply.headers.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Say nothing."""


@contextmanager
def serving(script: Callable[[int, dict[str, Any]], Reply] | None = None) -> Iterator[Vendor]:
    """Run a scripted vendor on a free port of loopback."""
    vendor = Vendor() if script is None else Vendor(script)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.vendor = vendor
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
