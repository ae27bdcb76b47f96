"""The one suite at the landing boundary.

Does what landed have the envelope that every model relies on? *Blocking* expectations say that files and
manifest belong together; when one fails, nothing may be loaded. The others speak of single rows, which
staging quarantines while the good ones go on.
"""

import os
from datetime import timedelta

from extractors.landing.log import LandingLog
from extractors.validation.frame import new_rows
from extractors.validation.report import ValidationReport
from perennial.clock import clock_of
from perennial.home import Home
from perennial.settings import Settings

_CLOCKS_DIFFER_BY = timedelta(minutes=5)


def validate_new_batches(
    settings: Settings, log: LandingLog, after_seq: int, upto_seq: int
) -> ValidationReport:
    """Validate all rows with ``after_seq < seq <= upto_seq``.

    Without new rows it is a success at once. Raises ``LandingError`` when a file can't be read; then nothing
    may be loaded either.
    """
    expected = sum(batch.rows for batch in log.batches(after_seq, upto_seq))
    if not expected:
        return ValidationReport(after_seq, upto_seq, rows=0)
    table = new_rows(log, after_seq, upto_seq)
    # Read when the library is imported: no usage report leaves this machine.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # Importing it takes seconds, and a run without news need not pay for that.
    from extractors.validation.boundary import Range, rules  # noqa: PLC0415 - see above
    from extractors.validation.checkpoint import run_suite  # noqa: PLC0415 - see above

    latest = clock_of(settings).now() + _CLOCKS_DIFFER_BY
    suite = rules(Range(after_seq, upto_seq, expected, latest))
    run_name = f"seq-{after_seq + 1:012d}-{upto_seq:012d}"
    found, page = run_suite(table, suite, Home(settings.home).data_docs, run_name)
    return ValidationReport(after_seq, upto_seq, table.num_rows, found, page)
