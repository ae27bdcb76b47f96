"""A warehouse that an older project has built: what its tables lack is said, with what to do about it."""

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.scene import Scene
from tests.warehouse import story
from warehouse.builder import Builder
from warehouse.deployment import columns_without_past
from warehouse.project import DbtProject
from warehouse.rebuild import rebuild


def test_every_column_of_a_growing_table_is_named_in_its_yaml(deployed: Path, tmp_path: Path) -> None:
    """What the YAML does not name would be appended unseen."""
    file = tmp_path / "warehouse.duckdb"
    shutil.copy(deployed / "warehouse.duckdb", file)
    manifest = DbtProject(file, deployed / "dbt").manifest
    with duckdb.connect(str(file)) as warehouse:
        rows = warehouse.execute(
            "select schema_name, table_name, list(column_name) from duckdb_columns() group by all"
        ).fetchall()
    stored = {(schema, table): columns for schema, table, columns in rows}
    for node in manifest.nodes.values():
        if node.config.materialized == "incremental":
            assert set(node.columns) == set(stored[node.schema, node.alias]), node.name


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("model", "column", "goes_on"),
    [
        ("staging.base_jane__carts", "promo_code", True),  # dbt appends it, and leaves it empty
        ("staging.base_jane__carts", "delivery_key", False),  # the model looks its own past up by it
    ],
)
def test_columns_without_a_past_are_told_until_a_rebuild_has_filled_them(
    deployed: Path, tmp_path: Path, model: str, column: str, *, goes_on: bool
) -> None:
    """Nothing that an older table can't know is passed off as known."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    story.morning(scene)
    scene.build(story.at(18, 10))
    with duckdb.connect(str(scene.home / "warehouse.duckdb")) as warehouse:
        for view in ("stg_jane__carts",):
            warehouse.execute(f"drop view if exists staging.{view}")
        warehouse.execute(f"alter table {model} drop column {column}")
        warehouse.execute("update ops.deployments set fingerprint = 'older'")
    scene.clock.set(story.at(18, 20), running=False)
    with Builder(scene.settings) as builder:
        report = builder.build(lane="hot")
    assert report.ok == goes_on
    assert report.advice is not None
    assert f"base_jane__carts ({column})" in report.advice
    assert "perennial rebuild" in report.advice
    assert rebuild(scene.settings, story.at(18, 20)).advice is None
    with Builder(scene.settings) as builder:
        report = builder.build(lane="hot")
        assert (report.ok, report.advice) == (True, None)
    with duckdb.connect(str(scene.home / "warehouse.duckdb")) as warehouse:
        manifest = DbtProject(scene.home / "warehouse.duckdb", scene.home / "dbt").manifest
        assert columns_without_past(warehouse, manifest) == {}
