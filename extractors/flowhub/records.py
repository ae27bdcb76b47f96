"""Names a record: what it is in the vendor's system, and which version of it this is.

A record that can't be named is not dropped: it lands under its hash, so that staging can quarantine it.
"""

from dataclasses import dataclass

import msgspec

from extractors.flowhub.run import Stream
from extractors.pulled import content_hash

_NAMELESS = "no-id"


class _Id(msgspec.Struct):
    id: str | int | None = None
    mongo_id: str | int | None = msgspec.field(default=None, name="_id")
    order_id: str | int | None = msgspec.field(default=None, name="orderId")


class _LocationIds(msgspec.Struct, rename="camel"):
    location_id: str | int | None = None
    import_id: str | int | None = None
    location_name: str | None = None


class _ItemIds(msgspec.Struct, rename="camel"):
    location_id: str | int | None = None
    room_id: str | int | None = None
    product_id: str | int | None = None
    variant_id: str | int | None = None
    room_name: str | None = None
    purchase_category: str | None = None


_ID = msgspec.json.Decoder(_Id)
_LOCATION = msgspec.json.Decoder(_LocationIds)
_ITEM = msgspec.json.Decoder(_ItemIds)


@dataclass(frozen=True, slots=True)
class Named:
    """A record with its natural key (what stays the same when it changes) and the hash of its text."""

    key: str
    hash: str
    text: str

    @property
    def source_key(self) -> str:
        """The key of this version of the record."""
        return self.key if self.key.startswith(f"{_NAMELESS}:") else f"{self.key}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Location:
    """A store, as far as the pulls need it; ``import_id`` is what order paths take."""

    location_id: str
    import_id: str
    name: str
    record: Named


@dataclass(frozen=True, slots=True)
class Item:
    """An inventory item; an id is None where there is none; ``readable`` is false if it is no object."""

    location_id: str | None
    room_id: str | None
    room_name: str | None
    purchase_category: str | None
    readable: bool
    record: Named


def named(text: str, stream: Stream) -> Named:
    """Name an order or a customer: ``id``, else ``_id``, else (an order's) ``orderId``."""
    digest = content_hash(text)
    try:
        found = _ID.decode(text)
    except msgspec.DecodeError:
        return Named(f"{_NAMELESS}:{digest}", digest, text)
    key = _text(found.id) or _text(found.mongo_id) or (_text(found.order_id) if stream == "orders" else None)
    return Named(key or f"{_NAMELESS}:{digest}", digest, text)


def location_of(text: str) -> Location | None:
    """Read a location; None when it has no id."""
    try:
        found = _LOCATION.decode(text)
    except msgspec.DecodeError:
        return None
    location_id, import_id = _text(found.location_id), _text(found.import_id)
    if location_id is None:
        return None
    return Location(
        location_id=location_id,
        import_id=import_id or location_id,  # often equal
        name=found.location_name or location_id,
        record=Named(location_id, content_hash(text), text),
    )


def item_of(text: str) -> Item:
    """Read an inventory item; its natural key is location, room, product and variant."""
    digest = content_hash(text)
    try:
        found = _ITEM.decode(text)
    except msgspec.DecodeError:
        return Item(None, None, None, None, readable=False, record=nameless(text))
    location, room, product, variant = (
        _text(part) for part in (found.location_id, found.room_id, found.product_id, found.variant_id)
    )
    key = (
        f"{location or ''}:{room or ''}:{product or ''}:{variant or ''}"
        if product
        else f"{_NAMELESS}:{digest}"
    )
    return Item(
        location,
        room,
        found.room_name,
        found.purchase_category,
        readable=True,
        record=Named(key, digest, text),
    )


def nameless(text: str) -> Named:
    """Name a record that has no id by its content."""
    digest = content_hash(text)
    return Named(f"{_NAMELESS}:{digest}", digest, text)


def _text(value: str | int | None) -> str | None:
    return str(value) if value not in {None, ""} else None
