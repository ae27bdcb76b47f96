"""Records to land."""

from datetime import UTC, datetime

from extractors.landing.records import Record

RECEIVED_AT = datetime(2017, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)


def cart(number: int = 1, payload: str | None = None) -> Record:
    """Return a record of jane/cart_status."""
    text = f'{{"cart": {{"id": {number}, "note": "né “x”"}}}}' if payload is None else payload
    return Record(
        source="jane",
        stream="cart_status",
        source_key=f"key-{number}",
        received_at=RECEIVED_AT,
        payload=text,
        headers={"X-Jane-Request-Timestamp": "1488371400"},
    )


def order(number: int = 1) -> Record:
    """Return a record of flowhub/orders."""
    return Record(
        source="flowhub",
        stream="orders",
        source_key=None,
        received_at=RECEIVED_AT,
        payload=f'{{"_id":"{number}","total":41.80}}',
        request={"url": "http://127.0.0.1/v1/orders", "page": number},
    )
