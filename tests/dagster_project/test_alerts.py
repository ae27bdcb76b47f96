"""Who is told of a failed run."""

import dagster as dg
import pytest

from dagster_project.lib.failed_runs import what_failed
from perennial.settings import load_settings
from tests.dagster_project.test_operators import set_scene
from tests.hooks import serving_hook
from tests.reverse_etl.scene import Scene

__all__ = ["set_scene"]


@dg.op
def poisoned() -> None:
    """Fail with a text that holds an address."""
    raise ValueError("ann@example.com")


@dg.job
def poisoned_job() -> None:
    """Fail."""
    poisoned()


@dg.asset
def watched() -> None:
    """Be checked."""


@dg.asset_check(asset=watched, blocking=True)
def is_right() -> dg.AssetCheckResult:
    """Fail."""
    return dg.AssetCheckResult(passed=False, metadata={"who": "ann@example.com"})


def test_a_failed_run_is_told_with_cause_and_fix(
    definitions: dg.Definitions, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the sensor, as the daemon evaluates it; a hook that is down fails nothing."""
    sensor = definitions.resolve_sensor_def("tell_of_failed_runs")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    job = definitions.resolve_job_def("holds")
    assert scene.holds()
    with serving_hook() as slack, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", slack.url)
        load_settings.cache_clear()
        done = job.execute_in_process(
            run_config={"ops": {"decide_hold": {"config": {"hold": "h_nobody", "action": "cancel"}}}},
            instance=instance,
            raise_on_error=False,
        )
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_of_failed_runs",
            dagster_instance=instance,
            dagster_run=done.dagster_run,
            dagster_event=done.get_run_failure_event(),
        ).for_run_failure()
        sensor(context)
        [text] = slack.told
        slack.status = 500
        sensor(context)
    assert "a run of holds failed" in text
    assert "decide_hold failed: there is no hold 'h_nobody' → perennial holds list" in text
    assert done.run_id in text


def test_a_text_that_is_not_ours_is_told_to_nobody() -> None:
    """It may hold a person's data; which step and which check it was is enough."""
    with dg.DagsterInstance.ephemeral() as instance:
        broken = poisoned_job.execute_in_process(instance=instance, raise_on_error=False)
        assert what_failed(instance, broken.dagster_run) == ["poisoned failed; its log in Dagster says why"]
        stopped = dg.materialize([watched, is_right], instance=instance, raise_on_error=False)
        [line, *_] = what_failed(instance, stopped.dagster_run)
        assert line == "the check is_right of watched failed, and stopped the run"
