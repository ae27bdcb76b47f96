"""What a pull did, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from extractors.flowhub.run import Stream


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream of a pull.

    ``records`` were seen, ``landed`` of them are new or changed, ``unchanged`` were skipped; ``first_seq``
    and ``last_seq`` bound the batches (None where none landed). Completeness markers are not counted as
    records.
    """

    stream: Stream
    pages: int = 0
    records: int = 0
    landed: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    first_seq: int | None = None
    last_seq: int | None = None


@dataclass(frozen=True, slots=True)
class PullReport:
    """A pull, a report a stream in the order they were pulled."""

    streams: Sequence[StreamReport]

    @property
    def landed(self) -> int:
        """How many records are new or changed."""
        return sum(stream.landed for stream in self.streams)

    def of(self, stream: Stream) -> StreamReport:
        """Return one stream's report; all zero when it was not pulled."""
        return next((report for report in self.streams if report.stream == stream), StreamReport(stream))
