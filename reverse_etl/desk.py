"""An operator's desk: an installation's ledger, landing log and clock, for what people decide by hand.

A word lands first. It takes effect by being read from the log, here or by whichever push is running; so a crash after
it has landed loses nothing, and a ledger that is made anew knows it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select

from extractors.landing.log import LandingLog
from extractors.landing.operations import land_operation
from perennial.clock import Clock, clock_of
from perennial.crash import crash_point
from perennial.home import Home
from perennial.published import rows
from perennial.salt import salt_of
from perennial.settings import Settings
from reverse_etl.destinations.registry import NAMES, told_of_closed_addresses
from reverse_etl.ledger.store import Ledger, open_ledger
from reverse_etl.ledger.tables import enrollments
from reverse_etl.tail import Tail

_FLOWS = "select flow_name from marts.flow_catalogue"


@dataclass(frozen=True)
class Desk:
    """What an operator's command works with; ``tells`` are the destinations that hear of closed addresses."""

    home: Home
    ledger: Ledger
    log: LandingLog
    clock: Clock
    tells: Sequence[str] = ()

    @property
    def destinations(self) -> Collection[str]:
        """Every destination there is, set up or not."""
        return NAMES

    def flows(self) -> Collection[str]:
        """Return every flow that is published, or that the ledger ever took in."""
        published = {row["flow_name"] for row in rows(self.home, "marts.flow_catalogue", _FLOWS)}
        with self.ledger.read() as connection:
            return published | set(connection.scalars(select(enrollments.c.flow_name).distinct()))

    def catch_up(self) -> None:
        """Let the ledger know what has landed."""
        Tail(self.ledger, self.log, self.clock, self.tells).catch_up()

    def land(
        self, operation: str, subject: Mapping[str, object], *, key: str | None = None, by: str | None = None
    ) -> None:
        """Land a word, and read it; landed twice under one ``key`` it is one."""
        land_operation(self.log, self.clock, operation, subject, by=by, key=key)
        crash_point("operation_landed")
        self.catch_up()


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """Open an installation's desk for a while."""
    clock = clock_of(settings)
    tells = told_of_closed_addresses(settings)
    ledger = open_ledger(settings.ledger_url, salt_of(settings))
    try:
        yield Desk(Home(settings.home), ledger, LandingLog(settings.landing_url, clock), clock, tells)
    finally:
        ledger.close()
