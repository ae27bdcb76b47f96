"""The worker: hosts the builder for as long as it runs, and decides on webhooks at once.

Three threads. The *tail* watches the log and asks for a hot moment when something foreign lands. The *server* takes
requests for builds from Dagster's steps and the command line, and streams the results back. The *builder* works them
off, hot moments first. After a build the *pusher* sends what is due.
"""

import contextlib
import json
import logging
import os
import queue
import secrets
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings
from warehouse.builder import Builder
from warehouse.ownership import owning
from warehouse.report import BuildReport, Lane, OnNode, ignore
from warehouse.wire import error_line, node_line, read_line, report_line

_log = logging.getLogger(__name__)
_TAIL_SECONDS = 0.1
_PUSH_SECONDS = 5.0
_OWN = "perennial/"
_URGENCY = {"hot": 0, "scheduled": 1}

OnReport = Callable[[BuildReport], None]


@dataclass(order=True)
class _Request:
    urgency: int
    number: int
    lane: Lane = field(compare=False)
    on_node: OnNode = field(compare=False)
    answer: "queue.SimpleQueue[BuildReport | BaseException]" = field(compare=False)


class Worker:
    """Hosts the builder of one home; ``run`` returns when it is told to stop."""

    def __init__(
        self, settings: Settings, *, push: Callable[[], object] | None = None, on_report: Callable[[BuildReport], None] | None = None,
    ) -> None:
        """``push`` sends what is due, ``on_report`` hears of every build that nobody asked for."""
        self._settings = settings
        self._home = Home(settings.home)
        self._push = push
        self._on_report = on_report
        self._requests: queue.PriorityQueue[_Request] = queue.PriorityQueue()
        self._numbers = count()
        self._decided = threading.Event()
        self._seen = 0

    def run(self, stop: threading.Event) -> None:
        """Own the warehouse until ``stop`` is set; ``PerennialError`` when another process owns it."""
        with owning(self._home.root) as is_owner:
            if not is_owner:
                raise PerennialError(
                    f"another process builds in {self._home.root}", "one worker a home: end the other one, or wait for its build",
                )
            with Builder(self._settings) as builder, self._serving():
                threads = [threading.Thread(target=self._tail, args=[stop], daemon=True, name="tail")]
                if self._push is not None:
                    threads.append(threading.Thread(target=self._pushing, args=[stop], daemon=True, name="push"))
                for thread in threads:
                    thread.start()
                self._work(builder, stop)
                for thread in threads:
                    thread.join(timeout=10)

    def _work(self, builder: Builder, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                request = self._requests.get(timeout=0.2)
            except queue.Empty:
                continue
            try:
                report = builder.build(lane=request.lane, on_node=request.on_node)
            except Exception as error:  # noqa: BLE001 -- told to the asker; the worker lives on
                _log.warning("a build could not run: %s", type(error).__name__)
                request.answer.put(error)
                continue
            self._decided.set()
            request.answer.put(report)
            if not report.ok:
                _log.warning("build %s is not finished: %s", report.build_no, report.error)

    def _tail(self, stop: threading.Event) -> None:
        log = LandingLog(self._settings.landing_url, clock_of(self._settings))
        self._seen = self._covered(log)
        while not stop.wait(_TAIL_SECONDS):
            try:
                fresh = log.batches(after=self._seen)
            except PerennialError as error:
                _log.warning("the landing log can't be read: %s", error)
                continue
            if not fresh:
                continue
            self._seen = fresh[-1].seq
            if any(not stream.startswith(_OWN) for batch in fresh for stream in batch.streams):
                report = self._ask("hot", ignore)
                if isinstance(report, BuildReport) and self._on_report is not None:
                    with contextlib.suppress(Exception):  # telling must not stop the tail
                        self._on_report(report)

    @staticmethod
    def _covered(log: LandingLog) -> int:
        """Return how far the newest moment read."""
        newest = [batch for batch in log.batches() if "perennial/moments" in batch.streams][-1:]
        if not newest:
            return 0
        [*_, last] = log.read("perennial", "moments", after=newest[0].seq - 1, upto=newest[0].seq)
        upto: int = json.loads(last.payload)["upto_seq"]
        return upto

    def _pushing(self, stop: threading.Event) -> None:
        """Send after every build, and now and then: what waited for its hour becomes due without news."""
        while not stop.is_set():
            self._decided.wait(_PUSH_SECONDS)
            self._decided.clear()
            if stop.is_set() or self._push is None:
                return
            try:
                self._push()
            except PerennialError as error:
                _log.warning("the push stopped: %s", error)
            except Exception as error:  # noqa: BLE001 -- the ledger knows what is open; the next push goes on there
                _log.warning("the push failed: %s", type(error).__name__)

    def _ask(self, lane: Lane, on_node: OnNode) -> "BuildReport | BaseException":
        answer: queue.SimpleQueue[BuildReport | BaseException] = queue.SimpleQueue()
        self._requests.put(_Request(_URGENCY[lane], next(self._numbers), lane, on_node, answer))
        return answer.get()

    @contextlib.contextmanager
    def _serving(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 -- a context manager of nothing
        token = secrets.token_urlsafe(24)
        worker = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked = read_line(self.rfile.readline())
                if not secrets.compare_digest(str(asked.get("token")), token):
                    self.wfile.write(error_line("the worker does not know this caller", "ask again: worker.json has its token"))
                    return
                answer = worker._ask(asked["lane"], lambda node: self.wfile.write(node_line(node)) and None)  # noqa: SLF001
                if isinstance(answer, BuildReport):
                    self.wfile.write(report_line(answer))
                elif isinstance(answer, PerennialError):
                    self.wfile.write(error_line(answer.cause, answer.fix))
                else:
                    self.wfile.write(error_line(f"the build could not run: {answer}", "see the worker's log"))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        with Server(("127.0.0.1", 0), Handler) as server:
            told = {"port": server.server_address[1], "token": token, "pid": os.getpid()}
            draft = self._home.worker_socket.with_suffix(".tmp")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(told), encoding="utf-8")
            draft.replace(self._home.worker_socket)
            threading.Thread(target=server.serve_forever, daemon=True, name="server").start()
            try:
                yield
            finally:
                server.shutdown()
                self._home.worker_socket.unlink(missing_ok=True)
