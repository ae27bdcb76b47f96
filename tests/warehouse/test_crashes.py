"""A build that is killed anywhere is finished by the next one, as if nothing had happened."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.scene import Scene
from tests.warehouse import story

POINTS = [
    pytest.param("moment_landed", marks=pytest.mark.thorough),  # test_invariance kills a build there too
    pytest.param("models_committed", marks=pytest.mark.thorough),
    "committed_not_exported",
    pytest.param("exported", marks=pytest.mark.thorough),
    pytest.param("end_landed", marks=pytest.mark.thorough),
]

BUILD = """
import sys
from pathlib import Path
from tests.scene import settings_in
from warehouse.builder import Builder
with Builder(settings_in(Path(sys.argv[1]))) as builder:
    report = builder.build(lane="hot")
    assert report.ok, report.error
"""


def build_elsewhere(scene: Scene, crash_at: str) -> int:
    """Build in another process that dies at a named point; returns its exit code."""
    environment = {**os.environ, "PERENNIAL_CRASH_AT": crash_at}
    return subprocess.run(
        [sys.executable, "-c", BUILD, str(scene.home)], check=False, env=environment
    ).returncode


def landed_decisions(scene: Scene) -> list[str]:
    """Return the ids of all landed decisions, in the order of the log."""
    rows = scene.log.read("perennial", "decisions")
    return [
        json.loads(row.payload)["decision_id"]
        for row in rows
        if json.loads(row.payload)["kind"] == "decision"
    ]


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_build_is_finished_with_its_own_instant(point: str, deployed: Path, tmp_path: Path) -> None:
    """Decided once, landed once, at the instant of the moment that was cut off."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    story.morning(scene)
    story.clockwork(scene)
    scene.clock.set(story.at(18, 10), running=False)
    assert build_elsewhere(scene, point) == 137
    scene.build(story.at(18, 50))  # long after the window: only the first moment may enroll
    decisions = scene.rows(
        "select * from decisions.int_flow_decisions where flow_name = 'cart_abandoned_recovery' order by object_id desc"
    )
    assert [decision["outcome"] for decision in decisions] == ["enrolled", "enrolled"]
    first = story.at(18, 10).replace(tzinfo=None)
    assert {decision["decided_at"] for decision in decisions} == {first}
    assert {decision["decision_id"] for decision in decisions} <= set(landed_decisions(scene))
    assert len(landed_decisions(scene)) == len(set(landed_decisions(scene)))
    events = scene.rows(
        "select event_id, received_at from marts.fct_events "
        "where event_id in (select event_id from events.int_derived_events) order by 1"
    )
    assert [event["received_at"] for event in events] == [first] * 3
    records = [json.loads(row.payload) for row in scene.log.read("perennial", "derived_events")]
    assert [record["event_id"] for record in records] == [event["event_id"] for event in events]
    moments = [json.loads(row.payload) for row in scene.log.read("perennial", "moments")]
    assert Counter(moment["build_no"] for moment in moments) == {1: 2, 2: 2, 3: 2}, (
        "each begun once and finished once"
    )
