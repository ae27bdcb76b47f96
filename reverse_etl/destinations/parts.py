"""What several destinations say of a row, in the same words."""

from collections.abc import Sequence
from datetime import UTC, datetime

from reverse_etl.addresses import Channel
from reverse_etl.ledger.rows import Enrollment

_EXIT = ":exit"


def utc_text(at: datetime) -> str:
    """Return an instant as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def identifiers(row: Enrollment, channels: Sequence[Channel]) -> dict[str, str]:
    """Return what a row's person is known by: the addresses of these channels and no other, and the till's id."""
    known = {
        "phone": row.address("sms") if "sms" in channels else None,
        "email": row.address("email") if "email" in channels else None,
        "flowhub_customer_id": row.recipient.get("flowhub_customer_id"),
    }
    return {name: value for name, value in known.items() if value}


def ended_name(row: Enrollment) -> str:
    """Return what the end of a flow is called where people see it."""
    return f"{row.flow_display_name} \N{EN DASH} ended"


def ended_enrollment(row: Enrollment) -> str:
    """Return the id of the enrollment that an exit ends."""
    return row.enrollment_id.removesuffix(_EXIT)
