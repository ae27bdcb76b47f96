"""The log's files, kept few: what a night's compaction did."""

import dagster as dg

from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import COMPACTED, LANDING_LOG
from extractors.landing.compaction import compact
from extractors.landing.log import LandingLog
from perennial.settings import load_settings


@dg.asset(
    key=COMPACTED,
    deps=[LANDING_LOG],
    group_name="landing",
    kinds={"parquet"},
)
def compacted() -> dg.MaterializeResult[None]:
    """Merge the small files of full thousands of batches into few large ones; no row moves, no rebuild differs.

    What was replaced stays for a day, longer than any build that may still read it; the next night removes it.
    """
    with acted_on_by_people():
        done = compact(LandingLog(load_settings().landing_url))
    return dg.MaterializeResult(
        metadata={
            "files_before": done.files_before,
            "files_after": done.files_after,
            "bytes_before": done.bytes_before,
            "bytes_after": done.bytes_after,
            "rows": done.rows,
            "files_removed": done.removed,
        }
    )
