"""How senders prove who they are: pure functions, every comparison in constant time."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

FRESH_FOR = timedelta(minutes=5)
_MILLISECONDS_FROM = 100_000_000_000  # as seconds that would be the year 5138


def jane_signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return ``X-Jane-Signature``: the hex HMAC-SHA256 of ``timestamp:body``."""
    return hmac.new(secret.encode(), timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def jane_signed(secrets: Sequence[str], timestamp: str, body: bytes, signature: str) -> bool:
    """Tell whether one of the secrets made the signature; two are valid while they are rotated."""
    given = signature.strip().lower().encode()
    matches = [
        hmac.compare_digest(jane_signature(secret, timestamp, body).encode(), given) for secret in secrets
    ]
    return any(matches)


def shopify_signature(secret: str, body: bytes) -> str:
    """Return ``X-Shopify-Hmac-SHA256``: the HMAC-SHA256 of the body in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def shopify_signed(secret: str, body: bytes, signature: str) -> bool:
    """Tell whether the secret made the signature."""
    try:
        given = base64.b64decode(signature.strip().encode(), validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.digest(secret.encode(), body, "sha256"), given)


def same_secret(expected: str, given: str | None) -> bool:
    """Tell whether two secrets are equal, without telling how long or how near the given one is."""
    return hmac.compare_digest(_digest(expected), _digest(given or "")) and given is not None


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization: Bearer`` header."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def owner_of(key: str | None, keys: Mapping[str, str]) -> str | None:
    """Return the name whose key this is; all are compared, so that the time tells nothing."""
    names = [name for name, expected in keys.items() if same_secret(expected, key)]
    return names[0] if names else None


def is_stale(timestamp: str, now: datetime) -> bool:
    """Tell whether a signed timestamp is not of the last five minutes.

    The vendor doesn't state its format: Unix seconds, milliseconds and ISO 8601 are understood, and one that
    isn't, or lies in the future by more than that, is not fresh either.
    """
    sent = _instant(timestamp.strip())
    return sent is None or abs(now - sent) > FRESH_FOR


def _instant(timestamp: str) -> datetime | None:
    try:
        if timestamp.isascii() and timestamp.isdigit():
            number = int(timestamp)
            return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
        instant = datetime.fromisoformat(timestamp)
    except (ValueError, OverflowError, OSError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
