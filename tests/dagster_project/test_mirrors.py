"""What is kept equal, as an operator sees it in Dagster."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.defs.activation.mirrors import MIRRORS, mirrors, mirrors_are_kept
from dagster_project.defs.activation.pushes import push_read_back
from dagster_project.lib.keys import mirror_key
from perennial.settings import load_settings
from tests.dagster_project.test_operators import output_of
from tests.reverse_etl.stage import Stage, set_stage
from tests.reverse_etl.sync_scene import LIST, Warehouse, change_by_hand, on_the_list


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


def test_the_launchpad_reads_lists_back_and_repairs_them(stage: Stage) -> None:
    """Shown first, and mended only when asked; the deed lands; nothing that names a person is in the run."""
    warehouse = Warehouse(stage.scene.home)
    warehouse.publish({f"p{number:03d}": {"tier": "gold"} for number in range(25)}, members=["p000", "p002"])
    assert dg.materialize([mirrors], instance=dg.DagsterInstance.ephemeral()).success
    change_by_hand(stage.vendors, off=["p002"])
    shown = _read_back(repair=False)
    assert (shown["there"], shown["missing"], shown["unexpected"], shown["put_on"]) == (2, 1, 1, 0)
    assert on_the_list(stage.vendors) == {"p000", "by.hand"}
    shown = _read_back(repair=True)
    assert (shown["put_on"], shown["taken_off"], shown["not_done"]) == (1, 1, "")
    assert on_the_list(stage.vendors) == {"p000", "p002"}
    [deed] = [json.loads(record.payload) for record in stage.scene.log.read("perennial", "operations")]
    assert (deed["operation"], deed["subject"]["unexpected"]) == ("mirror_repair", 1)
    assert _read_back(repair=True)["unexpected"] == 0


def _read_back(*, repair: bool) -> dict[str, Any]:
    done = push_read_back.execute_in_process(
        run_config={"ops": {"read_lists_back": {"config": {"repair": repair}}}}
    )
    return output_of(done, "read_lists_back")
