"""Asks for the next page while this one lands, in a thread of its own."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def prefetch(work: Callable[[], T]) -> Future[T]:
    """Start the work; its result or its error is the future's.

    The thread is a daemon, unlike those of an executor: whoever ends the process, or gives up on the result,
    does not wait for a slow vendor.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed over to the one who waits
            future.set_exception(error)

    Thread(target=run, name="prefetch", daemon=True).start()
    return future
