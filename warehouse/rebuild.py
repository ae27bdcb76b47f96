"""The warehouse from landing: restored beside the present one, and put in its place when it is whole."""

import shutil
from datetime import datetime

from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings
from warehouse.builder import Builder
from warehouse.ownership import owning
from warehouse.report import BuildReport, OnNode, ignore


def rebuild(settings: Settings, at: datetime, on_node: OnNode = ignore) -> BuildReport:
    """Restore the last finished moment from landing; what was decided is restored as it was landed.

    The present file is kept as ``warehouse.before-<at>.duckdb``. A crash leaves the present file as it was, or the new
    one complete. ``PerennialError`` when another process owns the warehouse, or when nothing was ever built.
    """
    home = Home(settings.home)
    draft = home.root / "rebuild" / home.warehouse.name
    with owning(home.root) as is_owner:
        if not is_owner:
            raise PerennialError(
                "another process owns the warehouse",
                "end perennial worker (or make dev), then call this again",
            )
        shutil.rmtree(draft.parent, ignore_errors=True)
        with Builder(settings, draft) as builder:
            report = builder.restore(on_node)
        if report is None:
            raise PerennialError(
                "nothing was ever built from this log", "perennial run builds for the first time"
            )
        if not report.ok:
            raise PerennialError(
                f"the rebuild stopped: {report.error}",
                "the present warehouse is untouched; mend what is named and call this again",
            )
        for path in home.root.glob("warehouse.duckdb*"):
            path.rename(
                path.with_name(f"warehouse.before-{at:%Y%m%dT%H%M%S}{path.name.removeprefix('warehouse')}")
            )
        draft.rename(home.warehouse)
        shutil.rmtree(draft.parent, ignore_errors=True)
    return report
