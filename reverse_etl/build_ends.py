"""What the log says of builds that have ended: all that they decided has landed before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from extractors.landing.log import LandingLog
from extractors.landing.records import LandedRecord
from reverse_etl.addresses import Channel


@dataclass(frozen=True, slots=True)
class BuildEnd:
    """A build that has ended, how far it had read, and the records of tills that closed an address, by their place."""

    seq: int
    upto_seq: int
    ended_at: datetime
    closed: Sequence[tuple[int, int, Channel]]

    def channels_by_place(self) -> Mapping[tuple[int, int], Sequence[Channel]]:
        """Return the channels that each of those records closed."""
        found: dict[tuple[int, int], list[Channel]] = defaultdict(list)
        for seq, row_no, channel in self.closed:
            found[seq, row_no].append(channel)
        return found


def _build_end(record: LandedRecord) -> BuildEnd | None:
    told = msgspec.json.decode(record.payload)
    if not told.get("finished"):
        return None
    closed = [(one["seq"], one["row_no"], one["channel"]) for one in told.get("closed", ())]
    return BuildEnd(record.seq, told["upto_seq"], record.received_at, closed)


def build_ends(log: LandingLog, after: int, upto: int) -> list[BuildEnd]:
    """Read which builds have ended between two places of the log, in order."""
    read = map(_build_end, log.read("perennial", "moments", after, upto))
    return [end for end in read if end is not None]


def reach(ends: Iterable[BuildEnd]) -> int:
    """Return how far the log was read by the one of them that read most."""
    return max((end.upto_seq for end in ends), default=0)
