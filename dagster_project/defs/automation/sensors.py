"""What starts a build when something landed."""

import dagster as dg

from dagster_project.defs.automation.schedules import UNFINISHED
from dagster_project.lib.backlog import uncovered
from dagster_project.lib.worker import worker_runs
from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.home import Home
from perennial.settings import load_settings

TRY_AGAIN_SECONDS = 600


@dg.sensor(
    job_name="build",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a build within 30 seconds of a landed batch, where no worker does so at once.",
)
def landing_sensor() -> dg.RunRequest | dg.SkipReason:
    """Request a build of what no moment has covered; one request for each newest batch."""
    settings = load_settings()
    if worker_runs(Home(settings.home)):
        return dg.SkipReason("the worker builds what lands")
    log = LandingLog(settings.landing_url)
    newest = uncovered(log)
    if newest is None:
        return dg.SkipReason("every batch is part of a build")
    return dg.RunRequest(run_key=f"seq-{newest}", tags={"perennial/seq": str(newest)})


@dg.sensor(
    job_name="perennial",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the first sync as soon as Flowhub's credentials are there.",
)
def first_sync_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Request a run of everything in a home that has never pulled; one that fails is asked for again."""
    # this process lives on while somebody fills in .env
    load_settings.cache_clear()
    settings = load_settings()
    if not settings.flowhub_on:
        return dg.SkipReason("Flowhub is off or has no credentials; perennial check says which")
    # an asset is made where the source is off, too: that something was pulled, only the log tells
    if any("flowhub/pulls" in batch.streams for batch in LandingLog(settings.landing_url).batches()):
        return dg.SkipReason("the first sync is done")
    if context.instance.get_runs_count(dg.RunsFilter(job_name="perennial", statuses=UNFINISHED)):
        return dg.SkipReason("the first sync is running")
    return dg.RunRequest(
        run_key=f"first-sync-{int(clock_of(settings).now().timestamp() // TRY_AGAIN_SECONDS)}"
    )
