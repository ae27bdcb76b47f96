"""The ordered log of everything that landed, and the checks at its boundary."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import BOUNDARY, LANDING_LOG, rules_check
from dagster_project.lib.landed import last_seen
from dagster_project.lib.streams import stream_key
from extractors.landing.log import LandingLog
from extractors.validation.report import SuiteReport, ValidationReport
from extractors.validation.rules import rules_by_stream
from extractors.validation.suite import validate_new_batches
from perennial.settings import load_settings
from perennial.streams import FOREIGN


@dg.multi_asset(
    name="landing",
    specs=[
        dg.AssetSpec(
            key=LANDING_LOG,
            deps=[stream_key(stream) for stream in FOREIGN],
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
        ),
        *(
            dg.AssetCheckSpec(
                name=rules_check(stream),
                asset=LANDING_LOG,
                description=f"Great Expectations on the new rows of {stream}: what breaks a rule goes to quarantine.",
            )
            for stream in rules_by_stream()
        ),
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
        **_docs(report.boundary),
    }
    found = {one.suite: one for one in report.streams}
    yield dg.MaterializeResult(
        asset_key=LANDING_LOG,
        metadata=metadata,
        check_results=[
            boundary_result(report),
            *(rules_result(found.get(stream, SuiteReport(stream, rows=0))) for stream in rules_by_stream()),
        ],
    )


def boundary_result(report: ValidationReport) -> dg.AssetCheckResult:
    """Return the check's result: an error where nothing may be loaded, a warning for rows to look at."""
    return _result(report.boundary, BOUNDARY, blocks=bool(report.blocking))


def rules_result(report: SuiteReport) -> dg.AssetCheckResult:
    """Return the result of a stream's suite: a warning that names each broken rule and the places of its rows."""
    return _result(report, rules_check(report.suite), blocks=False)


def _result(report: SuiteReport, check: str, *, blocks: bool) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"rows": report.rows, **_docs(report)}
    for one in report.failures:
        metadata[one.name] = dg.MetadataValue.json(
            {
                "says": one.description,
                "failed": one.failed,
                "at": [list(place) for place in one.samples],
                "quarantined": one.quarantines,
            }
        )
    return dg.AssetCheckResult(
        asset_key=LANDING_LOG,
        check_name=check,
        passed=report.success,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        description=" ".join(f"Fails: {one.description} ({one.failed})" for one in report.failures) or None,
        metadata=metadata,
    )


def _docs(report: SuiteReport) -> dict[str, Any]:
    return {} if report.docs_path is None else {"data_docs": dg.MetadataValue.url(report.docs_path.as_uri())}
