"""When things are pulled, and when time passing is looked at."""

import dagster as dg

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def every(cron: str, job: str) -> dg.ScheduleDefinition:
    """Return a schedule that runs a job; it is on as soon as the daemon runs.

    While a run of the job waits or works, the next one is left out: runs must not pile up behind a slow vendor.
    """

    @dg.schedule(
        name=f"{job}_schedule",
        job_name=job,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=UNFINISHED)):
            return dg.SkipReason(f"a run of {job} has not ended yet")
        return dg.RunRequest()

    return tick


@dg.definitions
def schedules() -> dg.Definitions:
    """Pull as often as the sources promise; build every 10 minutes even when nothing lands.

    Time passing is news too: points enter their expiry window and people lapse without anything landing.
    """
    return dg.Definitions(
        schedules=[
            every("*/2 * * * *", "flowhub_orders"),
            every("*/10 * * * *", "flowhub_inventory"),
            every("*/10 * * * *", "flowhub_customers"),
            every("15 4 * * *", "flowhub_locations"),
            every("*/3 * * * *", "omni_klaviyo_events"),
            every("5-59/10 * * * *", "build"),
            every("30 3 * * *", "compact_landing"),
        ]
    )
