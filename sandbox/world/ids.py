"""Ids and instants as the vendors write them."""

import hashlib
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def digest(*parts: object) -> str:
    """Return 32 hexadecimal digits that depend on nothing but the parts."""
    return hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def uid(*parts: object) -> str:
    """Return an id in the form of a UUID that depends on nothing but the parts."""
    text = digest(*parts)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def number(*parts: object) -> int:
    """Return a non-negative 48-bit number that depends on nothing but the parts."""
    return int(digest(*parts)[:12], 16)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Return the instant, in UTC."""
    return EPOCH + timedelta(microseconds=us)


def iso_ms(us: int) -> str:
    """Write as orders do: ISO 8601 UTC with milliseconds and Z."""
    return f"{from_us(us):%Y-%m-%dT%H:%M:%S}.{us % SECOND // 1000:03d}Z"


def iso_us(us: int) -> str:
    """Write as customers and inventory do: ISO 8601 UTC with microseconds and Z."""
    return f"{from_us(us):%Y-%m-%dT%H:%M:%S.%f}Z"


def iso_s(us: int) -> str:
    """Write RFC 3339, UTC, with seconds."""
    return f"{from_us(us):%Y-%m-%dT%H:%M:%S}Z"


def jane_time(us: int) -> str:
    """Write as Jane does: date and time without a zone, in UTC."""
    return f"{from_us(us):%Y-%m-%d %H:%M:%S}"
