"""Taking requests for builds over a loopback socket: the worker's side of ``warehouse.client``."""

import json
import os
import secrets
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from perennial.errors import PerennialError
from perennial.home import Home
from warehouse.build_queue import Answer
from warehouse.report import BuildReport, Lane, NodeResult, OnNode
from warehouse.wire import error_line, node_line, read_line, report_line

Ask = Callable[[Lane, OnNode], Answer]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, ask: Ask, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ask = ask
        self.token = token


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer one request: a line for each node as it ends, then one for the report or the error."""
        line = self.rfile.readline()
        if not line:
            return  # somebody only knocked
        asked = read_line(line)
        if not secrets.compare_digest(str(asked.get("token")), self.server.token):
            self.wfile.write(
                error_line("the worker does not know this caller", "ask again: worker.json has its token")
            )
            return
        self._send(self._last_line(self.server.ask(asked["lane"], self._tell)))

    def _tell(self, node: NodeResult) -> None:
        self._send(node_line(node))

    def _send(self, line: bytes) -> None:
        """Send a line; an asker who has gone away does not stop the build that others wait for."""
        with suppress(OSError):
            self.wfile.write(line)

    @staticmethod
    def _last_line(answer: Answer) -> bytes:
        if isinstance(answer, BuildReport):
            return report_line(answer)
        if isinstance(answer, PerennialError):
            return error_line(answer.cause, answer.fix)
        return error_line(f"the build could not run: {type(answer).__name__}", "see the worker's log")


@contextmanager
def serving(home: Home, ask: Ask) -> Iterator[None]:
    """Serve until the block ends; ``worker.json``, for its owner's eyes only, says where and with which token."""
    token = secrets.token_urlsafe(24)
    with _Server(ask, token) as server:
        draft = home.worker_socket.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        told = {"port": server.server_address[1], "token": token, "pid": os.getpid()}
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(home.worker_socket)
        threading.Thread(target=server.serve_forever, daemon=True, name="build-server").start()
        try:
            yield
        finally:
            server.shutdown()
            home.worker_socket.unlink(missing_ok=True)
