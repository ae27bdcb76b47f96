"""Asset keys that several stages name."""

import dagster as dg

LANDING_LOG = dg.AssetKey(["landing", "log"])
FLOW_SETTINGS = dg.AssetKey(["ops", "flow_settings"])
PUBLISHED = dg.AssetKey(["published", "current"])
DESTINATIONS = ("aiq", "klaviyo")


def enrollments_key(destination: str) -> dg.AssetKey:
    """Return the key of what is sent to a destination."""
    return dg.AssetKey([destination, "enrollments"])
