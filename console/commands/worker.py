"""``perennial worker``: hosts the builder, decides on webhooks at once, and sends what is due."""

import signal
import threading
from types import FrameType

from console.homes import own_home
from console.output import err
from perennial.settings import load_settings


def worker() -> None:
    """Own the warehouse until told to end: build what lands, send what is due, report to Dagster."""
    from console.instance import prepare_instance
    from console.reporting import DagsterReporter
    from reverse_etl.push import push
    from warehouse.worker import Worker

    settings = load_settings()
    home = own_home(settings)
    prepare_instance(home)
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with DagsterReporter(home) as reporter:
        err.print(f"building what lands in {home.root}", soft_wrap=True)
        Worker(settings, push=lambda ending: push(settings, stop=ending), on_report=reporter.take).run(stop)
