"""What failed in a run, in words for people who were not looking: no value, no secret, no text that isn't ours."""

import dagster as dg


def what_failed(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dict[str, str]:
    """Return each step and each blocking check that failed by its name, with a line for people.

    The line has cause and fix where the error is one of ours.
    """
    lines = {}
    for record in instance.all_logs(run.run_id):
        event = record.get_dagster_event() if record.is_dagster_event else None
        if event is None:
            continue
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            lines[str(event.step_key)] = f"{event.step_key} failed{_why(event)}"
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if check.blocking and not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
                name = check.asset_check_key.name
                of = check.asset_key.to_user_string()
                lines[f"{of}:{name}"] = f"the check {name} of {of} failed, and stopped the run"
    return lines or {"": "the run ended without a step having failed: look at it in Dagster"}


def last_success(instance: dg.DagsterInstance, job: str) -> str:
    """Return the newest run of a job that went well; nothing where none did."""
    is_it = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    return next((record.dagster_run.run_id for record in instance.get_run_records(is_it, limit=1)), "")


def _why(event: dg.DagsterEvent) -> str:
    """Say cause and fix of an error of ours: those hold no personal data; any other text might."""
    told = event.step_failure_data.user_failure_data
    metadata = told.metadata if told else {}
    if "cause" in metadata and "fix" in metadata:
        return f": {metadata['cause'].value} → {metadata['fix'].value}"
    return "; its log in Dagster says why"
