"""Several receiver processes on one socket: started, watched, started again, ended together.

Each worker has its own journal and sealer. They hang on a lifeline, a pipe whose other end only this process holds:
when it closes, because we end or because we were killed, each worker seals what it acknowledged and goes.
"""

import contextlib
import hashlib
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Self

from perennial.errors import PerennialError
from perennial.settings import Settings

# Where the workers add up their figures, as the client library of Prometheus does it.
FIGURES = "PROMETHEUS_MULTIPROC_DIR"
_CANT_START = 3
_LOOK_EVERY = 0.2
_STEADY_AFTER = 5.0  # seconds of life after which a death is no failure to start
_LONGEST_PAUSE = 5.0
_END_WITHIN = 30.0
_log = logging.getLogger(__name__)


def supervise(listener: socket.socket, settings: Settings, stop: threading.Event) -> None:
    """Serve with as many processes as the settings say, until ``stop`` is set.

    A worker that dies is started again; what it had acknowledged is sealed by the others, or by it. Raises
    ``PerennialError`` where none can start.
    """
    with _figures(settings.home) as figures, _Workers(listener, settings, figures) as workers:
        while not stop.is_set():
            workers.fill()
            workers.wait()


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C or TERM sets."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Place:
    """A worker's place: who has it, and when the next one may take it."""

    process: SpawnProcess | None = None
    since: float = 0.0
    pause: float = 0.0


class _Workers:
    def __init__(self, listener: socket.socket, settings: Settings, figures: Path) -> None:
        self._listener = listener
        self._settings = settings
        self._figures = figures
        self._context = multiprocessing.get_context("spawn")
        self._places = [_Place() for _ in range(settings.perennial_receiver_workers)]
        self._lifeline, self._held = self._context.Pipe(duplex=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let all go: each seals first. One that doesn't end in time is killed; the next start seals its journal."""
        self._held.close()
        deadline = time.monotonic() + _END_WITHIN
        for process in self._processes():
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                _log.error("worker %s did not end within %.0f s and was killed", process.pid, _END_WITHIN)
                process.kill()
                process.join()
        self._lifeline.close()

    def fill(self) -> None:
        """Start a worker wherever none is, unless the last one has just failed there."""
        now = time.monotonic()
        for place in self._places:
            if place.process is None and now >= place.since + place.pause:
                place.process = self._context.Process(
                    target=work, args=(self._listener, self._settings, self._lifeline)
                )
                # The library looks once, when it loads, which may be before ``work`` runs.
                os.environ[FIGURES] = str(self._figures)
                try:
                    place.process.start()
                finally:
                    del os.environ[FIGURES]
                place.since = now

    def wait(self) -> None:
        """Return when a worker has died, or after a moment."""
        wait([process.sentinel for process in self._processes()], timeout=_LOOK_EVERY)
        for place in self._places:
            if place.process is not None and not place.process.is_alive():
                self._bury(place, place.process)

    def _bury(self, place: _Place, process: SpawnProcess) -> None:
        lived = time.monotonic() - place.since
        place.process, place.since = None, time.monotonic()
        place.pause = 0.0 if lived > _STEADY_AFTER else min(max(0.1, 2 * place.pause), _LONGEST_PAUSE)
        _forget_figures(process, self._figures)
        if process.exitcode == _CANT_START and not self._processes():
            raise PerennialError("the receiver could not start", "the lines above say why")
        _log.error("worker %s ended (%s); another takes its place", process.pid, process.exitcode)

    def _processes(self) -> list[SpawnProcess]:
        return [place.process for place in self._places if place.process is not None]


def work(listener: socket.socket, settings: Settings, lifeline: Connection) -> None:
    """Be a worker: serve until the lifeline ends or a signal comes."""
    from extractors.receiver.server import run_on  # noqa: PLC0415 -- it knows this module

    stop = threading.Event()
    threading.Thread(target=_set_at_the_end_of, args=(lifeline, stop), daemon=True).start()
    try:
        run_on(listener, settings, stop)
    except PerennialError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(_CANT_START) from None


def _set_at_the_end_of(lifeline: Connection, stop: threading.Event) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    stop.set()


@contextmanager
def _figures(home: Path) -> Iterator[Path]:
    """Give a folder for the workers' figures; in memory where there is one: a full disk must not end a worker.

    It is always the same for a home, so that what a killed supervisor left goes at the next start.
    """
    memory = Path("/dev/shm")  # noqa: S108 -- the folder in it is ours alone
    name = f"perennial-receiver-{os.getuid()}-{hashlib.sha256(bytes(home)).hexdigest()[:12]}"
    folder = (memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _forget_figures(process: SpawnProcess, figures: Path) -> None:
    """Remove what a dead worker said of its present state; what it counted stays counted."""
    for path in figures.glob(f"gauge_live*_{process.pid}.db"):
        path.unlink(missing_ok=True)
