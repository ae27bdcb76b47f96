"""Runs suites in Great Expectations and writes the Data Docs.

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

from extractors.validation.expected import Expected
from extractors.validation.report import Expectation, SuiteReport

_SITE = "perennial"
_PAGES_KEPT = 20


class Checkpoints:
    """Runs one suite after the other; each gets a page of its own in the Data Docs, under the run's name.

    Of the rows that fail an expectation the places of the first ``samples`` are told.
    """

    def __init__(self, docs: Path, run_name: str, samples: int = 20) -> None:
        self._docs = docs
        self._run_name = run_name
        self._samples = samples
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        for site in self._context.get_site_names():
            self._context.delete_data_docs_site(site)  # a default one in a temporary folder
        self._context.add_data_docs_site(
            _SITE,
            {
                "class_name": "SiteBuilder",
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(docs),
                },
            },
        )
        self._frames = self._context.data_sources.add_pandas("landing")

    def run(self, suite: str, table: pa.Table, expected: Sequence[Expected]) -> SuiteReport:
        """Return how each expectation went, and the page that shows it."""
        name = suite.replace("/", ".")  # the Data Docs make a folder of each part
        for one in expected:
            one.expectation.meta = {"name": one.name, "blocking": one.blocking}
            one.expectation.notes = one.description
        validation = self._context.validation_definitions.add(
            gx.ValidationDefinition(
                name=name,
                data=self._frames.add_dataframe_asset(name).add_batch_definition_whole_dataframe("new"),
                suite=self._context.suites.add(
                    gx.ExpectationSuite(name=name, expectations=[one.expectation for one in expected])
                ),
            ),
        )
        checkpoint = self._context.checkpoints.add(
            gx.Checkpoint(
                name=name,
                validation_definitions=[validation],
                actions=[UpdateDataDocsAction(name="data_docs", site_names=[_SITE])],
                result_format={
                    "result_format": "SUMMARY",
                    "partial_unexpected_count": self._samples,
                    "unexpected_index_column_names": ["seq", "row_no"],
                },
            ),
        )
        outcome = checkpoint.run(
            batch_parameters={"dataframe": table.to_pandas()},
            run_id=gx.RunIdentifier(run_name=self._run_name),
        )
        by_name = {
            result.expectation_config.meta["name"]: result
            for validated in outcome.run_results.values()
            for result in validated.results
            if result.expectation_config is not None
        }
        found = [_outcome(one, by_name.get(one.name)) for one in expected]
        return SuiteReport(suite, table.num_rows, found, _tidy(self._docs, suite, self._run_name))


def _outcome(expected: Expected, result: ExpectationValidationResult | None) -> Expectation:
    """Read one result; what is missing, or ended in an exception, has not been shown to hold."""
    details = {} if result is None else result.result or {}
    # Without that key the dictionary is keyed by metric, and each of them is an exception.
    raised = result is None or (result.exception_info or {}).get("raised_exception", True)
    success = result is not None and bool(result.success) and not raised
    return Expectation(
        expected.name,
        expected.description,
        expected.blocking,
        success,
        failed=0 if success else int(details.get("unexpected_count") or 1),
        samples=tuple(
            # numpy's integers, which JSON doesn't know
            (int(place["seq"]), int(place["row_no"]))
            for place in details.get("partial_unexpected_index_list") or ()
        ),
        quarantines=expected.quarantines,
    )


def _tidy(docs: Path, suite: str, run_name: str) -> Path:
    """Remove the suite's oldest pages; return the page of this run, else the front page."""
    folder = docs / "validations" / suite
    runs = sorted(folder.iterdir(), key=lambda run: run.stat().st_mtime) if folder.is_dir() else []
    for run in runs[:-_PAGES_KEPT]:
        if run.name != run_name:
            shutil.rmtree(run, ignore_errors=True)
    pages = sorted((folder / run_name).rglob("*.html"))
    return pages[-1] if pages else docs / "index.html"
