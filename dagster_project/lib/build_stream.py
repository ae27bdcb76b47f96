"""A build whose results arrive as they happen."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue

from perennial.settings import Settings
from warehouse.client import build
from warehouse.report import BuildReport, Lane, NodeResult


def stream_build(settings: Settings, lane: Lane) -> Iterator[NodeResult | BuildReport]:
    """Run a build and yield each node's result at once, the report last.

    The builder calls back while it works and an asset must yield, so the build runs on a thread of its own.
    Whatever it raises is raised here.
    """
    arrived: SimpleQueue[NodeResult | BuildReport | BaseException] = SimpleQueue()

    def work() -> None:
        try:
            arrived.put(build(settings, lane=lane, on_node=arrived.put))
        except BaseException as error:  # noqa: BLE001 - raised again on the side that waits
            arrived.put(error)

    thread = threading.Thread(target=work, name="build", daemon=True)
    thread.start()
    while True:
        item = arrived.get()
        if isinstance(item, BaseException):
            thread.join()
            raise item
        yield item
        if isinstance(item, BuildReport):
            thread.join()
            return
