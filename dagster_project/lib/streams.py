"""The streams of the landing log, as assets."""

import dagster as dg

from perennial.streams import FOREIGN


def stream_key(stream: str) -> dg.AssetKey:
    """Return the asset key of ``source/stream``."""
    return dg.AssetKey(stream.split("/"))


def stream_spec(stream: str) -> dg.AssetSpec:
    """Return the asset of a stream that others send; its freshness is the one that ``perennial status`` tells, too."""
    foreign = FOREIGN[stream]
    return dg.AssetSpec(
        key=stream_key(stream),
        description=foreign.holds,
        group_name="extraction",
        kinds={"api" if foreign.is_pulled else "webhook"},
        freshness_policy=dg.FreshnessPolicy.time_window(
            warn_window=foreign.late_after, fail_window=foreign.stale_after
        ),
    )
