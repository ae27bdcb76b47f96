"""Reads a response into records, each kept as the text that came.

Envelopes: ``{"total", "orders": [...]}`` for orders; ``{"status", "data": [...]}`` for the others, or a bare
array, which client code in the field also meets for customers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from perennial.errors import VendorError


class _Orders(msgspec.Struct):
    orders: list[msgspec.Raw] | None  # null where there is none
    total: int | None = None


class _Data(msgspec.Struct):
    data: list[msgspec.Raw] | None


_ORDERS = msgspec.json.Decoder(_Orders)
_LIST = msgspec.json.Decoder(_Data | list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one response; ``total`` is how many the whole window has, where the vendor says so."""

    records: Sequence[str]
    total: int | None


def read_orders(body: bytes, *, path: str, page: int) -> Page:
    """Read a page of orders; ``VendorError`` names page and path when it is not one."""
    try:
        envelope = _ORDERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _malformed(path, page) from None
    return Page([_text(record) for record in envelope.orders or ()], envelope.total)


def read_list(body: bytes, *, path: str, page: int) -> Page:
    """Read a list in either envelope; ``VendorError`` names page and path when it is none."""
    try:
        envelope = _LIST.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _malformed(path, page) from None
    records = envelope.data if isinstance(envelope, _Data) else envelope
    return Page([_text(record) for record in records or ()], None)


def _text(record: msgspec.Raw) -> str:
    # One record with broken UTF-8 must not stop all others; staging sees the replacement character.
    return bytes(record).decode("utf-8", errors="replace")


def _malformed(path: str, page: int) -> VendorError:
    return VendorError(
        f"Flowhub's answer to {path} (page {page}) is not the list it should be",
        "nothing of it was landed and the cursor stays: the next pull asks again. "
        "If it lasts, report the path to Flowhub",
    )
