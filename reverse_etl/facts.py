"""What landed records say that may stop a call: pure readers, one a stream.

A record that can't be read gives no fact; the warehouse quarantines it with its reason. Addresses leave this
module as hashes, and in clear only where destinations are to be told that they are closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from extractors.landing.records import LandedRecord
from perennial.salt import Salt
from reverse_etl.addresses import CHANNELS, Channel, address_hash, normalise
from reverse_etl.values import epoch, instant, text

CartFact = Literal["purchased", "fulfilled", "canceled", "at_pos"]

# An opt-out, a complaint or a bounce holds until the person's own later opt-in lifts it.
_UNWELCOME = frozenset({"stop", "unsubscribed", "bounced", "complained", "opted_out"})
_WELCOME = "opted_in"
_CONSENT_EVENT = "customer_optin_status_changed"
_OPT_IN_EVENT = "marketing_opted_in"  # it says no status: its name is the status

_FULFILLED = frozenset({"delivery_finished", "finished", "finished_without_review", "with_review"})
_PURCHASED = frozenset(
    {
        *_FULFILLED,
        "verification",
        "staff_member_review",
        "preparing",
        "ready_for_pickup",
        "delivery_started",
    }
)
_CHANNELS: Mapping[str, Channel] = {channel: channel for channel in CHANNELS}
_CANCELED = frozenset({"cancelled", "dismissed"})


@dataclass(frozen=True, slots=True)
class Word:
    """Someone's word about an address: no more messages to it, or messages again."""

    channel: Channel
    address_hash: str
    is_unwelcome: bool
    reason: str
    said_at: datetime
    seq: int
    landed_at: datetime
    address: str | None = field(default=None, repr=False)

    @property
    def is_opt_out(self) -> bool:
        """Whether somebody said no, which every destination has to hear; a bounce each finds out by itself."""
        return self.is_unwelcome and self.address is not None and self.reason != "bounced"


@dataclass(frozen=True, slots=True)
class CartNews:
    """What became of a cart, under each id that it is known by; ``buyer`` is the account whose it is, if it says."""

    cart_ids: tuple[str, ...]
    facts: tuple[CartFact, ...]
    seq: int
    at: datetime
    buyer: str


def feedback_word(record: LandedRecord, salt: Salt) -> Word | None:
    """Read a report of the messaging system; None when it is no word about an address (opened, clicked …)."""
    event = _object(record.payload)
    return _word(record, salt, event.get("type"), event, event.get("occurred_at"))


def consent_word(record: LandedRecord, salt: Salt) -> Word | None:
    """Read what a partner says of a customer's consent; None for every other event."""
    event = _object(record.payload)
    name = event.get("event_name")
    if name not in {_CONSENT_EVENT, _OPT_IN_EVENT}:
        return None
    told = {**_mapping(event.get("customer")), **_mapping(event.get("properties"))}
    said = _WELCOME if name == _OPT_IN_EVENT else told.get("status")
    return _word(record, salt, said, told, event.get("occurred_at"))


def shopify_word(record: LandedRecord, salt: Salt) -> Word | None:
    """Read Shopify's two consent topics; None for every other webhook."""
    body = _object(record.payload)
    topic = record.headers.get("X-Shopify-Topic", "").lower()
    if topic == "customers_email_marketing_consent/update":
        consent = _mapping(body.get("email_marketing_consent"))
        told = {"channel": "email", "address": body.get("email_address")}
    elif topic == "customers_marketing_consent/update":
        consent = _mapping(body.get("sms_marketing_consent"))
        told = {"channel": "sms", "address": body.get("phone")}
    else:
        return None
    said = {"subscribed": _WELCOME, "unsubscribed": "opted_out"}.get(text(consent.get("state")).lower())
    return _word(record, salt, said, told, consent.get("consent_updated_at"))


@dataclass(frozen=True, slots=True)
class Erased:
    """An address of someone who was erased; written with the salt that ``salt_id`` names."""

    word: Word
    salt_id: str


def erasure_word(record: LandedRecord) -> Erased | None:
    """Read a row of an erasure; None where it is about no address."""
    told = _object(record.payload)
    channel = _CHANNELS.get(text(told.get("channel")))
    if told.get("kind") != "address" or channel is None:
        return None
    word = Word(
        channel,
        text(told.get("hash")),
        is_unwelcome=True,
        reason="erased",
        said_at=instant(told.get("erased_at")) or record.received_at,
        seq=record.seq,
        landed_at=record.received_at,
    )
    return Erased(word, text(told.get("salt_id")))


def cart_news(record: LandedRecord) -> CartNews | None:
    """Read a Jane cart status; None while the cart is only a cart."""
    cart = _mapping(_object(record.payload).get("cart"))
    status = text(cart.get("status")).lower()
    facts: list[CartFact] = []
    if status in _PURCHASED:
        facts.append("purchased")
    elif status in _CANCELED:
        facts.append("canceled")
    if status in _FULFILLED:
        facts.append("fulfilled")
    if text(cart.get("pos_order_id")):
        facts.append("at_pos")
    ids = tuple(text(cart.get(key)) for key in ("id", "uuid", "pos_order_id"))
    found = tuple(cart_id for cart_id in ids if cart_id)
    # the signed timestamp is the instant of the change
    at = (
        epoch(stamp := record.headers.get("X-Jane-Request-Timestamp")) or instant(stamp) or record.received_at
    )
    return CartNews(found, tuple(facts), record.seq, at, text(cart.get("user_id"))) if facts else None


def _word(
    record: LandedRecord, salt: Salt, said: object, told: Mapping[str, Any], said_at: object
) -> Word | None:
    channel = _CHANNELS.get(text(told.get("channel")).lower())
    said = text(said).lower()
    if said not in (*_UNWELCOME, _WELCOME) or channel is None:
        return None
    address = text(told.get("address") or told.get("phone" if channel == "sms" else "email"))
    if not address:
        return None
    said_when = instant(said_at) or record.received_at
    return Word(
        channel,
        address_hash(salt, channel, address),
        is_unwelcome=said != _WELCOME,
        reason=str(said),
        # a word from the future would silence every later one
        said_at=min(said_when, record.received_at),
        seq=record.seq,
        landed_at=record.received_at,
        address=normalise(channel, address),
    )


def _object(payload: str) -> Mapping[str, Any]:
    try:
        return _mapping(msgspec.json.decode(payload))
    except msgspec.DecodeError:
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
