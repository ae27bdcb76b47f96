"""The warehouse from landing: restored beside the present one, and put in its place when it is whole."""

import shutil
from datetime import datetime

from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings
from warehouse.builder import Builder
from warehouse.ownership import owned
from warehouse.report import BuildReport, OnNode, ignore


def rebuild(settings: Settings, at: datetime, on_node: OnNode = ignore) -> BuildReport:
    """Restore the last finished moment from landing; what was decided is restored as it was landed.

    The present file is kept as ``warehouse.before-<at>.duckdb``. A crash leaves the present file as it was, or the new
    one complete. ``PerennialError`` when another process owns the warehouse, or when nothing was ever built.
    """
    with owned(Home(settings.home)):
        return restore_anew(settings, at, on_node)


def restore_anew(settings: Settings, at: datetime, on_node: OnNode = ignore) -> BuildReport:
    """Do what ``rebuild`` does, for a caller that owns the warehouse."""
    home = Home(settings.home)
    draft = home.root / "rebuild" / home.warehouse.name
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


def remove_earlier(settings: Settings) -> None:
    """Remove the warehouses that rebuilds have kept, and what one that crashed has left."""
    home = Home(settings.home)
    for path in home.root.glob("warehouse.before-*"):
        path.unlink()
    shutil.rmtree(home.root / "rebuild", ignore_errors=True)
