"""The code location as Dagster sees it."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.lib.keys import (
    BOUNDARY,
    COMPACTED,
    DEPLOYMENTS,
    DESTINATIONS,
    FLOW_SETTINGS,
    LANDED_BATCHES,
    LANDING_LOG,
    ORDERS_PUSHED,
    PUBLISHED,
    SALT,
    SWITCHES,
    VOLUME,
    enrollments_key,
    exits_key,
    opt_outs_key,
    rules_check,
)
from dagster_project.lib.streams import stream_key
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from extractors.validation.rules import rules_by_stream, streams_read
from perennial.streams import FOREIGN, OWN
from warehouse.project import PROJECT

STAGES = {
    "extraction", "landing", "seeds", "staging", "identity", "products", "events", "traits", "audiences", "flows",
    "activation", "published",
}  # fmt: skip


def test_every_asset_is_grouped_described_and_fresh(definitions: dg.Definitions) -> None:
    """An asset says what stage it is in, what it is, and when it is late."""
    graph = definitions.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.group_name in STAGES, key
        assert node.description, key
        assert node.freshness_policy is not None, key


def test_every_stage_has_assets(definitions: dg.Definitions) -> None:
    """No stage of the way is missing from the picture."""
    graph = definitions.resolve_asset_graph()
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} >= STAGES


def test_every_dependency_is_defined(definitions: dg.Definitions) -> None:
    """No asset waits for a key that nobody makes or lands."""
    graph = definitions.resolve_asset_graph()
    own = {stream_key(name) for name in OWN}
    known = (
        graph.materializable_asset_keys | own | {DEPLOYMENTS, FLOW_SETTINGS, LANDED_BATCHES, SALT, SWITCHES}
    )
    for key in graph.materializable_asset_keys:
        assert graph.get(key).parent_keys <= known, key


def test_every_foreign_stream_is_read_by_a_model(definitions: dg.Definitions) -> None:
    """What others send reaches a model, and the graph shows which; a pull's markers serve the pull itself."""
    graph = definitions.resolve_asset_graph()
    for stream in FOREIGN:
        readers = graph.get(stream_key(stream)).child_keys - {LANDING_LOG}
        assert readers or stream == "flowhub/pulls", stream


def test_streams_are_read_from_the_text_of_a_model() -> None:
    """One call or several, on one line or more."""
    sql = (
        "({{ landed('jane', ['cart_status',\n 'cart_abandoned']) }}) ({{ landed('omni', ['events'], x=1) }})"
    )
    assert streams_read(sql) == ["jane/cart_status", "jane/cart_abandoned", "omni/events"]
    assert streams_read("select * from {{ ref('landed_orders') }}") == []


@pytest.mark.parametrize(
    ("schedule", "cron"),
    [
        ("flowhub_orders_schedule", "*/2 * * * *"),
        ("flowhub_inventory_schedule", "*/10 * * * *"),
        ("flowhub_customers_schedule", "*/10 * * * *"),
    ],
)
def test_flowhub_is_pulled_as_often_as_promised(
    definitions: dg.Definitions, schedule: str, cron: str
) -> None:
    """Orders every two minutes, inventory and customers every ten, and the schedules are on by themselves."""
    found = definitions.resolve_schedule_def(schedule)
    assert found.cron_schedule == cron
    assert found.default_status is dg.DefaultScheduleStatus.RUNNING


def test_landing_is_sensed_within_half_a_minute(definitions: dg.Definitions) -> None:
    """Two looks fit into the promise, and the sensor is on by itself."""
    sensor = definitions.resolve_sensor_def("landing_sensor")
    assert sensor.minimum_interval_seconds is not None
    assert sensor.minimum_interval_seconds <= 15
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_the_models_wait_for_the_landing_boundary(definitions: dg.Definitions) -> None:
    """Every model that reads a stream is behind the blocking check on the log."""
    graph = definitions.resolve_asset_graph()
    streams = {stream_key(name) for name in [*FOREIGN, *(f"perennial/{own}" for own in OWN)]}
    readers = [key for key in graph.materializable_asset_keys if graph.get(key).parent_keys & streams]
    models = [key for key in readers if key != LANDING_LOG]
    assert models
    for key in models:
        assert LANDING_LOG in graph.get(key).parent_keys, key
    checks = graph.get_check_keys_for_assets({LANDING_LOG})
    assert [check.name for check in checks if graph.get(check).blocking] == [BOUNDARY]
    assert {check.name for check in checks} == {BOUNDARY, *map(rules_check, rules_by_stream())}


