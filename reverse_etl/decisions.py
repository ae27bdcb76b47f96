"""The landed decisions of the warehouse, read as what the ledger takes in: the outbox of design and docs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from extractors.landing.records import LandedRecord
from extractors.landing.tombstone import is_tombstone
from perennial.errors import PerennialError
from reverse_etl.addresses import Channel


class DecisionError(PerennialError):
    """A landed decision can't be read."""


class Intent(msgspec.Struct, frozen=True):
    """What is to be sent, as the warehouse decided it: an enrollment, or an order for the till (kind ``order``)."""

    enrollment_id: str
    flow_name: str
    customer_id: str
    triggered_at: datetime
    enrolled_at: datetime
    channels: list[Channel]
    destination: str
    kind: Literal["marketing", "transactional", "order"]  # what the warehouse decides; see kinds.py
    flow_display_name: str
    recipient: dict[str, str | None]
    context: dict[str, Any]
    not_before: datetime | None = None
    expires_at: datetime | None = None
    places: list[str] | None = None  # whose quiet hours bind it
    watch: list[str] | None = None  # keys of what may turn before its call (int_enrollment_watch)


class Decision(msgspec.Struct, frozen=True, tag="decision", tag_field="kind"):
    """A decision; only one that enrolls, live, is sent."""

    outcome: str
    mode: str
    build_no: int
    enrollment: Intent | None = None


class OrderPush(msgspec.Struct, frozen=True, tag="order_push", tag_field="kind"):
    """A decision about a confirmed order; one that is refused brings nothing to send."""

    verdict: str
    build_no: int
    enrollment: Intent | None = None


class Exit(msgspec.Struct, frozen=True, tag="exit", tag_field="kind"):
    """The warehouse's word that an enrollment has ended."""

    enrollment_id: str
    exited_at: datetime
    reason: str


_DECODER: msgspec.json.Decoder[Decision | OrderPush | Exit] = msgspec.json.Decoder(
    Decision | OrderPush | Exit
)


def read_decision(record: LandedRecord) -> Decision | OrderPush | Exit | None:
    """Read one landed decision; None where it was about a person who is erased.

    ``DecisionError`` names its place and the field, never a value.
    """
    if is_tombstone(record.payload):
        return None
    try:
        return _DECODER.decode(record.payload)
    except msgspec.ValidationError as error:
        said = str(error)
    except msgspec.DecodeError:
        said = "not JSON"
    raise DecisionError(
        f"decision in landed batch {record.seq}, row {record.row_no}, can't be read: {said}",
        "nothing after it is sent and nothing is lost; build with the same version of Perennial that pushes",
    )


def to_send(decision: Decision | OrderPush) -> Intent | None:
    """Return what is to be sent; None for what was skipped or refused, or decided in a dry run."""
    if isinstance(decision, OrderPush):
        return decision.enrollment if decision.verdict == "push" else None
    if decision.outcome != "enrolled" or decision.mode != "live":
        return None
    return decision.enrollment


def object_ids(context: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the cart and the order that an enrollment is about, as text."""
    cart_id, order_id = (context.get(key) for key in ("cart_id", "order_id"))
    return (None if cart_id is None else str(cart_id), None if order_id is None else str(order_id))
