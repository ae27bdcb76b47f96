"""Keeping one mirror equal, whatever is in it: note the call, make it, note what became of it."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from perennial.clock import Clock
from perennial.crash import crash_point
from reverse_etl.addresses import Channel, address_hash
from reverse_etl.bounds import MIRROR
from reverse_etl.ledger.store import Ledger, salt_in
from reverse_etl.ledger.tables import suppressions
from reverse_etl.pauses import standing, stops
from reverse_etl.sync import book
from reverse_etl.sync.book import Outcome, Sending
from reverse_etl.sync.calls import Calls, StoppedError
from reverse_etl.sync.mirror import Item, Mirror
from reverse_etl.sync.wanted import Wanted

_AT_A_TIME = 500


@dataclass
class Tally:
    """What one sync did to a mirror: calls were made for ``sent`` items; the others say what became of them."""

    sent: int = 0
    accepted: int = 0
    removed: int = 0
    refused: int = 0


@dataclass
class Keeper:
    """What keeps one mirror equal: the ledger's book, the published set, the account's calls, and how long it may take.

    ``catch_up`` reads what has landed since into the ledger, so that an address that was closed is known as such.
    """

    mirror: Mirror
    ledger: Ledger
    wanted: Wanted
    calls: Calls
    clock: Clock
    catch_up: Callable[[], object]
    longest: timedelta
    is_told_to_stop: Callable[[], bool]
    tally: Tally = field(default_factory=Tally)
    _began: float = field(default_factory=time.monotonic)
    _tried: set[str] = field(default_factory=set)

    def check_time(self) -> None:
        """Raise ``StoppedError`` where no further call is to be begun."""
        if self.is_told_to_stop():
            raise StoppedError("it was told to stop; the rest waits for the next sync")
        self.catch_up()  # that somebody paused it may have landed since
        with self.ledger.read() as connection:
            if stops(standing(connection), self.mirror.destination, self.mirror.target, MIRROR):
                raise StoppedError("it is paused; perennial resume lets it go on")
        if time.monotonic() - self._began > self.longest.total_seconds():
            raise StoppedError("its time is over; the rest goes with the next sync")

    def due(self, *, after: str, limit: int, is_wanted: bool = True, failed: bool = False) -> list[Item]:
        """Return open items that this sync has not tried; those that failed before are asked for on their own."""
        while True:
            with self.ledger.read() as connection:
                found = book.due(
                    connection, self.mirror, after=after, limit=limit, is_wanted=is_wanted, failed=failed
                )
            untried = [item for item in found if item.item not in self._tried]
            if untried or not found:
                return untried
            after = found[-1].item

    def begin(self, items: Sequence[Sending]) -> None:
        """Commit that calls are about to be made."""
        with self.ledger.write() as connection:
            book.begin(connection, self.mirror, items, self.clock.now())
        self.tally.sent += len(items)
        self._tried.update(one.item for one in items)
        crash_point("sync_attempting")

    def settle(self, outcomes: Sequence[Outcome], *, is_removal: bool = False) -> None:
        """Commit what became of calls."""
        if not outcomes:
            return
        crash_point("sync_answered")
        with self.ledger.write() as connection:
            book.settle(connection, self.mirror, outcomes, self.clock.now())
        refused = sum(one.error is not None for one in outcomes)
        self.tally.refused += refused
        if is_removal:
            self.tally.removed += len(outcomes) - refused
        else:
            self.tally.accepted += len(outcomes) - refused

    def closed(self, channel: Channel, addresses: Collection[str]) -> set[str]:
        """Return which of some addresses have been closed since anybody asked for them."""
        self.catch_up()
        found: set[str] = set()
        with self.ledger.read() as connection:
            salt = salt_in(connection)
            of_hash = {address_hash(salt, channel, address): address for address in addresses}
            hashes = list(of_hash)
            for first in range(0, len(hashes), _AT_A_TIME):
                query = select(suppressions.c.address_hash).where(
                    suppressions.c.channel == channel,
                    suppressions.c.is_suppressed,
                    suppressions.c.address_hash.in_(hashes[first : first + _AT_A_TIME]),
                )
                found |= {of_hash[hashed] for hashed in connection.scalars(query)}
        return found
