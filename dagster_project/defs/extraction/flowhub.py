"""What Flowhub's API is asked for."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.landed import arrived
from dagster_project.lib.streams import FLOWHUB, stream_key
from extractors.flowhub.pulls import STREAMS, pull
from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.settings import load_settings

PULLED = tuple(STREAMS)
# Three missed pulls warn, half an hour without orders fails; locations change a few times a year.
EXPECTED = {
    "orders": (timedelta(minutes=6), timedelta(minutes=30)),
    "inventory": (timedelta(minutes=30), timedelta(hours=2)),
    "customers": (timedelta(minutes=30), timedelta(hours=2)),
    "locations": (timedelta(hours=26), timedelta(hours=50)),
    "pulls": (timedelta(minutes=6), timedelta(minutes=30)),
}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key=stream_key(f"flowhub/{stream}"),
            description=description,
            group_name="extraction",
            kinds={"api"},
            freshness_policy=dg.FreshnessPolicy.time_window(
                warn_window=EXPECTED[stream][0], fail_window=EXPECTED[stream][1]
            ),
        )
        for stream, description in FLOWHUB.items()
    ],
    can_subset=True,
    retry_policy=dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL),
)
def flowhub(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Pull the selected streams and land what is new; where Flowhub is off, say so and keep what there is."""
    settings = load_settings()
    selected = [name for name in PULLED if stream_key(f"flowhub/{name}") in context.selected_asset_keys]
    marks = stream_key("flowhub/pulls") in context.selected_asset_keys
    if not settings.flowhub_on:
        for name in [*selected, *(["pulls"] if marks else [])]:
            yield dg.MaterializeResult(
                asset_key=stream_key(f"flowhub/{name}"), metadata={"rows": 0, "state": "off"}
            )
        return
    clock = clock_of(settings)
    log = LandingLog(settings.landing_url, clock)
    before = log.last_seq()
    for name in selected:
        seen = log.last_seq()
        with acted_on_by_people():
            [report] = pull(settings, log, clock, [name], context.log.info).streams
        news = arrived(f"flowhub/{name}", log.batches(after=seen), seen=seen)
        yield dg.MaterializeResult(
            asset_key=stream_key(f"flowhub/{name}"),
            metadata={
                **news.metadata(settings.landing_url),
                "read": report.records,
                "unchanged": report.unchanged,
                "pages": report.pages,
                "seconds": round(report.seconds, 3),
            },
        )
    if marks:
        markers = arrived("flowhub/pulls", log.batches(after=before), seen=before)
        yield dg.MaterializeResult(
            asset_key=stream_key("flowhub/pulls"), metadata=markers.metadata(settings.landing_url)
        )
