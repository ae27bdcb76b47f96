"""The unit tests of one flow, as an analyst runs them."""

import shutil
from pathlib import Path

import pytest

from perennial.errors import PerennialError
from scripts.try_flow import state_of_tables, try_flow


def test_a_flows_own_tests_run_on_kept_tables(deployed: Path, tmp_path: Path) -> None:
    """Only its own, by name; nothing is made where the tables are there."""
    shutil.copy(deployed / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    (tmp_path / "made_of").write_text(state_of_tables(), encoding="utf-8")
    said = try_flow("reward_issued_notice", tmp_path)
    assert [line.split() for line in said] == [["pass", "reward_issued_notice_lets_go_of_what_expired"]]


def test_a_flow_that_is_none_is_named(tmp_path: Path) -> None:
    """With the command that lists those that are."""
    with pytest.raises(PerennialError, match="there is no flow nope"):
        try_flow("nope", tmp_path)
