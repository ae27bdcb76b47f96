"""What landed records say of what decisions watch: pure readers, one a stream.

Which keys a decision watches, and why, is SQL (``int_enrollment_watch``); here a record gives its own key and what it
says, and nothing else is known. A record that can't be read says nothing; the warehouse quarantines it. What a reader
sees is passing: once a build has read the record, the build's exits say what it means.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from extractors.landing.records import LandedRecord
from perennial.salt import Salt
from reverse_etl.addresses import Channel, address_hash, normalise
from reverse_etl.facts import Word
from reverse_etl.values import flag_of, instant, text

PassingFact = Literal["bought", "sold_out", "opted_out"]

BUYER, ITEM, TILL = "buyer:", "item:", "till:"
_AHEAD = timedelta(hours=24)  # as the rule `created_at_is_not_ahead`: such a record is quarantined
_CONTENT_HASH = re.compile(r":[0-9a-f]{16}$")
_CALLED_OFF = frozenset({"cancelled", "canceled", "voided"})


@dataclass(frozen=True, slots=True)
class Turn:
    """What a record says of what is watched under a key; ``takes_back`` what was said under it before.

    ``about`` is the hash of the address where it is about one: a record may say no to several, one after another.
    """

    key: str
    fact: PassingFact
    seq: int
    takes_back: bool = False
    at: datetime | None = None
    about: str | None = None

    @property
    def subject(self) -> str:
        """The key, with the address where it is about one."""
        return self.key if self.about is None else said_of(self.key, self.about)


class _Sale(msgspec.Struct, rename="camel"):
    customer_id: Any = None
    created_at: Any = None
    created_on: Any = None
    order_status: Any = None
    voided: Any = None
    original_sale_id: Any = None


class _Item(msgspec.Struct):
    quantity: Any = None


class _TillCustomer(msgspec.Struct, rename="camel"):
    id: Any = None
    email: Any = None
    phone: Any = None
    country: Any = None
    consents_to_promotional_email: Any = None
    consents_to_promotional_sms: Any = msgspec.field(default=None, name="consentsToPromotionalSMS")


_SALE = msgspec.json.Decoder(_Sale)
_ITEM = msgspec.json.Decoder(_Item)
_TILL_CUSTOMER = msgspec.json.Decoder(_TillCustomer)


def buyer_of(node: str) -> str:
    """Return the key under which a record of the identity map is watched for what she buys."""
    return f"{BUYER}{node}"


def till_of(channel: Channel, flowhub_customer_id: str) -> str:
    """Return the key under which a till's record of a customer is watched for its word about a channel."""
    return f"{TILL}{channel}:{flowhub_customer_id}"


def said_of(key: str, hashed: str) -> str:
    """Return what stands for an address, by its hash, under the key of who speaks of it."""
    return f"{key}:{hashed}"


def key_of(subject: str) -> str:
    """Return the key of a subject."""
    return subject.rpartition(":")[0] if subject.startswith(TILL) else subject


def sale(record: LandedRecord) -> Turn | None:
    """Read an order of the till; None where it is nobody's, was called off, or takes a sale back."""
    try:
        told = _SALE.decode(record.payload)
    except msgspec.DecodeError:
        return None
    at = instant(told.created_at, naive=UTC) or instant(told.created_on, naive=UTC)
    buyer = text(told.customer_id)
    if not buyer or at is None or at > record.received_at + _AHEAD:
        return None
    if text(told.original_sale_id) or flag_of(told.voided) or text(told.order_status).lower() in _CALLED_OFF:
        return None
    return Turn(buyer_of(f"flowhub_customer:{buyer}"), "bought", record.seq, at=at)


def shelf(record: LandedRecord) -> Turn | None:
    """Read an item of the inventory: whether any of it is left."""
    try:
        quantity = float(_ITEM.decode(record.payload).quantity)
    except (msgspec.DecodeError, TypeError, ValueError):
        return None
    key = _CONTENT_HASH.sub("", record.source_key or "")
    return Turn(f"{ITEM}{key}", "sold_out", record.seq, takes_back=quantity > 0)


def till_words(record: LandedRecord, salt: Salt) -> Iterator[Turn]:
    """Read what a till says of a customer's wishes: yes, or no and to which address."""
    try:
        told = _TILL_CUSTOMER.decode(record.payload)
    except msgspec.DecodeError:
        return
    customer = text(told.id)
    wishes: tuple[tuple[Channel, Any, str], ...] = (
        ("email", told.consents_to_promotional_email, text(told.email)),
        ("sms", told.consents_to_promotional_sms, text(told.phone)),
    )
    for channel, wish, address in wishes:
        flag = flag_of(wish)
        if not customer or not address or flag is None:
            continue
        about = None if flag else address_hash(salt, channel, address, text(told.country))
        yield Turn(till_of(channel, customer), "opted_out", record.seq, takes_back=flag, about=about)


def refused_at_till(record: LandedRecord, channel: Channel, salt: Salt) -> Word | None:
    """Read the address that a till's record closed, as a build has said; None where the record is erased."""
    try:
        told = _TILL_CUSTOMER.decode(record.payload)
    except msgspec.DecodeError:
        return None
    address, country = text(told.phone if channel == "sms" else told.email), text(told.country)
    if not address:
        return None
    return Word(
        channel,
        address_hash(salt, channel, address, country),
        is_unwelcome=True,
        reason="opted_out",
        said_at=record.received_at,
        seq=record.seq,
        landed_at=record.received_at,
        address=normalise(channel, address, country),
    )