def test_what_is_sent_follows_the_decisions_and_tells_what_waits_for_a_person(
    definitions: dg.Definitions,
) -> None:
    """Each destination has its enrollments, ends and closed addresses; too much of a flow stops nothing else."""
    graph = definitions.resolve_asset_graph()
    for destination in DESTINATIONS:
        [enrollments] = graph.get(enrollments_key(destination)).parent_keys
        assert enrollments.path[-1] == "flow_enrollments"
        checks = {check.name: check for check in graph.get_check_keys_for_assets({enrollments})}
        assert not graph.get(checks[VOLUME]).blocking
        assert {exits_key(destination), opt_outs_key(destination)} <= graph.materializable_asset_keys
    for key in (ORDERS_PUSHED, *map(enrollments_key, DESTINATIONS)):
        told = {check.name for check in graph.get_check_keys_for_assets({key})}
        assert told >= {"nothing_is_refused", "nothing_is_ambiguous", "nothing_is_held"}


def test_one_job_goes_the_whole_way(definitions: dg.Definitions) -> None:
    """The job of ``perennial run`` makes every asset, in one process; only the upkeep has its own time."""
    job = definitions.resolve_job_def("perennial")
    graph = definitions.resolve_asset_graph()
    assert job.asset_layer.selected_asset_keys >= graph.materializable_asset_keys - {COMPACTED}
    assert COMPACTED not in job.asset_layer.selected_asset_keys
    assert job.executor_def.name == "in_process"
    assert PUBLISHED in job.asset_layer.selected_asset_keys


def test_a_build_starts_without_pulling(definitions: dg.Definitions) -> None:
    """What the sensor starts asks no vendor for anything."""
    job = definitions.resolve_job_def("build")
    to_flowhub = {key for key in job.asset_layer.selected_asset_keys if key.path[0] == "flowhub"}
    assert to_flowhub == {ORDERS_PUSHED}, "orders go there; nothing is asked"
    assert LANDING_LOG in job.asset_layer.selected_asset_keys


def test_compaction_never_runs_beside_a_build(definitions: dg.Definitions) -> None:
    """Every night, and the queue lets it and a build run one after the other."""
    job, build = (definitions.resolve_job_def(name) for name in ("compact_landing", "build"))
    assert job.asset_layer.selected_asset_keys == {COMPACTED}
    assert job.tags["perennial/one_at_a_time"] == build.tags["perennial/one_at_a_time"]
    schedule = definitions.resolve_schedule_def("compact_landing_schedule")
    assert schedule.cron_schedule == "30 3 * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_a_compaction_says_what_it_did(
    definitions: dg.Definitions, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files before and after, bytes and rows, on the asset."""
    monkeypatch.setattr("extractors.landing.compaction.PAGE", 4)
    log = LandingLog(str(home / "landing"))
    for number in range(5):
        log.append(
            f"b/{number}", [Record("jane", "cart_status", None, datetime(2026, 5, 3, tzinfo=UTC), "{}")]
        )
    with dg.DagsterInstance.ephemeral() as instance:
        assert definitions.resolve_job_def("compact_landing").execute_in_process(instance=instance).success
        event = instance.get_latest_materialization_event(COMPACTED)
    assert event is not None
    assert event.asset_materialization is not None
    metadata = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert (metadata["files_before"], metadata["files_after"], metadata["rows"]) == (4, 1, 4)
    before, after = metadata["bytes_before"], metadata["bytes_after"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after < before
    assert [file.rows for file in log.files()] == [4, 1]


def test_the_code_location_loads_as_a_server_loads_it(definitions: dg.Definitions) -> None:
    """Names of jobs and steps don't collide, and every job, schedule and sensor resolves."""
    repository = definitions.get_repository_def()
    names = {job.name for job in repository.get_all_jobs()}
    assert names >= {"perennial", "perennial_hot", "build", "flowhub_orders"}
    by_hand = {"holds", "deadletters", "pauses", "quarantine", "push_plan", "push_apply", "push_read_back"}
    assert names >= by_hand, "what a command does is an action here, too"
    assert {schedule.job_name for schedule in repository.schedule_defs} <= names
    assert "tell_of_failed_runs" in {sensor.name for sensor in repository.sensor_defs}


def test_every_test_of_the_project_is_a_check_of_an_asset(definitions: dg.Definitions) -> None:
    """Also one of several models: its YAML names the asset where an operator looks for it."""
    graph = definitions.resolve_asset_graph()
    checks = {key.name for key in graph.asset_check_keys}
    written = {path.stem for path in (PROJECT / "tests").glob("assert_*.sql")}
    assert written <= checks
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert {"assert_no_trigger_was_missed", "assert_nobody_is_decided_twice"} <= blocking
