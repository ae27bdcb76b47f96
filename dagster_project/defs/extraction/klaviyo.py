"""What Klaviyo's Events API is asked for: the loyalty events that OMNI writes there."""

import dagster as dg

from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.landed import arrived
from dagster_project.lib.streams import stream_spec
from extractors.klaviyo.pulls import STREAM, pull
from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.settings import load_settings


@dg.multi_asset(
    name="omni__klaviyo_events",
    specs=[stream_spec(STREAM)],
    retry_policy=dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL),
)
def klaviyo_events(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Pull OMNI's events and land what is new; where that is off, say so and keep what there is."""
    settings = load_settings()
    if not settings.omni_pulled:
        return dg.MaterializeResult(metadata={"rows": 0, "state": "off"})
    clock = clock_of(settings)
    log = LandingLog(settings.landing_url, clock)
    seen = log.last_seq()
    with acted_on_by_people():
        report = pull(settings, log, clock, context.log.info)
    news = arrived(STREAM, log.batches(after=seen), seen=seen)
    return dg.MaterializeResult(
        metadata={
            **news.metadata(settings.landing_url),
            "read": report.records,
            "unchanged": report.unchanged,
            "pages": report.pages,
            "seconds": round(report.seconds, 3),
        }
    )
