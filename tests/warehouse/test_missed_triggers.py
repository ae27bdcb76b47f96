"""Who should have been decided is counted once more, without what earlier moments remember."""

from pathlib import Path

import duckdb
import pytest

from tests.scene import Scene
from tests.warehouse import story
from warehouse.builder import Builder
from warehouse.report import BuildReport


@pytest.fixture
def scene(deployed: Path, tmp_path: Path) -> Scene:
    """Return a home in which a cart was left, and a hot moment enrolled its owner."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    scene.know("ann")
    scene.jane_cart("cart_abandoned", "pending", story.at(18), "c1", "ann", None)
    scene.build(story.at(18, 5))
    assert [row["reason"] for row in scene.rows("select * from decisions.int_flow_decisions")] == [None]
    return scene


def build_scheduled(scene: Scene, hour: int, minute: int = 0) -> BuildReport:
    """Run a moment of the lane that tests what it built."""
    scene.clock.set(story.at(hour, minute), running=False)
    with Builder(scene.settings) as builder:
        return builder.build(lane="scheduled")


def test_a_decision_that_is_missing_holds_the_moment(scene: Scene) -> None:
    """Hours after its window, when no moment looks at the occurrence any more; the flow is named, nobody else is."""
    assert build_scheduled(scene, 19).ok
    with duckdb.connect(str(scene.home / "warehouse.duckdb")) as warehouse:
        warehouse.execute("delete from decisions.int_flow_decisions")
    report = build_scheduled(scene, 21)
    assert not report.ok
    assert report.error is not None
    assert "assert_no_trigger_was_missed" in report.error
    assert "flow_name cart_abandoned_recovery, occurrences 1" in report.error
    assert scene.email("ann") not in report.error


@pytest.mark.thorough
def test_what_is_counted_again_is_not_decided_again(scene: Scene) -> None:
    """A second look makes no second decision, and what waits is no miss."""
    scene.jane_cart("cart_abandoned", "pending", story.at(18, 10), "c2", "bob", None)
    assert build_scheduled(scene, 18, 12).ok
    assert len(scene.rows("select * from marts.flow_pending")) == 1
    assert build_scheduled(scene, 22).ok
    reasons = [
        row["reason"]
        for row in scene.rows("select * from decisions.int_flow_decisions order by triggered_at")
    ]
    assert reasons == [None, "age_unknown"]
