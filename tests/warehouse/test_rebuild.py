"""The warehouse is derived: landing gives it back, row for row, and decides nothing anew."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from extractors.landing.compaction import compact
from perennial.errors import PerennialError
from perennial.home import Home
from reverse_etl.sync.wanted import open_wanted
from tests.scene import Scene
from tests.warehouse import story
from warehouse.builder import Builder
from warehouse.rebuild import rebuild

# What a rebuild has no reason to repeat: the number of the build that last touched a row.
INTERNAL = {"changed_build_no"}
# What the hot lane, in which this story is played, leaves to the scheduled one, which makes each anew.
SCHEDULED_ONLY = {
    "destination_list_members",
    "destination_lists",
    "destination_profiles",
    "flow_catalogue",
    "flow_lift",
    "flow_performance",
    "landing_reconciliation",
}


def marts(scene: Scene) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every mart."""
    names = scene.rows(
        "select table_name as name from information_schema.tables where table_schema = 'marts' order by name"
    )
    found = {}
    for name in {row["name"] for row in names} - SCHEDULED_ONLY:
        rows = scene.rows(f"select * from marts.{name}")
        found[name] = sorted(
            (
                tuple(sorted((key, str(value)) for key, value in row.items() if key not in INTERNAL))
                for row in rows
            ),
        )
    return found


@pytest.fixture(scope="module")
def played(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Play the afternoon."""
    scene = Scene.on(deployed, tmp_path_factory.mktemp("rebuild") / "home", {})
    story.play(scene)
    return scene


@pytest.fixture
def scene(played: Scene, tmp_path: Path) -> Scene:
    """Copy what was played, for a test that changes it."""
    return Scene.on(played.home, tmp_path / "home", {})


def test_the_story_has_decisions_of_each_kind(played: Scene) -> None:
    """The other tests would prove little about a warehouse in which nothing happened."""
    decided = {
        (row["flow_name"], row["outcome"]) for row in played.rows("select * from marts.flow_decisions")
    }
    assert ("cart_abandoned_recovery", "enrolled") in decided
    assert ("order_ready_for_pickup", "enrolled") in decided
    assert played.rows("select * from marts.flow_exits") != []
    assert played.rows("select * from marts.customer_id_changes") != []
    derived = played.rows("select event_name from marts.fct_events where source = 'perennial'")
    assert {row["event_name"] for row in derived} == {
        "cart_abandoned",
        "points_expiring",
        "birth_month_entered",
        "marketing_opted_in",
        "segment_entered",
        "segment_exited",
    }


def test_a_lost_warehouse_comes_back_with_the_same_marts_and_decides_nothing(scene: Scene) -> None:
    """Beginning anew would decide everything a second time; every mart is equal, and the next build adds nothing."""
    before = marts(scene)
    batches = json.dumps(sorted(batch.name for batch in scene.log.batches()))
    for path in scene.home.glob("warehouse.duckdb*"):
        path.unlink()
    with Builder(scene.settings) as builder, pytest.raises(PerennialError, match="perennial rebuild"):
        builder.build(lane="hot")
    assert rebuild(scene.settings, story.at(18, 31)).ok
    restored = marts(scene)
    earlier, now = (told.pop("customer_trait_history") for told in (before, restored))
    assert restored == before
    assert 0 < len(now) < len(earlier), "what a trait was stood in the file only"
    assert json.dumps(sorted(batch.name for batch in scene.log.batches())) == batches, (
        "a rebuild lands nothing"
    )
    scene.build(story.at(18, 31))
    after = marts(scene)
    assert after["flow_decisions"] == before["flow_decisions"]
    assert after["fct_events"] == before["fct_events"], "what the clock brought is not brought again"


@pytest.mark.thorough
def test_what_destinations_are_told_is_published_and_the_same_after_a_rebuild(scene: Scene) -> None:
    """A scheduled build brings it up to date from whatever the hot lane left, and a rebuild from nothing."""
    with Builder(scene.settings) as builder:
        assert builder.build(lane="scheduled").ok
    wanted = open_wanted(Home(scene.home))
    assert wanted is not None
    with wanted:
        assert wanted.people("klaviyo") > 0
        assert wanted.lists() == []
    told = scene.rows("select * exclude (changed_build_no) from marts.destination_profiles order by all")
    assert {row["destination"] for row in told} == {"aiq", "klaviyo"}
    assert all(row["phone"] is None for row in told if row["destination"] == "klaviyo")
    assert rebuild(scene.settings, story.at(18, 31)).ok
    after = scene.rows("select * exclude (changed_build_no) from marts.destination_profiles order by all")
    assert after == told


def listed(scene: Scene) -> tuple[set[str], int]:
    """Return the files that the models are told of, and how many rows they are told to be in them."""
    files = scene.rows("select path, row_count from ops.landing_files")
    return {row["path"] for row in files}, sum(row["row_count"] for row in files)


@pytest.mark.thorough
def test_compaction_changes_no_row_of_a_rebuild_and_builds_read_the_files_of_now(scene: Scene) -> None:
    """Merged over and over, with every replaced file gone at once: the marts are what they were, row for row."""
    before, last = marts(scene), scene.log.last_seq()
    compact(scene.log, upto=last // 2, keep_old_for=timedelta(0))
    assert rebuild(scene.settings, story.at(18, 31)).ok
    assert marts(scene) == before

    compact(scene.log, upto=last, keep_old_for=timedelta(0))
    assert len(scene.log.files()) == 1
    scene.build(story.at(18, 31))  # a warehouse that was told of the files of before
    [reach] = scene.rows("select max(upto_seq) as seq from ops.moments")
    files = scene.log.files(upto=reach["seq"])
    assert listed(scene) == ({file.path for file in files}, sum(file.rows for file in files))
    assert marts(scene)["fct_orders"] == before["fct_orders"]
