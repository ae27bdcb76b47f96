"""What every route does with a good request: keep it on the disk, then say so."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel

from extractors.landing.records import Record
from extractors.receiver.limits import Bodies, Rates
from extractors.receiver.metrics import Metrics
from extractors.receiver.parsing import all_rejected
from extractors.receiver.problems import Rejected, unavailable
from perennial.clock import Clock

if TYPE_CHECKING:
    from extractors.landing.journal import Journal


class Accepted(BaseModel):
    """The answer to what was kept: it survives a power cut."""

    accepted: int


class AcceptedList(Accepted):
    """The answer to events of which some may not have been kept."""

    rejected: list[Rejected] = []


class Intake:
    """The way from a checked request to the journal."""

    def __init__(self, clock: Clock, metrics: Metrics, requests_per_second: int) -> None:
        self._clock = clock
        self._metrics = metrics
        self.bodies = Bodies()
        self.rates = Rates(requests_per_second)
        self.journal: Journal | None = None

    def now(self) -> datetime:
        """Return the instant that a record is received at."""
        return self._clock.now()

    async def keep(self, records: Sequence[Record]) -> Accepted:
        """Keep records; returns after their sync. 503 when they can't be kept."""
        if self.journal is None:
            raise unavailable("the receiver is starting or stopping", "send it again in a second")
        began = time.monotonic()
        await self.journal.append(records)
        if records:
            stale = sum(1 for record in records if "stale" in record.headers)
            self._metrics.accepted(records[0].source, len(records), stale, time.monotonic() - began)
        return Accepted(accepted=len(records))

    async def keep_list(self, records: Sequence[Record], rejected: list[Rejected]) -> AcceptedList:
        """Keep the good ones of a list and name the others; 422 when there is no good one."""
        if rejected and not records:
            raise all_rejected(rejected)
        kept = await self.keep(records)
        return AcceptedList(accepted=kept.accepted, rejected=rejected)
