"""A refused row's way: into quarantine, up again after a fix or aside for good, and every landed row accounted for."""

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from extractors.landing.records import Record
from perennial.home import Home
from tests.scene import Scene
from tests.warehouse import story
from warehouse import project
from warehouse.builder import Builder
from warehouse.publish import publish
from warehouse.rebuild import rebuild

COUNTS = """
select stream, landed_rows, loaded_rows, quarantined_rows, duplicate_rows, missing_rows
from marts.landing_reconciliation
"""


def build(scene: Scene, at: datetime) -> None:
    """Run a hot moment and publish what it made: the desk reads what is published."""
    scene.build(at)
    with duckdb.connect(str(scene.home / "warehouse.duckdb")) as warehouse:
        publish(warehouse, Home(scene.home).published, 1, at)


def desk(scene: Scene, *words: str, crash_at: str = "") -> subprocess.CompletedProcess[str]:
    """Call ``perennial quarantine`` in a process of its own."""
    environment = {
        "PATH": os.environ["PATH"], "PERENNIAL_HOME": str(scene.home), "PERENNIAL_CLOCK": "sandbox", "COLUMNS": "200",
        "USER": "kim", "LOGNAME": "kim",
        **({"PERENNIAL_CRASH_AT": crash_at} if crash_at else {}),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "console", "quarantine", *words],
        cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def leave_cart(scene: Scene, status: str, at: datetime) -> None:
    """Let Ann leave a cart whose status nobody knows yet."""
    scene.jane_cart("cart_abandoned", status, at, f"cart {status} {at}", "ann", None)


def quarantine(scene: Scene) -> list[dict[str, Any]]:
    """Return what is in quarantine."""
    return scene.rows(
        "select stream, seq, row_no, rule_name, status, closed_by from marts.quarantine order by seq"
    )


def seen_again(scene: Scene) -> list[tuple[str, int]]:
    """Return batch name and rows of everything that was landed again."""
    return [(batch.name, batch.rows) for batch in scene.log.batches() if batch.name.startswith("quarantine/")]


