"""People are told when a run fails, or a blocking check stops one."""

import dagster as dg

from dagster_project.lib.failed_runs import last_success, what_failed
from perennial.alerts import is_heard, tell
from perennial.errors import PerennialError
from perennial.settings import load_settings
from reverse_etl.alerts import Alarm
from reverse_etl.opening import open_desk


@dg.run_failure_sensor(
    name="tell_of_failed_runs",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people of a failed run, by ALERT_WEBHOOK_URL and ALERT_EMAIL_TO: once until a run goes well.",
)
def tell_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """Say which job failed, in which step or by which check, and where to look; not again until it went well."""
    settings, run = load_settings(), context.dagster_run
    if not is_heard(settings):
        return
    failed = what_failed(context.instance, run)
    lines = [
        *failed.values(),
        f"Run {run.run_id} in Dagster has its log. You are not told again before a run of it goes well.",
    ]
    try:
        with open_desk(settings) as desk:
            alarm = Alarm(settings, desk.ledger, desk.clock)
            alarm.tell_of_run(run.job_name, last_success(context.instance, run.job_name), failed, lines)
    except (
        PerennialError
    ):  # the ledger can't be read, which may be why it failed: rather too often than never
        tell(settings, f"Perennial: a run of {run.job_name} failed", lines)
