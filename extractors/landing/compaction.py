"""Compaction: many small files become few large ones, in the order of the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from extractors.landing.batches import LandedFile
from extractors.landing.log import LandingLog

PAGE = 1_000
TARGET_BYTES = 64 * 1024 * 1024
# Longer than any build or rebuild: those read the files that the log named when they began.
KEEP_OLD_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did to the log's files; ``removed`` counts those that an earlier one had replaced."""

    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    rows: int
    removed: int


def compact(
    log: LandingLog,
    *,
    upto: int | None = None,
    target_bytes: int = TARGET_BYTES,
    keep_old_for: timedelta = KEEP_OLD_FOR,
) -> Compacted:
    """Merge the small files of full thousands of batches (or of those up to ``upto``).

    Each group becomes one file in one atomic step, so that a crash leaves some groups merged and the others for
    the next time. What readers may still need is removed by a compaction after ``keep_old_for``.
    """
    end = log.last_seq() // PAGE * PAGE if upto is None else upto
    before = log.files(upto=end)
    rows = 0
    for group in groups(before, target_bytes):
        log.rewrite(group[0].first_seq, group[-1].last_seq, lambda piece: piece, keep_old_for=keep_old_for)
        rows += sum(file.rows for file in group)
    removed = log.sweep()
    after = log.files(upto=end)
    return Compacted(
        files_before=len(before),
        files_after=len(after),
        bytes_before=sum(file.bytes for file in before),
        bytes_after=sum(file.bytes for file in after),
        rows=rows,
        removed=removed,
    )


def groups(files: Sequence[LandedFile], target_bytes: int) -> list[Sequence[LandedFile]]:
    """Return the runs of neighbours that are worth one file of up to ``target_bytes``.

    A file is merged again only with as much as itself, so that a byte is written a handful of times in its life
    and not every night.
    """
    found: list[Sequence[LandedFile]] = []
    run: list[LandedFile] = []
    for file in [*files, None]:
        if file is not None and sum(one.bytes for one in run) + file.bytes <= target_bytes:
            run.append(file)
            continue
        found += _worth_it(run)
        run = [file] if file is not None else []
    return found


def _worth_it(run: Sequence[LandedFile]) -> list[Sequence[LandedFile]]:
    """Return the longest end of a run whose largest file is no more than half of it; nothing where there is none."""
    for start in range(len(run) - 1):
        sizes = [file.bytes for file in run[start:]]
        if 2 * max(sizes) <= sum(sizes):
            return [run[start:]]
    return []
