"""The worker: hosts the builder for as long as it runs, and decides on webhooks at once.

The *tail* watches the log and asks for a hot moment when something foreign lands. The *build server* takes requests of
Dagster's steps and the command line and streams the results back. The thread that runs the worker builds, hot moments
first. After a build the *pusher* sends what is due; and as soon as somebody may have opted out, which the *listener*
hears of while a build runs, too.
"""

import logging
import threading
from collections.abc import Callable

from extractors.landing.batches import Batch
from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings
from warehouse.build_queue import BuildQueue, BuildRequest
from warehouse.build_server import serving
from warehouse.builder import Builder
from warehouse.moments import covered
from warehouse.ownership import owning
from warehouse.report import BuildReport, ignore
from warehouse.streams import has_news, may_hold_words

_log = logging.getLogger(__name__)
_TAIL_SECONDS = 0.1
_PUSH_SECONDS = 5.0
_RETRY_SECONDS = 5.0
_STOCK = ".fct_inventory_levels"

OnReport = Callable[[BuildReport], None]


def _listen_to_nothing(_: BuildReport) -> None:
    return


class Worker:
    """Hosts the builder of one home; ``run`` returns when it is told to stop."""

    def __init__(
        self,
        settings: Settings,
        *,
        push: Callable[[threading.Event], object] | None = None,
        on_report: OnReport = _listen_to_nothing,
    ) -> None:
        """Prepare to work.

        ``push`` sends what is due and ends between calls when the event is set; ``on_report`` hears of every build that
        nobody asked for.
        """
        self._settings = settings
        self._home = Home(settings.home)
        self._push = push
        self._on_report = on_report
        self._queue = BuildQueue()
        self._due = threading.Event()  # there may be something to send
        self._unpublished: BuildReport | None = None  # the newest hot moment that touched the stock

    def run(self, stop: threading.Event) -> None:
        """Own the warehouse until ``stop`` is set; ``PerennialError`` when another process owns it."""
        with owning(self._home.root) as is_owner:
            if not is_owner:
                raise PerennialError(
                    f"another process builds in {self._home.root}",
                    "one worker a home: end the other one, or wait for its build",
                )
            with Builder(self._settings) as builder, serving(self._home, self._queue.ask):
                helpers = [
                    threading.Thread(target=self._tail, args=[stop], daemon=True, name="tail"),
                    threading.Thread(target=self._listen, args=[stop], daemon=True, name="listener"),
                    threading.Thread(target=self._pushing, args=[stop], daemon=True, name="push"),
                ]
                for helper in helpers:
                    helper.start()
                while not stop.is_set():
                    request = self._queue.next(seconds=0.2)
                    if request is not None:
                        self._work(builder, request)
                    if self._unpublished is not None and self._queue.is_idle:
                        self._publish_stock(builder, self._unpublished)
                for helper in helpers:
                    helper.join(timeout=10)

    def _work(self, builder: Builder, request: BuildRequest) -> None:
        try:
            report = builder.build(lane=request.lane, on_node=request.on_node)
        except Exception as error:  # noqa: BLE001 - told to the asker; the worker lives on
            _log.warning("a build could not run: %s", type(error).__name__)
            request.answer.put(error)
            return
        if not report.ok:
            _log.warning("build %s is not finished: %s", report.build_no, report.error)
        if report.advice is not None:
            _log.warning("build %s: %s", report.build_no, report.advice)
        self._due.set()
        request.answer.put(report)
        if report.lane == "scheduled":
            self._unpublished = None
        elif any(node.unique_id.endswith(_STOCK) for node in report.nodes):
            self._unpublished = report

    def _publish_stock(self, builder: Builder, report: BuildReport) -> None:
        """Show consumers what orders hold, once nobody waits for a build: they must not sell it twice."""
        self._unpublished = None
        try:
            builder.publish_stock(report)
        except Exception as error:  # noqa: BLE001 - the next build publishes it
            _log.warning("the stock could not be published: %s", type(error).__name__)

    def _tail(self, stop: threading.Event) -> None:
        log = self._open_log()
        seen = covered(log)
        while not stop.wait(_TAIL_SECONDS):
            fresh = _landed(log, seen)
            if not fresh:
                continue
            if any(has_news(batch.streams) for batch in fresh):
                answer = self._queue.ask("hot", ignore)
                if isinstance(answer, BuildReport):
                    self._tell(answer)
                if not (isinstance(answer, BuildReport) and answer.ok):
                    # what landed is still unbuilt: try again, without hurry
                    stop.wait(_RETRY_SECONDS)
                    continue
            seen = fresh[-1].seq

    def _listen(self, stop: threading.Event) -> None:
        """Let an opt-out go outward before anything is built of it; the tail waits for its builds."""
        log = self._open_log()
        seen = covered(log)
        while not stop.wait(_TAIL_SECONDS):
            if fresh := _landed(log, seen):
                seen = fresh[-1].seq
                if any(may_hold_words(batch.streams) for batch in fresh):
                    self._due.set()

    def _open_log(self) -> LandingLog:
        return LandingLog(self._settings.landing_url, clock_of(self._settings))

    def _tell(self, report: BuildReport) -> None:
        try:
            self._on_report(report)
        except Exception as error:  # noqa: BLE001 - who listens must not stop the tail
            _log.warning("build %s could not be reported: %s", report.build_no, type(error).__name__)

    def _pushing(self, stop: threading.Event) -> None:
        """Send after every build or opt-out, and now and then: what waited for its hour becomes due without news."""
        while self._push is not None:
            self._due.wait(_PUSH_SECONDS)
            self._due.clear()
            if stop.is_set():
                return
            try:
                self._push(stop)
            except PerennialError as error:
                _log.warning("the push stopped: %s", error)
            except Exception as error:  # noqa: BLE001 - the ledger knows what is open; the next push goes on there
                _log.warning("the push failed: %s", type(error).__name__)


def _landed(log: LandingLog, after: int) -> list[Batch]:
    try:
        return log.batches(after=after)
    except PerennialError as error:
        _log.warning("the landing log can't be read: %s", error)
        return []
