"""The unit tests of one flow, as an analyst runs them."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from perennial.errors import PerennialError

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="script", scope="module")
def load_script() -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("try_flow", ROOT / "scripts" / "try_flow.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_a_flows_own_tests_run_on_kept_tables(script: ModuleType, deployed: Path, tmp_path: Path) -> None:
    """Only its own, by name; nothing is made where the tables are there."""
    shutil.copy(deployed / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    (tmp_path / "made_of").write_text(script.state_of_tables(), encoding="utf-8")
    said = script.try_flow("reward_issued_notice", tmp_path)
    assert [line.split() for line in said] == [["pass", "reward_issued_notice_lets_go_of_what_expired"]]


def test_a_flow_that_is_none_is_named(script: ModuleType, tmp_path: Path) -> None:
    """With the command that lists those that are."""
    with pytest.raises(PerennialError, match="there is no flow nope"):
        script.try_flow("nope", tmp_path)
