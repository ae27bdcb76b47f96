"""The streams of the landing log, as assets.

A stream has the same two words in landing, as a dbt source and as an asset key.
"""

from collections.abc import Mapping
from types import MappingProxyType

import dagster as dg

FLOWHUB: Mapping[str, str] = MappingProxyType(
    {
        "locations": "A store of the client, as Flowhub's API returned it; daily.",
        "inventory": "An inventory item that changed since the last pull; every 10 minutes.",
        "customers": "A customer whose record changed since the last pull; every 10 minutes.",
        "orders": "An order or a new status of one; every 2 minutes.",
        "pulls": "A marker per pull with its counts: absence is inferred between complete ones only.",
    }
)

KLAVIYO: Mapping[str, str] = MappingProxyType(
    {"omni/klaviyo_events": "A loyalty event that OMNI wrote to Klaviyo, with its profile; every 3 minutes."}
)

WEBHOOKS: Mapping[str, str] = MappingProxyType(
    {
        "jane/cart_status": "A status of a Jane cart, sent by Jane's webhook.",
        "jane/cart_abandoned": "A cart that Jane reports abandoned, sent by Jane's webhook.",
        "omni/events": "A loyalty event that OMNI sent through Shopify Flow.",
        "shopify/webhooks": "A customer or order topic that Shopify sent.",
        "partners/events": "An event that a partner posted.",
        "messaging/feedback": "What became of a message: delivered, opened, clicked, unsubscribed.",
    }
)

OWN: Mapping[str, str] = MappingProxyType(
    {
        "moments": "A build: its number, its instant and the last batch that it read.",
        "decisions": "What a build decided: an enrollment, a skipped candidate, an exit, an order for the till.",
        "audience_changes": "Who entered or left an audience at a moment.",
        "derived_events": "An event that exists because the clock moved.",
        "customer_id_changes": "A person whose id gave way to another one, and why.",
        "receipts": "What became of an enrollment at its destination.",
        "erasures": "Who was erased, as salted hashes: what keeps her opt-out.",
        "order_receipts": "What became of an order that was pushed into the till, with the till's id of it.",
        "operations": "What an operator did: released, held, discarded.",
    }
)


def stream_key(stream: str) -> dg.AssetKey:
    """Return the asset key of ``source/stream``."""
    return dg.AssetKey(stream.split("/"))


def foreign_streams() -> list[str]:
    """Return every stream that others send, as ``source/stream``."""
    return [*(f"flowhub/{name}" for name in FLOWHUB), *KLAVIYO, *WEBHOOKS]
