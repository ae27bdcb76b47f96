"""People are told when a run fails, or a blocking check stops one."""

import dagster as dg

from dagster_project.lib.failed_runs import what_failed
from perennial.alerts import tell
from perennial.settings import load_settings


@dg.run_failure_sensor(
    name="tell_of_failed_runs",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people of a failed run, by ALERT_WEBHOOK_URL and ALERT_EMAIL_TO.",
)
def tell_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """Say which job failed, in which step or by which check, and where to look."""
    run = context.dagster_run
    lines = [*what_failed(context.instance, run), f"Run {run.run_id} in Dagster has its log."]
    tell(load_settings(), f"Perennial: a run of {run.job_name} failed", lines)
