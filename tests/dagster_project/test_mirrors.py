"""What is kept equal, as an operator sees it in Dagster."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.defs.activation.mirrors import MIRRORS, mirrors, mirrors_are_kept
from dagster_project.lib.keys import mirror_key
from perennial.settings import load_settings
from tests.reverse_etl.stage import Stage, set_stage
from tests.reverse_etl.sync_scene import LIST, Warehouse


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Set a stage, in whose environment the assets are made."""
    with set_stage(tmp_path) as stage:
        stage.vendors.klaviyo.directory.job_seconds = 0.02
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)  # no .env there
        load_settings.cache_clear()
        yield stage
    load_settings.cache_clear()


def test_each_mirror_is_an_asset_with_its_counts_and_checks(stage: Stage) -> None:
    """Accepted and refused are shown; who is refused fails its check, and stops nobody else."""
    warehouse = Warehouse(stage.scene.home)
    stage.vendors.klaviyo.directory.refuses["p001@example.com"] = "a role account"
    warehouse.publish({f"p{number:03d}": {"tier": "gold"} for number in range(22)}, members=["p000", "p002"])
    result = dg.materialize([mirrors, mirrors_are_kept], instance=dg.DagsterInstance.ephemeral())
    assert result.success
    [traits] = result.asset_materializations_for_node("mirrors")[1:2]
    assert traits.asset_key == mirror_key("klaviyo", "traits")
    shown = {name: value.value for name, value in traits.metadata.items()}
    assert (shown["accepted"], shown["refused"], shown["waiting"], shown["stopped"]) == (21, 1, 1, "")
    passed = {
        (check.asset_key, check.check_name): check.passed for check in result.get_asset_check_evaluations()
    }
    assert passed == {
        (mirror_key("aiq", "traits"), "nobody_is_refused"): True,
        (mirror_key("klaviyo", "traits"), "nobody_is_refused"): False,
        (mirror_key("klaviyo", "lists"), "nobody_is_refused"): True,
        (mirror_key("klaviyo", "lists"), "no_drift"): True,
    }
    assert len(stage.vendors.klaviyo.directory.members[LIST]) == 2


def test_without_a_published_set_there_is_nothing_to_do(stage: Stage) -> None:
    """The first run of a new home sends nothing, and says so."""
    result = dg.materialize([mirrors], instance=dg.DagsterInstance.ephemeral())
    assert result.success
    made = result.asset_materializations_for_node("mirrors")
    assert [one.metadata["build_no"].value for one in made] == [0] * len(MIRRORS)
    assert stage.vendors.calls == 0
