"""Runs the suite in Great Expectations and writes the Data Docs.

Imports Great Expectations, which takes seconds: ``suite`` imports this module where it has rows to look at.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import great_expectations as gx
import pyarrow as pa
from great_expectations.checkpoint.actions import UpdateDataDocsAction
from great_expectations.core import ExpectationValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig

from extractors.validation.boundary import Rule
from extractors.validation.report import Expectation

SUITE = "landing_boundary"
_SITE = "perennial"
_SAMPLES = 20
_PAGES_KEPT = 50


def run_suite(
    table: pa.Table, suite: Sequence[Rule], docs: Path, run_name: str
) -> tuple[list[Expectation], Path]:
    """Return how each expectation went, and the page that shows it."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in context.get_site_names():
        context.delete_data_docs_site(site)  # a default one in a temporary folder
    context.add_data_docs_site(
        _SITE,
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
        },
    )
    for rule in suite:
        rule.expectation.meta = {"name": rule.name, "blocking": rule.blocking}
        rule.expectation.notes = rule.description
    frame = context.data_sources.add_pandas("landing").add_dataframe_asset("rows")
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(
            name=SUITE,
            data=frame.add_batch_definition_whole_dataframe("new"),
            suite=context.suites.add(
                gx.ExpectationSuite(name=SUITE, expectations=[rule.expectation for rule in suite])
            ),
        ),
    )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=SUITE,
            validation_definitions=[validation],
            actions=[UpdateDataDocsAction(name="data_docs", site_names=[_SITE])],
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": _SAMPLES,
                "unexpected_index_column_names": ["seq", "row_no"],
            },
        ),
    )
    outcome = checkpoint.run(
        batch_parameters={"dataframe": table.to_pandas()}, run_id=gx.RunIdentifier(run_name=run_name)
    )
    by_name = {
        result.expectation_config.meta["name"]: result
        for validated in outcome.run_results.values()
        for result in validated.results
        if result.expectation_config is not None
    }
    found = [_outcome(rule, by_name.get(rule.name)) for rule in suite]
    return found, _tidy(docs, run_name)


def _outcome(rule: Rule, result: ExpectationValidationResult | None) -> Expectation:
    """Read one result; what is missing, or ended in an exception, has not been shown to hold."""
    if result is None:
        return Expectation(rule.name, rule.description, rule.blocking, success=False, failed=1)
    details = result.result or {}
    # Without that key the dictionary is keyed by metric, and each of them is an exception.
    raised = (result.exception_info or {}).get("raised_exception", True)
    success = bool(result.success) and not raised
    samples = [
        (place["seq"], place["row_no"]) for place in details.get("partial_unexpected_index_list") or ()
    ]
    failed = 0 if success else int(details.get("unexpected_count") or 1)
    return Expectation(rule.name, rule.description, rule.blocking, success, failed, tuple(samples))


def _tidy(docs: Path, run_name: str) -> Path:
    """Remove the oldest pages; return the page of this run, else the front page."""
    folder = docs / "validations" / SUITE
    runs = sorted(folder.iterdir(), key=lambda run: run.stat().st_mtime) if folder.is_dir() else []
    for run in runs[:-_PAGES_KEPT]:
        if run.name != run_name:
            shutil.rmtree(run, ignore_errors=True)
    pages = sorted((folder / run_name).rglob("*.html"))
    return pages[-1] if pages else docs / "index.html"
