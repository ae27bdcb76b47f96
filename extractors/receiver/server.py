"""Runs the receiver on the address that the settings name."""

import contextlib
import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from extractors.landing.disk_errors import landing_error
from extractors.landing.durable import make_folder
from extractors.receiver.app import create_app
from extractors.receiver.connections import BoundedProtocol
from extractors.receiver.workers import ended_by_signals, supervise
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings


def serve(settings: Settings, stop: threading.Event | None = None) -> None:
    """Serve with the workers of the settings until a signal; in this process alone until ``stop`` is set.

    What was acknowledged is sealed before it returns. Raises ``PerennialError`` when it can't start.
    """
    with contextlib.closing(_listen(settings.perennial_host, settings.perennial_receiver_port)) as listener:
        if stop is not None or settings.perennial_receiver_workers == 1:
            run_on(listener, settings, stop)
            return
        _make_journal(settings)
        with ended_by_signals() as told:
            supervise(listener, settings, told)


def run_on(listener: socket.socket, settings: Settings, stop: threading.Event | None = None) -> None:
    """Serve in this process, on a socket that is bound already."""
    _make_journal(settings)
    # No access log: addresses of senders and topics are of no use there.
    config = uvicorn.Config(
        create_app(settings, clock_of(settings)),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="on",
        http=BoundedProtocol,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    if stop is not None:
        threading.Thread(target=_end_when_set, args=(stop, server), daemon=True).start()
    try:
        # Ctrl-C, after everything has been sealed
        with contextlib.suppress(KeyboardInterrupt), _rare_collections():
            server.run(sockets=[listener])
    except SystemExit as error:  # how the server says that it could not start
        raise PerennialError("the receiver could not start", "the lines above say why") from error


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles seldom, and never among what was loaded at the start.

    Requests that wait for the disk outlive a young collection; looking through them and through every module again
    and again took 40 % of the processor time of an acknowledgement (``benchmarks/RESULTS.md``). The memory of a
    request is counted back without the collector, so what remains between two collections is bounded by them.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _make_journal(settings: Settings) -> None:
    try:
        make_folder(Home(settings.home).journal)
    except OSError as error:
        raise landing_error("the receiver's journal can't be opened", error) from error


def _end_when_set(stop: threading.Event, server: uvicorn.Server) -> None:
    stop.wait()
    server.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PerennialError(
            f"the receiver can't listen on {host}:{port}: {error.strerror}",
            "end what listens there, or set PERENNIAL_RECEIVER_PORT to a free port",
        ) from error
    return listener
