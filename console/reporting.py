"""Telling Dagster what the worker built by itself, so that an operator sees one history."""

import logging
import threading
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from perennial.home import Home
from warehouse.report import BuildReport

_log = logging.getLogger(__name__)


class DagsterReporter:
    """Reports builds as materialisations, on a thread of its own: the next webhook never waits for this."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._reports: SimpleQueue[BuildReport | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True, name="dagster-reporter")

    def take(self, report: BuildReport) -> None:
        """Take in a build's report; returns at once."""
        self._reports.put(report)

    def __enter__(self) -> Self:
        """Start reporting."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Report what was taken in before, but not for longer than a moment."""
        self._reports.put(None)
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while (report := self._reports.get()) is not None:
            try:
                self._report(report)
            except Exception as error:  # noqa: BLE001 - the history has a gap then, the builds go on
                _log.warning("build %s is not in Dagster: %s", report.build_no, type(error).__name__)

    def _report(self, report: BuildReport) -> None:
        # Dagster takes seconds to import; the worker is ready to build long before.
        import dagster as dg  # noqa: PLC0415 - see above

        from dagster_project.lib.build_events import table_key  # noqa: PLC0415 - see above

        with dg.DagsterInstance.from_config(str(self._home.dagster)) as instance:
            for node in report.nodes:
                key = table_key(node)
                if key is None or node.status != "success":
                    continue
                made = dg.AssetMaterialization(
                    asset_key=key,
                    description="built by the worker as news landed",
                    metadata={
                        "seconds": round(node.seconds, 3),
                        "build_no": report.build_no,
                        "lane": report.lane,
                    },
                )
                instance.report_runless_asset_event(made)
