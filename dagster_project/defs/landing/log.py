"""The ordered log of everything that landed, and the check at its boundary."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import BOUNDARY, LANDING_LOG
from dagster_project.lib.landed import last_seen
from dagster_project.lib.streams import foreign_streams, stream_key
from extractors.landing.log import LandingLog
from extractors.validation.report import ValidationReport
from extractors.validation.suite import validate_new_batches
from perennial.settings import load_settings


@dg.multi_asset(
    name="landing",
    specs=[
        dg.AssetSpec(
            key=LANDING_LOG,
            deps=[stream_key(stream) for stream in foreign_streams()],
            description="The one ordered log of everything that landed: what every model reads.",
            group_name="landing",
            kinds={"parquet"},
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            name=BOUNDARY,
            asset=LANDING_LOG,
            blocking=True,
            description="Great Expectations on what landed: a broken envelope or file stops the build.",
        )
    ],
)
def log(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Look at what landed since the last look; the models wait for this.

    A failed range stays unseen, so that the next run looks at it again.
    """
    settings = load_settings()
    landing = LandingLog(settings.landing_url)
    seen = last_seen(context, LANDING_LOG)
    with acted_on_by_people():
        upto = landing.last_seq()
        # A log that was put back from an older backup is looked at from its start.
        report = validate_new_batches(settings, landing, seen if seen <= upto else 0, upto)
    metadata: dict[str, Any] = {
        "rows": report.rows,
        "first_seq": report.after_seq + 1,
        "last_seq": report.after_seq if report.blocking else report.upto_seq,
    }
    if report.docs_path is not None:
        metadata["data_docs"] = dg.MetadataValue.url(report.docs_path.as_uri())
    yield dg.MaterializeResult(
        asset_key=LANDING_LOG, metadata=metadata, check_results=[boundary_result(report)]
    )


def boundary_result(report: ValidationReport) -> dg.AssetCheckResult:
    """Return the check's result: an error where nothing may be loaded, a warning for rows to quarantine."""
    metadata: dict[str, Any] = {}
    for one in report.failures:
        # The places are numpy's integers, which JSON doesn't know.
        places = [[int(part) for part in place] for place in one.samples]
        metadata[one.name] = dg.MetadataValue.json(
            {"says": one.description, "failed": int(one.failed), "at": places}
        )
    if report.docs_path is not None:
        metadata["data_docs"] = dg.MetadataValue.url(report.docs_path.as_uri())
    return dg.AssetCheckResult(
        asset_key=LANDING_LOG,
        check_name=BOUNDARY,
        passed=report.success,
        severity=dg.AssetCheckSeverity.ERROR if report.blocking else dg.AssetCheckSeverity.WARN,
        description=" ".join(f"Fails: {one.description} ({one.failed})" for one in report.failures) or None,
        metadata=metadata,
    )
