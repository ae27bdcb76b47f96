"""What operators see and do in Dagster: holds, dead letters, pauses."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.lib.keys import VOLUME, enrollments_key, exits_key
from perennial.settings import load_settings
from reverse_etl.bounds import Bounds, Rules
from reverse_etl.guards import Guards, held_now
from reverse_etl.holds import all_holds
from reverse_etl.ledger.rows import Move, apply, load
from reverse_etl.ledger.store import Ledger
from reverse_etl.states import Status
from tests.reverse_etl.scene import NOON, Scene, decision
from tests.reverse_etl.vendor import serving

GUARDS = Guards(Rules({"marketing": Bounds(2, share_percent=50)}), lambda: 3)
# At any hour: some of these are sent by the clock on the wall.
LASTING: dict[str, Any] = {"not_before": None, "expires_at": None, "places": []}


@pytest.fixture(name="scene")
def set_scene(home: Path) -> Scene:
    """Make a home with three held rows of one flow, one refused and one ambiguous row of others."""
    scene = Scene(home)
    scene.decide(
        *(decision(number, **LASTING) for number in (1, 2, 3)),
        decision(4, flow_name="winback", **LASTING),
        decision(5, flow_name="welcome", **LASTING),
    )
    with scene.desk() as desk:
        desk.catch_up()
        GUARDS.look(desk.ledger, desk.clock)
        settle(desk.ledger)
    return scene


def settle(ledger: Ledger) -> None:
    """Let one row be refused, and of another nobody know."""
    with ledger.write() as connection:
        apply(connection, [Move(load(connection, [4])[4], Status.REJECTED, error="400: no such event")], NOON)
        apply(connection, [Move(load(connection, [5])[5], Status.ATTEMPTING)], NOON)
        apply(connection, [Move(load(connection, [5])[5], Status.AMBIGUOUS, error="time-out")], NOON)


def run(definitions: dg.Definitions, job: str, op: str, **config: Any) -> dg.ExecuteInProcessResult:
    """Run a job as the launchpad does."""
    return definitions.resolve_job_def(job).execute_in_process(
        run_config={"ops": {op: {"config": config}}}, raise_on_error=False
    )


def output_of(done: dg.ExecuteInProcessResult, op: str) -> dict[str, Any]:
    """Return what an op shows of what it did; none of it is an address."""
    [event] = [event for event in done.events_for_node(op) if event.is_successful_output]
    shown = {name: value.value for name, value in event.step_output_data.metadata.items()}
    assert "@example.com" not in str(shown)
    return shown


def counts(scene: Scene) -> dict[str, int]:
    """Return how many enrollments stand in each state."""
    return scene.report().counts["aiq"]


def test_checks_and_metadata_say_what_waits_and_what_to_type(
    definitions: dg.Definitions, scene: Scene
) -> None:
    """On the assets of the push, as warnings: no run fails of them; what is held stops nothing else."""
    with scene.desk() as desk, desk.ledger.read() as connection:
        [hold] = all_holds(connection)
    with dg.DagsterInstance.ephemeral() as instance:
        done = definitions.resolve_job_def("build").execute_in_process(
            instance=instance,
            asset_selection=[enrollments_key("aiq"), exits_key("aiq")],
            raise_on_error=False,
        )
        assert done.success
        event = instance.get_latest_materialization_event(enrollments_key("aiq"))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert (metadata["sent"], metadata["held_in_all"], metadata["ambiguous_in_all"]) == (0, 3, 1)
    told = {
        check.check_name: check
        for check in done.get_asset_check_evaluations()
        if check.asset_key == enrollments_key("aiq")
    }
    assert {name: (check.passed, check.description) for name, check in told.items()} == {
        "nothing_is_refused": (False, "1 rows; next: perennial deadletters list"),
        "nothing_is_ambiguous": (
            False,
            "1 rows; next: perennial deadletters list, then resolve each by what you find at the destination",
        ),
        "nothing_is_held": (False, "3 rows; next: perennial holds list"),
    }
    assert {check.severity for check in told.values()} == {dg.AssetCheckSeverity.WARN}
    assert hold.rows == 3


def test_the_check_before_the_push_is_the_push_s_own_rule(scene: Scene) -> None:
    """It says what a push would hold now, and what is held, and holds nothing itself."""
    scene.decide(*(decision(number, flow_name="birthday", **LASTING) for number in range(10, 13)))
    with scene.desk() as desk:
        found = held_now(desk, GUARDS)
        assert sorted((hold.flow_name, hold.rows) for hold in found) == [
            ("birthday", 3),
            ("cart_abandoned_recovery", 3),
        ]
        with desk.ledger.read() as connection:
            assert [hold.flow_name for hold in all_holds(connection)] == ["cart_abandoned_recovery"]
    assert VOLUME == "enrollment_volume_is_plausible"


def test_the_launchpad_does_what_the_commands_do(definitions: dg.Definitions, scene: Scene) -> None:
    """Released, retried, settled, paused: each lands once, however often it is run; a typo fails with a next step."""
    [hold] = scene.holds()
    for _ in range(2):
        assert run(definitions, "holds", "decide_hold", hold=hold.hold_id, action="release").success
    assert counts(scene) == {"pending": 3, "rejected": 1, "ambiguous": 1}
    assert run(definitions, "deadletters", "close_dead_letters", action="retry", reason="no such").success
    assert run(definitions, "deadletters", "close_dead_letters", action="sent", ids=["d000005"]).success
    assert counts(scene) == {"pending": 4, "accepted": 1}
    assert run(definitions, "pauses", "say_pause", action="pause", flow="winback").success
    assert [json.loads(row.payload)["operation"] for row in scene.log.read("perennial", "operations")] == [
        "hold_release",
        "deadletter_retry",
        "deadletter_resolve",
        "pause",
    ]
    for job, op, config, named in (
        ("holds", "decide_hold", {"hold": "h_nobody", "action": "cancel"}, "there is no hold"),
        ("deadletters", "close_dead_letters", {"action": "retry"}, "which rows"),
        ("deadletters", "close_dead_letters", {"action": "discard", "ids": ["x"]}, "no dead letter"),
        ("pauses", "say_pause", {"action": "pause", "destination": "sendgrid"}, "no destination"),
    ):
        refused = run(definitions, job, op, **config)
        assert not refused.success
        [failure] = [event for event in refused.all_events if event.is_step_failure]
        assert named in str(failure.step_failure_data)


def test_a_plan_is_made_looked_at_and_applied_from_the_launchpad(
    definitions: dg.Definitions, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shown is sent and nothing else, once; a plan that holds no more fails by name; the deed lands."""
    with serving() as vendor:
        for name, value in vendor.as_aiq.items():
            monkeypatch.setenv(name, value)
        load_settings.cache_clear()
        scene.decide(decision(20, flow_name="birthday", **LASTING))
        made = definitions.resolve_job_def("push_plan").execute_in_process()
        shown = output_of(made, "make_plan")
        assert shown["would_be_sent"] == {"aiq/birthday": 1}
        assert shown["first_calls"][0]["of"] == ["d000020"]
        assert shown["not_now"] == {"aiq": {"held": 3, "ambiguous": 1}}
        assert vendor.calls == []
        scene.decide(decision(21, flow_name="birthday", **LASTING))
        applied = run(definitions, "push_apply", "apply_plan", plan=shown["plan"])
        assert output_of(applied, "apply_plan")["by_destination"] == {"aiq": {"accepted": 1, "pending": 1}}
        assert len(vendor.calls) == 1
        again = run(definitions, "push_apply", "apply_plan", plan=shown["plan"])
    [failure] = [event for event in again.all_events if event.is_step_failure]
    assert "d000020 is accepted" in str(failure.step_failure_data)
    [word] = [json.loads(row.payload) for row in scene.log.read("perennial", "operations")]
    assert (word["operation"], word["subject"]["plan_id"]) == ("push_applied", shown["plan"])
