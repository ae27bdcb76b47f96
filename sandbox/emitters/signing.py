"""How each vendor proves who it is."""

import base64
import hashlib
import hmac
from typing import Literal

from sandbox.credentials import (
    JANE_SIGNING_SECRET,
    JANE_WEBHOOK_TOKEN,
    OMNI_SHARED_SECRET,
    PARTNER_KEYS,
    SHOPIFY_CLIENT_SECRET,
    SHOPIFY_SHOP_DOMAIN,
)
from sandbox.world.ids import DAY, SECOND, digest, iso_s
from sandbox.world.world import Emission

Manner = Literal["true", "forged", "unsigned", "stale"]
"""``forged``: signed with a wrong secret; ``stale``: truly signed, with the timestamp of a day before."""

WRONG = "not-the-secret"
JSON = {"Content-Type": "application/json"}


def headers_for(emission: Emission, body: bytes, manner: Manner = "true") -> dict[str, str]:
    """Return the headers that the vendor sends with this body."""
    if manner == "unsigned":
        return dict(JSON)
    forged = manner == "forged"
    if emission.vendor == "jane":
        signed = emission.signed - (DAY if manner == "stale" else 0)
        return JSON | _jane(body, signed // SECOND, WRONG if forged else JANE_SIGNING_SECRET)
    if emission.vendor == "omni":
        return JSON | {"X-Perennial-Secret": WRONG if forged else OMNI_SHARED_SECRET}
    if emission.vendor == "shopify":
        return JSON | _shopify(emission, body, WRONG if forged else SHOPIFY_CLIENT_SECRET)
    return JSON | {"X-API-Key": WRONG if forged else PARTNER_KEYS[emission.vendor]}


def _jane(body: bytes, timestamp: int, secret: str) -> dict[str, str]:
    message = f"{timestamp}:".encode() + body
    return {
        "Authorization": f"Bearer {JANE_WEBHOOK_TOKEN}",
        "X-Jane-Request-Timestamp": str(timestamp),
        "X-Jane-Signature": hmac.new(secret.encode(), message, hashlib.sha256).hexdigest(),
    }


def _shopify(emission: Emission, body: bytes, secret: str) -> dict[str, str]:
    signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return {
        "X-Shopify-Hmac-SHA256": signature,
        "X-Shopify-Topic": emission.topic,
        "X-Shopify-Shop-Domain": SHOPIFY_SHOP_DOMAIN,
        "X-Shopify-API-Version": "2025-01",
        # The same for a webhook that is sent again: what it is deduplicated by.
        "X-Shopify-Webhook-Id": digest("webhook", emission.topic, emission.signed, emission.body),
        "X-Shopify-Triggered-At": iso_s(emission.signed),
    }
