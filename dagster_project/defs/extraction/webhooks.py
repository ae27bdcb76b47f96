"""What others send to the receiver: landed by then, reported here."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.lib.landed import arrived, last_seen
from dagster_project.lib.streams import stream_key, stream_spec
from extractors.landing.log import LandingLog
from perennial.settings import load_settings
from perennial.streams import FOREIGN, is_expected


@dg.multi_asset(
    specs=[stream_spec(stream) for stream, foreign in FOREIGN.items() if not foreign.is_pulled],
    can_subset=True,
)
def webhooks(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Report what landed since each stream was last looked at; the receiver itself never waits for this."""
    settings = load_settings()
    seen = {key: last_seen(context, key) for key in context.selected_asset_keys}
    batches = LandingLog(settings.landing_url).batches(after=min(seen.values(), default=0))
    for stream in FOREIGN:
        key = stream_key(stream)
        if key in seen:
            shown = arrived(stream, batches, seen=seen[key]).metadata(settings.landing_url)
            if not is_expected(stream, settings):
                shown["state"] = "off"
            yield dg.MaterializeResult(asset_key=key, metadata=shown)
