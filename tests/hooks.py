"""Real ends for alerts: an HTTP server and a mail server on loopback, which keep what they get."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class Hook:
    """A server, what it was told, and what it answers."""

    url: str = ""
    told: list[str] = field(default_factory=list)
    status: int = 200


class _Served(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    hook: Hook


class _ServedHttp(ThreadingHTTPServer):
    daemon_threads = True
    hook: Hook


class _Slack(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = cast("_ServedHttp", self.server).hook
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        hook.told.append(body["text"])
        self.send_response(hook.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Say nothing."""


class _Mail(socketserver.StreamRequestHandler):
    """Enough of RFC 5321 to take one message a connection."""

    def handle(self) -> None:
        hook = cast("_Served", self.server).hook
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            match line.split()[0].upper():
                case "EHLO":
                    self._say("250-here\r\n250 AUTH PLAIN")
                case "AUTH":
                    self._say("235 welcome")
                case "RCPT" if hook.status >= 400:
                    self._say(f"{hook.status} nobody of that name")
                case "DATA":
                    self._say("354 go on")
                    lines = []
                    while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                        lines.append(text)
                    hook.told.append("\n".join(lines))
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 fine")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def serving_hook(*, mail: bool = False) -> Iterator[Hook]:
    """Run a server for alerts on a free port of loopback."""
    hook = Hook()
    server: _Served | _ServedHttp
    server = _Served(("127.0.0.1", 0), _Mail) if mail else _ServedHttp(("127.0.0.1", 0), _Slack)
    server.hook = hook
    hook.url = f"{'smtp://ops:secret@' if mail else 'http://'}127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
