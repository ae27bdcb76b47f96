"""What others send to the receiver: landed by then, reported here."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from dagster_project.lib.landed import arrived, last_seen
from dagster_project.lib.streams import WEBHOOKS, stream_key
from extractors.landing.log import LandingLog
from perennial.settings import load_settings


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key=stream_key(stream),
            description=description,
            group_name="extraction",
            kinds={"webhook"},
            freshness_policy=dg.FreshnessPolicy.time_window(
                warn_window=timedelta(hours=1), fail_window=timedelta(hours=6)
            ),
        )
        for stream, description in WEBHOOKS.items()
    ],
    can_subset=True,
)
def webhooks(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Report what landed since each stream was last looked at; the receiver itself never waits for this."""
    settings = load_settings()
    seen = {key: last_seen(context, key) for key in context.selected_asset_keys}
    batches = LandingLog(settings.landing_url).batches(after=min(seen.values(), default=0))
    for stream in WEBHOOKS:
        key = stream_key(stream)
        if key in seen:
            shown = arrived(stream, batches, seen=seen[key]).metadata(settings.landing_url)
            if stream in settings.streams_off:
                shown["state"] = "off"
            yield dg.MaterializeResult(asset_key=key, metadata=shown)
