"""What a validation found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation and how it went.

    ``failed`` counts rows (for a failed statement about the whole range: 1); ``samples`` are up to twenty
    ``(seq, row_no)``, never a value. ``blocking`` tells that nothing may be loaded; otherwise staging
    quarantines the rows and the others go on.
    """

    name: str
    description: str
    blocking: bool
    success: bool
    failed: int = 0
    samples: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """The outcome for the rows with ``after_seq < seq <= upto_seq``; without rows ``docs_path`` is None."""

    after_seq: int
    upto_seq: int
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

    @property
    def blocking(self) -> Sequence[Expectation]:
        """The failures after which nothing may be loaded: envelope, manifest or files are broken."""
        return [one for one in self.failures if one.blocking]
