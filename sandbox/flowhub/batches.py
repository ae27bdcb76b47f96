"""The batches of the menu's items: the same product under changing ids, SKUs and tags."""

from dataclasses import dataclass
from functools import lru_cache

from sandbox.world.ids import DAY, digest, number, uid

BATCH_DAYS = 21


@dataclass(frozen=True, slots=True)
class Batch:
    """An item at a store while one delivery lasts. ``start`` is in microseconds since 1970."""

    product_id: str
    sku: str
    regulatory_id: str
    start: int
    strength: float
    on_sale: bool


def batch_number(store: int, item: int, at: int) -> int:
    """Return which batch was being sold at an instant."""
    return (at + _offset(store, item)) // (BATCH_DAYS * DAY)


@lru_cache(maxsize=65536)
def batch(store: int, item: int, place: int) -> Batch:
    """Return a batch; the same numbers give the same ids."""
    text = digest("batch", store, item, place)
    return Batch(
        product_id=uid("product", store, item, place),
        sku=text[:10],
        regulatory_id=f"1A404030000{text[10:16].upper()}{place % 10**7:07d}",
        start=place * BATCH_DAYS * DAY - _offset(store, item),
        strength=0.8 + int(text[16:18], 16) / 400,
        on_sale=text[18] == "0",
    )


@lru_cache(maxsize=65536)
def _offset(store: int, item: int) -> int:
    return number("offset", store, item) % (BATCH_DAYS * DAY)
