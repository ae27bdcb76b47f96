"""An operator's desk: an installation's ledger, landing log and clock, for what people decide by hand.

A word lands first. It takes effect by being read from the log, here or by whichever push is running; so a crash after
it has landed loses nothing, and a ledger that is made anew knows it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from extractors.landing.log import LandingLog
from extractors.landing.operations import land_operation
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.home import Home
from perennial.published import rows
from reverse_etl.destinations.registry import NAMES
from reverse_etl.kinds import NOTICES
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments

_FLOWS = "select flow_name from marts.flow_catalogue"


@dataclass(frozen=True)
class Desk:
    """What an operator's command works with, see ``opening.py``.

    ``tells`` are the destinations that hear of closed addresses, ``read_log`` takes in what has landed.
    """

    home: Home
    ledger: Ledger
    log: LandingLog
    clock: Clock
    tells: Sequence[str]
    read_log: Callable[[], object]

    @property
    def destinations(self) -> Collection[str]:
        """Every destination there is, set up or not."""
        return NAMES

    def flows(self) -> Collection[str]:
        """Return every flow that is published, or that the ledger ever took in."""
        published = {row["flow_name"] for row in rows(self.home, "marts.flow_catalogue", _FLOWS)}
        with self.ledger.read() as connection:
            taken_in = select(enrollments.c.flow_name).where(enrollments.c.kind.not_in(NOTICES)).distinct()
            return published | set(connection.scalars(taken_in))

    def catch_up(self) -> None:
        """Let the ledger know what has landed."""
        self.read_log()

    def land(
        self, operation: str, subject: Mapping[str, object], *, key: str | None = None, by: str | None = None
    ) -> None:
        """Land a word, and read it; landed twice under one ``key`` it is one."""
        land_operation(self.log, self.clock, operation, subject, by=by, key=key)
        crash_point("operation_landed")
        self.catch_up()
