"""What the log shows of itself: batches, and the files that hold them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that landed: the entry of the manifest.

    ``path`` is relative to the root, ``bytes`` what it took when it landed, ``streams`` counts rows by
    ``source/stream``.
    """

    seq: int
    name: str
    path: str
    rows: int
    bytes: int
    streams: Mapping[str, int]
    landed_at: datetime


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A file to read, with a path or URL that ``read_parquet`` takes.

    It holds whole batches ``first_seq`` to ``last_seq``, and may reach beyond the range that was asked for:
    filter its rows by ``seq``.
    """

    first_seq: int
    last_seq: int
    path: str
    rows: int
    bytes: int
    streams: Mapping[str, int]


def by_file(batches: Iterable[Batch]) -> Iterator[tuple[str, Sequence[Batch]]]:
    """Yield each file's path and its batches; batches of a file stand beside each other."""
    for path, found in groupby(batches, key=lambda batch: batch.path):
        yield path, list(found)


def folder_of(seq: int) -> str:
    """Return the folder of a batch's file; a thousand to a folder, so that one can be listed."""
    return f"batches/{seq // 1_000:09d}"


def total(counts_of: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum by ``source/stream``, in the order of first sight."""
    found: Counter[str] = Counter()
    for some in counts_of:
        found.update(some)
    return dict(found)
