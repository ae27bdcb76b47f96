"""What Flowhub's API is asked for."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.landed import arrived
from dagster_project.lib.streams import stream_key, stream_spec
from extractors.flowhub.pulls import STREAMS, pull
from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.settings import load_settings
from perennial.streams import of_source


@dg.multi_asset(
    specs=[stream_spec(stream) for stream in of_source("flowhub")],
    can_subset=True,
    retry_policy=dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL),
)
def flowhub(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Pull the selected streams and land what is new; where Flowhub is off, say so and keep what there is."""
    settings = load_settings()
    selected = [name for name in STREAMS if stream_key(f"flowhub/{name}") in context.selected_asset_keys]
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
