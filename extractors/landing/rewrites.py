"""Where batches lie now: the rewrites that have moved them since they landed.

A rewrite puts one new file in the place of the files of a closed range. It is one entry in a manifest of its own
(``manifest/rewrites/``), whose number says how often files have been replaced: who has noted a number asks for
what came after it.
"""

import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from extractors.landing.batches import Batch
from extractors.landing.manifest import Manifest
from extractors.landing.store import Store


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file that holds the batches ``first_seq`` to ``last_seq`` in place of the files ``replaced``.

    ``seq`` is its place among the rewrites. What it replaced goes once ``removable_at`` has passed.
    """

    seq: int
    path: str
    first_seq: int
    last_seq: int
    bytes: int
    replaced: tuple[str, ...]
    removable_at: datetime

    @property
    def name(self) -> str:
        """Return what it can be found by: no two rewrites write one path."""
        return self.path

    def overlaps(self, first_seq: int, last_seq: int) -> bool:
        """Tell whether it moved a batch of a range."""
        return self.first_seq <= last_seq and first_seq <= self.last_seq


class Rewrites:
    """The rewrites of one log; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._manifest = Manifest(store, Rewrite, "manifest/rewrites", "--repair-rewrite")
        self._state = threading.Lock()
        self._known = 0
        self._spans: list[Rewrite] = []  # those in force: disjoint, by first_seq
        self._moved: dict[int, Batch] = {}

    @property
    def last(self) -> int:
        """The number of the newest rewrite at the last refresh; 0 when there is none."""
        return self._manifest.last

    def refresh(self) -> None:
        """Take in what others have rewritten since the last look; ``LandingError`` where an entry is damaged."""
        self._manifest.refresh()
        with self._state:
            for one in self._manifest.entries(self._known, None):
                # Whole files are replaced, so an earlier rewrite that this one meets is covered by it.
                kept = [span for span in self._spans if not span.overlaps(one.first_seq, one.last_seq)]
                self._spans = sorted([*kept, one], key=lambda span: span.first_seq)
                self._known = one.seq

    def after(self, number: int) -> list[Rewrite]:
        """Return the rewrites after a number, in order."""
        return self._manifest.entries(number, None)

    def holding(self, seq: int) -> Rewrite | None:
        """Return the rewrite whose file holds a batch now; None where it lies as it landed."""
        return _holding(self._spans, seq)

    def placed(self, batches: Sequence[Batch]) -> list[Batch]:
        """Return batches with the paths that they have now."""
        spans = self._spans
        return (
            [self._moved_to(batch, _holding(spans, batch.seq)) for batch in batches] if spans else [*batches]
        )

    def add(self, rewrite: Rewrite) -> bool:
        """Put a rewrite in force, durably; False when another has taken its number."""
        return self._manifest.add(rewrite)

    def mend(self, rewrite: Rewrite) -> None:
        """Write an entry in place of a damaged one."""
        self._manifest.mend(rewrite)

    def extend_checkpoint(self) -> None:
        """Move full thousands of entries into pages."""
        self._manifest.extend_checkpoint()

    def _moved_to(self, batch: Batch, rewrite: Rewrite | None) -> Batch:
        if rewrite is None:
            return batch
        moved = self._moved.get(batch.seq)
        if moved is None or moved.path != rewrite.path:
            moved = self._moved[batch.seq] = replace(batch, path=rewrite.path)
        return moved


def _holding(spans: Sequence[Rewrite], seq: int) -> Rewrite | None:
    at = bisect_right(spans, seq, key=lambda span: span.first_seq) - 1
    return spans[at] if at >= 0 and seq <= spans[at].last_seq else None
