"""Rows of the ledger as destinations are given them, without a ledger."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from reverse_etl.addresses import Channel
from reverse_etl.kinds import EXIT, OPT_OUT
from reverse_etl.ledger.rows import Enrollment
from reverse_etl.states import Status
from tests.reverse_etl.scene import NOON

BOTH: Sequence[Channel] = ("sms", "email")


def row(number: int = 7, kind: str = "marketing", **changes: Any) -> Enrollment:
    """Return an enrollment of a cart, its end, or the closed address of a person."""
    values: dict[str, Any] = {
        "ledger_id": number,
        "enrollment_id": f"d{number:06d}",
        "destination": "klaviyo",
        "flow_name": "cart_abandoned_recovery",
        "flow_display_name": "Cart abandoned recovery",
        "kind": kind,
        "customer_id": f"c_{number}",
        "channels": BOTH,
        "recipient": {
            "email": f"ann{number}@example.com",
            "phone": f"+1303555{number:04d}",
            "flowhub_customer_id": f"fh-{number}",
        },
        "context": {"cart_id": str(number), "cart_total": 41.8},
        "cart_id": str(number),
        "order_id": None,
        "triggered_at": NOON,
        "not_before": None,
        "expires_at": NOON + timedelta(minutes=30),
        "places": ["CO America/Denver"],
        "watch": None,
        "decided_upto": 1,
        "status": Status.PENDING,
        "attempts": 0,
        "claimed_by": None,
        "claimed_until": None,
        "frozen": None,
        "first_attempt_at": None,
    }
    if kind == EXIT:
        values |= {"enrollment_id": f"d{number:06d}:exit", "context": {"reason": "bought"}}
    return Enrollment(**{**values, **changes})


def closed(channel: Channel, number: int = 7) -> Enrollment:
    """Return the closed address of a channel: nothing else of the person is known."""
    known = row(number)
    name = "phone" if channel == "sms" else "email"
    context = {"channel": channel, "reason": "unsubscribed", "said_at": "2026-03-15T17:59:58Z"}
    return row(
        number,
        OPT_OUT,
        enrollment_id=f"opt_out:{channel}:{number}",
        flow_name="opt_out",
        flow_display_name="Opt-out",
        channels=(channel,),
        recipient={name: known.address(channel)},
        context=context,
        cart_id=None,
        expires_at=None,
    )
