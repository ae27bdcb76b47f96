"""The warehouse from landing: restored beside the present one, and put in its place when it is whole."""

import shutil
from datetime import datetime
from pathlib import Path

import duckdb

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
    _carry_over_history(home.warehouse, draft, report.build_no)
    for path in home.root.glob("warehouse.duckdb*"):
        path.rename(
            path.with_name(f"warehouse.before-{at:%Y%m%dT%H%M%S}{path.name.removeprefix('warehouse')}")
        )
    draft.rename(home.warehouse)
    shutil.rmtree(draft.parent, ignore_errors=True)
    return report


# The history of traits is written on by each moment and can't be read off the log, which a rebuild reads but once.
# Kept is what is about people who are there, so that nothing of an erased one comes along.
_CARRY_OVER = """
create temp table told as
    select {columns} from present.marts.customer_trait_history
    where build_no <= {build_no} and customer_id in (select customer_id from marts.customer_trait_history);
create temp table anew as
    select {columns} from marts.customer_trait_history
    where customer_id in (
        select customer_id from (
            select {traits} from marts.customer_trait_history
            except
            select {traits} from (
                select *, row_number() over (partition by customer_id order by build_no desc) as recency
                from told
            ) where recency = 1
        )
    );
delete from marts.customer_trait_history;
insert into marts.customer_trait_history ({columns})
    select {columns} from told where (customer_id, build_no) not in (select customer_id, build_no from anew);
insert into marts.customer_trait_history ({columns}) select {columns} from anew;
"""


def _carry_over_history(present: Path, draft: Path, build_no: int) -> None:
    """Put what the present warehouse knows of earlier traits before what the draft found, where that differs.

    Without a present file, or with one that has other traits, the history begins at the restored moment.
    """
    if not present.exists():
        return
    with duckdb.connect(str(draft)) as warehouse:
        path = str(present).replace("'", "''")
        warehouse.execute(f"attach '{path}' as present (read_only)")
        found = warehouse.execute(
            "select database_name, string_agg(column_name, ', ' order by column_name) from duckdb_columns() "
            "where schema_name = 'marts' and table_name = 'customer_trait_history' group by 1"
        ).fetchall()
        columns = {names for _, names in found}
        if len(found) == 2 and len(columns) == 1:  # noqa: PLR2004 -- both files
            names = columns.pop()
            traits = ", ".join(name for name in names.split(", ") if name not in {"valid_from", "build_no"})
            warehouse.begin()
            warehouse.execute(_CARRY_OVER.format(columns=names, traits=traits, build_no=build_no))
            warehouse.commit()


def remove_earlier(settings: Settings) -> None:
    """Remove the warehouses that rebuilds have kept, and what one that crashed has left."""
    home = Home(settings.home)
    for path in home.root.glob("warehouse.before-*"):
        path.unlink()
    shutil.rmtree(home.root / "rebuild", ignore_errors=True)
