"""Who is told of a failed run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.defs.activation.operators import holds
from dagster_project.defs.automation.alerts import tell_of_failed_runs
from dagster_project.lib.failed_runs import what_failed
from perennial.settings import load_settings
from tests.hooks import Hook, serving_hook


@dg.op
def poisoned() -> None:
    """Fail with a text that holds an address."""
    raise ValueError("ann@example.com")


@dg.job
def poisoned_job() -> None:
    """Fail."""
    poisoned()


@dg.op(config_schema={"fails": bool})
def moody(context: dg.OpExecutionContext) -> None:
    """Fail where it is told to."""
    if context.op_config["fails"]:
        raise ValueError


@dg.job
def moody_job() -> None:
    """Do two things."""
    moody.alias("first")()
    moody.alias("second")()


@dg.asset
def watched() -> None:
    """Be checked."""


@dg.asset_check(asset=watched, blocking=True)
def is_right() -> dg.AssetCheckResult:
    """Fail."""
    return dg.AssetCheckResult(passed=False, metadata={"who": "ann@example.com"})


@pytest.fixture(name="slack")
def serve_slack(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Hook]:
    """Run an end for webhooks that a home's alerts go to."""
    with serving_hook() as slack:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", slack.url)
        monkeypatch.chdir(home)  # no .env there
        load_settings.cache_clear()
        yield slack


def told_of(instance: dg.DagsterInstance, job: dg.JobDefinition, **config: Any) -> str:
    """Run a job; where it fails, let the sensor see it as the daemon does. Return the run's id."""
    done = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
    if not done.success:
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_of_failed_runs",
            dagster_instance=instance,
            dagster_run=done.dagster_run,
            dagster_event=done.get_run_failure_event(),
        )
        tell_of_failed_runs(context.for_run_failure())
    return done.run_id


def test_a_failed_run_is_told_with_cause_and_fix(slack: Hook) -> None:
    """By the sensor, as the daemon evaluates it; a hook that is down fails nothing, and is tried again."""
    assert tell_of_failed_runs.default_status is dg.DefaultSensorStatus.RUNNING
    typo = {"decide_hold": {"config": {"hold": "h_nobody", "action": "cancel"}}}
    with dg.DagsterInstance.ephemeral() as instance:
        slack.status = 500
        told_of(instance, holds, ops=typo)
        slack.status = 200
        run_id = told_of(instance, holds, ops=typo)
    _, text = slack.told
    assert "a run of holds failed" in text
    assert "decide_hold failed: there is no hold 'h_nobody' → perennial holds list" in text
    assert run_id in text


def test_one_that_goes_on_failing_is_told_of_once_until_it_went_well(slack: Hook, home: Path) -> None:
    """Each job by itself; what fails besides is news; a ledger that can't be read is no reason to be silent."""
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            told_of(instance, moody_job, ops=mood("first"))
        assert len(slack.told) == 1
        told_of(instance, moody_job, ops=mood("second"))
        told_of(instance, poisoned_job)
        assert ["second failed" in text for text in slack.told] == [False, True, False]
        for broken in ("first", "", "first", "first"):
            told_of(instance, moody_job, ops=mood(broken))
        assert len(slack.told) == 4
        (home / "ledger.sqlite").write_bytes(b"no database")
        told_of(instance, moody_job, ops=mood("first"))
    assert len(slack.told) == 5


def mood(broken: str) -> dict[str, Any]:
    """Say which step of the moody job is to fail."""
    return {name: {"config": {"fails": name == broken}} for name in ("first", "second")}


def test_a_text_that_is_not_ours_is_told_to_nobody() -> None:
    """It may hold a person's data; which step and which check it was is enough."""
    with dg.DagsterInstance.ephemeral() as instance:
        broken = poisoned_job.execute_in_process(instance=instance, raise_on_error=False)
        told = what_failed(instance, broken.dagster_run)
        assert told == {"poisoned": "poisoned failed; its log in Dagster says why"}
        stopped = dg.materialize([watched, is_right], instance=instance, raise_on_error=False)
        [line, *_] = what_failed(instance, stopped.dagster_run).values()
        assert line == "the check is_right of watched failed, and stopped the run"
