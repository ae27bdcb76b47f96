"""What landed is looked at before it is loaded: one suite for the envelope of all rows, one for each stream.

Does what landed have the envelope that every model relies on? *Blocking* expectations say that files and
manifest belong together; when one fails, nothing may be loaded. A stream's suite speaks of single rows: those
that break one of its rules are the ones that staging quarantines while the good ones go on.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import reduce

from extractors.landing.batches import Batch
from extractors.landing.log import LandingLog
from extractors.validation.frame import Frames, new_frames
from extractors.validation.report import SuiteReport, ValidationReport
from extractors.validation.rules import StreamRules, rules_by_stream
from perennial.clock import clock_of
from perennial.home import Home
from perennial.settings import Settings

BOUNDARY = "landing_boundary"
_CLOCKS_DIFFER_BY = timedelta(minutes=5)
# A first look at years of history must fit into memory: so many rows are looked at together, and no more.
_ROWS_AT_ONCE = 250_000


def validate_new_batches(
    settings: Settings, log: LandingLog, after_seq: int, upto_seq: int
) -> ValidationReport:
    """Validate all rows with ``after_seq < seq <= upto_seq``.

    Without new rows it is a success at once. Raises ``LandingError`` when a file can't be read; then nothing
    may be loaded either.
    """
    reports = [_validate(settings, log, batches) for batches in _portions(log.batches(after_seq, upto_seq))]
    nothing = ValidationReport(after_seq, upto_seq, SuiteReport(BOUNDARY, rows=0))
    return reduce(ValidationReport.and_then, reports) if reports else nothing


def _portions(batches: Sequence[Batch]) -> Iterator[Sequence[Batch]]:
    portion: list[Batch] = []
    for batch in batches:
        if portion and sum(one.rows for one in portion) + batch.rows > _ROWS_AT_ONCE:
            yield portion
            portion = []
        portion.append(batch)
    if portion:
        yield portion


def _validate(settings: Settings, log: LandingLog, batches: Sequence[Batch]) -> ValidationReport:
    after, upto = batches[0].seq - 1, batches[-1].seq
    rules = rules_by_stream()
    frames = new_frames(log, after, upto, rules)
    boundary, *streams = _judged(settings, frames, rules, batches)
    return ValidationReport(after, upto, boundary, streams)


def _judged(
    settings: Settings, frames: Frames, rules: Mapping[str, StreamRules], batches: Sequence[Batch]
) -> Iterator[SuiteReport]:
    # Read when the library is imported: no usage report leaves this machine.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # Importing it takes seconds, and a run without news need not pay for that.
    from extractors.validation import boundary_suite, stream_suite  # noqa: PLC0415 - see above
    from extractors.validation.checkpoint import Checkpoints  # noqa: PLC0415 - see above

    landed = boundary_suite.Range(
        batches[0].seq - 1,
        batches[-1].seq,
        sum(batch.rows for batch in batches),
        clock_of(settings).now() + _CLOCKS_DIFFER_BY,
    )
    run_name = f"seq-{batches[0].seq:012d}-{batches[-1].seq:012d}"
    checkpoints = Checkpoints(Home(settings.home).data_docs, run_name)
    yield checkpoints.run(BOUNDARY, frames.envelopes, boundary_suite.expectations(landed))
    for stream, table in frames.streams.items():
        yield checkpoints.run(stream, table, stream_suite.expectations(rules[stream]))
