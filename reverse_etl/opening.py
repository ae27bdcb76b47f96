"""Opening an operator's desk.

Apart from the desk itself: its log is read by the tail, which knows what every word of an operator does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings
from reverse_etl.desk import Desk
from reverse_etl.destinations.registry import told_of_closed_addresses
from reverse_etl.ledger.store import open_ledger
from reverse_etl.tail import Tail


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """Open an installation's desk for a while."""
    clock = clock_of(settings)
    tells = told_of_closed_addresses(settings)
    ledger = open_ledger(settings.ledger_url, salt_of(settings))
    try:
        log = LandingLog(settings.landing_url, clock)
        read_log = Tail(ledger, log, clock, tells).catch_up
        yield Desk(Home(settings.home), ledger, log, clock, tells, read_log)
    finally:
        ledger.close()
