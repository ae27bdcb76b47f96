"""What is sent to Klaviyo, in JSON:API: an event, a job of several, a closed address and its suppression.

The bounds are those of Klaviyo's OpenAPI document: what breaks one is refused here, where its reason is exact.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from reverse_etl.destinations.base import RefusedError
from reverse_etl.destinations.parts import utc_text
from reverse_etl.ledger.rows import Enrollment

MOST_BYTES = 5_000_000
_MOST_PROPERTIES = 400
_MOST_BYTES_OF_A_TEXT = 100_000
_LONGEST_METRIC = 127


def event(row: Enrollment, email: str, metric: str) -> Mapping[str, Any]:
    """Return a single event (create_event); raises ``RefusedError``."""
    if not 0 < len(metric) <= _LONGEST_METRIC:
        raise RefusedError(f"flow_display_name must have 1 to {_LONGEST_METRIC} characters for a metric")
    profile = {"email": email, "external_id": row.customer_id}
    return {
        "data": {
            "type": "event",
            "attributes": {
                "unique_id": row.enrollment_id,
                "time": utc_text(row.triggered_at),
                "properties": _properties(row.context),
                "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
                "profile": {"data": {"type": "profile", "attributes": profile}},
            },
        }
    }


def is_event(body: Mapping[str, Any]) -> bool:
    """Tell whether a frozen body is an event; an empty one, which tries a key, counts as one."""
    return str(body.get("data", {}).get("type", "event")) == "event"


def job(events: Sequence[Mapping[str, Any]]) -> bytes:
    """Return single events, each of another person, as the bytes of one job (bulk_create_events)."""
    groups = []
    for one in events:
        attributes = dict(one["data"]["attributes"])
        profile = attributes.pop("profile")
        own = {"data": [{"type": "event", "attributes": attributes}]}
        groups.append({"type": "event-bulk-create", "attributes": {"profile": profile, "events": own}})
    attributes = {"events-bulk-create": {"data": groups}}
    body = {"data": {"type": "event-bulk-create-job", "attributes": attributes}}
    return msgspec.json.encode(body)


def closed_address(email: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a profile that says its e-mail may not be used (create_or_update_profile)."""
    properties = {
        "perennial_email_consent": "opted_out",
        "perennial_email_opted_out_at": told.get("said_at"),
        "perennial_email_opted_out_because": told.get("reason"),
    }
    return {"data": {"type": "profile", "attributes": {"email": email, "properties": properties}}}


def suppression(profile: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the suppression of a closed address (bulk_suppress_profiles)."""
    attributes = {"email": profile["data"]["attributes"]["email"]}
    profiles = {"data": [{"type": "profile", "attributes": attributes}]}
    return {"data": {"type": "profile-suppression-bulk-create-job", "attributes": {"profiles": profiles}}}


def _properties(context: Mapping[str, Any]) -> dict[str, Any]:
    if len(context) > _MOST_PROPERTIES:
        raise RefusedError(f"the context has more than {_MOST_PROPERTIES} fields, which an event can't hold")
    for name, value in context.items():
        if isinstance(value, str) and len(value.encode()) > _MOST_BYTES_OF_A_TEXT:
            raise RefusedError(f"{name} in the context is longer than {_MOST_BYTES_OF_A_TEXT:,} bytes")
    return dict(context)
