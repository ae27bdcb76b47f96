"""Asset keys that several stages name."""

import dagster as dg

LANDING_LOG = dg.AssetKey(["landing", "log"])
COMPACTED = dg.AssetKey(["landing", "compacted"])
DEPLOYMENTS = dg.AssetKey(["ops", "deployments"])
FLOW_SETTINGS = dg.AssetKey(["ops", "flow_settings"])
SALT = dg.AssetKey(["ops", "salt"])
SWITCHES = dg.AssetKey(["ops", "switches"])
LANDED_BATCHES = dg.AssetKey(["ops", "landed_batches"])
PUBLISHED = dg.AssetKey(["published", "current"])
# The blocking checks: before anything is built, and before anything is sent.
BOUNDARY = "landing_boundary"
VOLUME = "enrollment_volume_is_plausible"
DESTINATIONS = ("aiq", "klaviyo", "webhook", "csv")


# Orders are no enrollments: what the till takes is an asset of its own.
ORDERS_PUSHED = dg.AssetKey(["flowhub", "orders_pushed"])


def enrollments_key(destination: str) -> dg.AssetKey:
    """Return the key of what is sent to a destination."""
    return dg.AssetKey([destination, "enrollments"])


def exits_key(destination: str) -> dg.AssetKey:
    """Return the key of the ends of enrollments that a destination is told of."""
    return dg.AssetKey([destination, "exits"])


def opt_outs_key(destination: str) -> dg.AssetKey:
    """Return the key of the closed addresses that a destination is told of."""
    return dg.AssetKey([destination, "opt_outs"])


def mirror_key(destination: str, kind: str) -> dg.AssetKey:
    """Return the key of what is kept equal at a destination: traits, or lists."""
    return dg.AssetKey([destination, kind])


def rules_check(stream: str) -> str:
    """Return the name of the check of a stream's rules."""
    return f"rules_of_{stream.replace('/', '_')}"