@pytest.mark.slow
def test_a_fixed_row_is_taken_up_exactly_once(
    deployed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, listed without its payload, taken up once after the fix, decided on; a rebuild accounts for it too."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    scene.know("ann")
    leave_cart(scene, "left_behind", story.at(18))
    leave_cart(scene, "no_status", story.at(18, 1))
    build(scene, story.at(18, 5))
    assert [(row["rule_name"], row["status"]) for row in quarantine(scene)] == [
        ("status_is_one_of_the_twelve", "open"), ("status_is_one_of_the_twelve", "open"),
    ]  # fmt: skip
    assert scene.rows("select * from marts.flow_enrollments") == []

    listed = desk(scene, "list")
    assert listed.returncode == 0, listed.stderr
    place = f"{quarantine(scene)[0]['seq']}/1"
    assert place in listed.stdout
    assert "add it to the seed jane_statuses" in listed.stdout
    assert "ann@example.com" not in listed.stdout
    assert "ann@example.com" in desk(scene, "list", "--show").stdout

    copy = tmp_path / "dbt"
    shutil.copytree(project.PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    with (copy / "seeds" / "jane_statuses.csv").open("a", encoding="utf-8") as seed:
        seed.write("left_behind,10,false,,,cart_updated,A test's own word for pending.\n")
    monkeypatch.setattr(project, "PROJECT", copy)

    first = desk(scene, "retry", place, crash_at="retry_landed")
    assert first.returncode == 137
    again = desk(scene, "retry", place)
    assert "had been closed before" in again.stdout, again.stderr
    assert [rows for _, rows in seen_again(scene)] == [1]
    told = [json.loads(row.payload) for row in scene.log.read("perennial", "operations")]
    assert [(one["operation"], one["subject"]["batch"]) for one in told] == [
        ("quarantine_retry", seen_again(scene)[0][0])
    ]
    refused_seq = quarantine(scene)[0]["seq"]
    bad, *_, row = [row for row in scene.log.read("jane", "cart_abandoned") if row.seq >= refused_seq]
    assert (row.payload, row.source_key, row.received_at, row.headers) == (
        bad.payload, bad.source_key, bad.received_at, bad.headers
    )  # fmt: skip
    assert row.request["retries"] == {"seq": bad.seq, "row_no": 1}

    scene.clock.set(story.at(18, 10), running=False)
    with Builder(scene.settings) as builder:
        report = builder.build(lane="scheduled")
    assert report.ok, report.error
    [decision] = scene.rows("select flow_name, outcome from marts.flow_decisions")
    assert decision == {"flow_name": "cart_abandoned_recovery", "outcome": "enrolled"}
    assert [(row["status"], row["closed_by"]) for row in quarantine(scene)] == [
        ("retried", "kim"),
        ("open", None),
    ]
    carts = "jane/cart_abandoned"
    [counted] = [row for row in scene.rows(COUNTS) if row["stream"] == carts]
    assert tuple(counted.values()) == (carts, 3, 1, 2, 0, 0)
    assert [row for row in scene.rows(COUNTS) if row["missing_rows"]] == []

    assert rebuild(scene.settings, story.at(18, 11)).ok
    [counted] = [row for row in scene.rows(COUNTS) if row["stream"] == carts]
    assert tuple(counted.values()) == (carts, 3, 1, 1, 1, 0), "the row itself is good now, and repeated"
    assert [row for row in scene.rows(COUNTS) if row["missing_rows"]] == []
    assert len(scene.rows("select * from marts.flow_enrollments")) == 1


@pytest.mark.thorough
def test_discarded_rows_stay_and_are_said_to_be_discarded(deployed: Path, tmp_path: Path) -> None:
    """By reason, with a question first; nothing lands again, and what is closed is not taken up."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    leave_cart(scene, "left_behind", story.at(18))
    scene.land("flowhub", "orders", story.at(18), {"id": "o", "totals": {}}, "o:1")
    build(scene, story.at(18, 5))
    assert desk(scene, "discard").returncode == 1, "says nothing, takes nothing"
    assert "marts.quarantine" not in desk(scene, "discard", "999/1").stderr
    done = desk(scene, "discard", "--reason", "none of the twelve", "--yes")
    assert "1 rows discarded" in done.stdout, done.stderr
    assert "No open row" in desk(scene, "retry", "--stream", "jane/cart_abandoned").stdout
    build(scene, story.at(18, 10))
    assert [(row["stream"], row["status"]) for row in quarantine(scene)] == [
        ("jane/cart_abandoned", "discarded"), ("flowhub/orders", "open"),
    ]  # fmt: skip
    assert seen_again(scene) == []


def version(number: int, at: datetime, **changes: Any) -> Record:
    """Return a version of one order."""
    told = {
        "id": "o", "customerId": "fh-ann", "orderStatus": "sold", "createdAt": story.at(16).isoformat(),
        "completedOn": story.at(16).isoformat(), "totals": {"finalTotal": 10 + number}, "itemsInCart": [], **changes,
    }  # fmt: skip
    return Record("flowhub", "orders", f"o:{number}", at, json.dumps(told))


@pytest.mark.thorough
def test_an_older_version_takes_back_no_newer(deployed: Path, tmp_path: Path) -> None:
    """A version that is taken up again after its record moved on is a duplicate, in one build as in many."""
    for cut in (True, False):
        scene = Scene.on(deployed, tmp_path / f"home {cut}", {})
        scene.set_flows()
        bad = version(1, story.at(17), createdAt="n/a")
        scene.log.append("1", [bad])
        if cut:
            scene.build(story.at(18))
        scene.log.append("2", [version(2, story.at(17, 1))])
        if cut:
            scene.build(story.at(18, 1))
        [batch] = [one for one in scene.log.batches() if one.name == "1"]
        origin = {"seq": batch.seq, "row_no": 1}
        mended = version(1, story.at(17))
        again = Record(
            "flowhub", "orders", mended.source_key, mended.received_at, mended.payload, {},
            {"retries": origin, "original": origin},
        )  # fmt: skip
        scene.log.append("3", [again])
        scene.build(story.at(18, 2))
        assert [float(row["total"]) for row in scene.rows("select total from marts.fct_orders")] == [12.0]
        dispositions = scene.rows("select disposition from staging.base_flowhub__orders order by seq")
        assert [row["disposition"] for row in dispositions] == ["quarantined", "loaded", "duplicate"]


@pytest.mark.slow
def test_a_lost_row_holds_the_moment_and_is_named(deployed: Path, tmp_path: Path) -> None:
    """A loaded row that vanishes is missed by the next scheduled build: nothing is exported or published."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    story.morning(scene)
    build(scene, story.at(18, 10))
    pointer = Home(scene.home).published / "current.json"
    before = pointer.read_bytes()
    scene.jane_cart("cart_status", "verification", story.at(18, 11), "c1", "ann", None)
    # a file that lost a row, as a wrong restore or a model that drops one would lose it
    [file] = scene.log.files(after=scene.log.last_seq() - 1)
    pq.write_table(pq.read_table(file.path).slice(0, 0), file.path)
    scene.clock.set(story.at(18, 12), running=False)
    with Builder(scene.settings) as builder:
        report = builder.build(lane="scheduled")
    assert not report.ok
    assert "assert_every_landed_row_is_accounted_for" in str(report.error)
    assert "stream jane/cart_status, landed_rows 1, loaded_rows 0" in str(report.error)
    assert pointer.read_bytes() == before
