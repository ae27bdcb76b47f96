"""The models' own unit tests, which stand beside them in YAML, on a fixed clock."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DBT = ROOT / "dbt"


@pytest.mark.slow
def test_every_unit_test_passes(deployed: Path, tmp_path: Path) -> None:
    """An empty warehouse is enough: dbt takes only the types of a test's rows from what was built."""
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(deployed / "warehouse.duckdb", warehouse)
    command = [
        str(Path(sys.executable).with_name("dbt")), "test", "--select", "test_type:unit",
        "--project-dir", str(DBT), "--profiles-dir", str(DBT),
        "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path),
        "--no-send-anonymous-usage-stats",
    ]  # fmt: skip
    environment = {**os.environ, "PERENNIAL_WAREHOUSE": str(warehouse)}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    results = json.loads((tmp_path / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    tested = [result for result in results if result["unique_id"].startswith("unit_test.")]
    assert len(tested) >= 39  # a selection that finds nothing passes too
    assert {result["status"] for result in tested} == {"pass"}
