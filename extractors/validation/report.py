"""What a validation found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation and how it went.

    ``failed`` counts rows (for a failed statement about the whole range: 1); ``samples`` are up to twenty
    ``(seq, row_no)``, never a value. ``blocking`` tells that nothing may be loaded, ``quarantines`` that
    staging refuses these rows while the others go on; of the rest somebody only needs to know.
    """

    name: str
    description: str
    blocking: bool
    success: bool
    failed: int = 0
    samples: Sequence[tuple[int, int]] = ()
    quarantines: bool = False

    def and_then(self, later: "Expectation") -> "Expectation":
        """Return how it went over this range and a later one."""
        return Expectation(
            self.name,
            self.description,
            self.blocking,
            self.success and later.success,
            self.failed + later.failed,
            (*self.samples, *later.samples)[:_SAMPLES],
            self.quarantines,
        )


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """How one suite went over some rows; ``docs_path`` is its newest page, None where it had nothing to look at."""

    suite: str
    rows: int
    expectations: Sequence[Expectation] = ()
    docs_path: Path | None = None

    @property
    def success(self) -> bool:
        """Whether every expectation holds."""
        return all(one.success for one in self.expectations)

    @property
    def failures(self) -> Sequence[Expectation]:
        """The expectations that do not hold."""
        return [one for one in self.expectations if not one.success]

    def and_then(self, later: "SuiteReport") -> "SuiteReport":
        """Return how the suite went over these rows and later ones."""
        found = [
            one.and_then(after) for one, after in zip(self.expectations, later.expectations, strict=True)
        ]
        return SuiteReport(self.suite, self.rows + later.rows, found, later.docs_path)


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """The outcome for the rows with ``after_seq < seq <= upto_seq``: their envelopes, and each stream that has any."""

    after_seq: int
    upto_seq: int
    boundary: SuiteReport
    streams: Sequence[SuiteReport] = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.boundary.rows

    @property
    def success(self) -> bool:
        """Whether every expectation of every suite holds."""
        return all(one.success for one in (self.boundary, *self.streams))

    @property
    def blocking(self) -> Sequence[Expectation]:
        """The failures after which nothing may be loaded: envelope, manifest or files are broken."""
        return [one for one in self.boundary.failures if one.blocking]

    def and_then(self, later: "ValidationReport") -> "ValidationReport":
        """Return the outcome for this range and the one after it."""
        streams = {one.suite: one for one in self.streams}
        for one in later.streams:
            streams[one.suite] = streams[one.suite].and_then(one) if one.suite in streams else one
        return ValidationReport(
            self.after_seq, later.upto_seq, self.boundary.and_then(later.boundary), [*streams.values()]
        )
