"""What destinations say of themselves in the same way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pyrate_limiter import Rate

from reverse_etl.addresses import CHANNELS, Channel
from reverse_etl.destinations.base import ONE, Batch, Limit


@dataclass(frozen=True, kw_only=True)
class Head:
    """The facts of a destination, each the default of its class; ``Destination`` says what they mean."""

    name: str
    dedupes: bool
    concurrency: int
    channels: Collection[Channel] = CHANNELS
    batch: Batch = ONE
    rates: Sequence[Rate] = ()

    def limit(self, rows: int, *, is_opt_out: bool = False) -> Limit:
        """Return the one quota of all calls."""
        del rows, is_opt_out
        return Limit("calls", tuple(self.rates))
