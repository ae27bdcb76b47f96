"""What a pull did, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from extractors.flowhub.run import Stream
from extractors.pulled import StreamReport


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
