"""What is sent to Klaviyo, read and checked: events, jobs, profiles, deletions; a refusal points into the body.

After its OpenAPI description (revision 2026-07-15).
"""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sandbox.klaviyo.refused import Refused

MOST_PROPERTIES = 400
MOST_BYTES_OF_A_TEXT = 100 * 1024
MOST_EVENTS_OF_A_JOB = 1000
MOST_SUPPRESSED = 100
LONGEST_METRIC = 127
FIRST_YEAR = 1990
JOBS_EVENTS = "/data/attributes/events-bulk-create/data"
IDENTIFIERS = ("email", "phone_number", "external_id", "anonymous_id", "_kx")
_E164 = re.compile(r"\+[1-9]\d{7,14}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Event(msgspec.Struct, frozen=True):
    """What of an event decides whether it is recorded."""

    profile: str
    metric: str
    unique_id: str


def read_event(value: object, pointer: str) -> Event:
    """Check an event with its profile; ``Refused`` names the place."""
    data = typed(value, "event", pointer)
    attributes = as_object(data.get("attributes"), f"{pointer}/attributes")
    where = f"{pointer}/attributes"
    holder = as_object(attributes.get("profile"), f"{where}/profile")
    profile = read_profile(holder.get("data"), f"{where}/profile/data")
    metric, unique_id = _event_attributes(attributes, where)
    return Event(identity(profile), metric, unique_id)


def read_job(value: object) -> list[Event]:
    """Check a bulk job; a ``unique_id`` that comes twice for a profile and metric fails the whole job."""
    data = typed(value, "event-bulk-create-job", "/data")
    where = "/data/attributes/events-bulk-create"
    groups = as_object(
        as_object(data.get("attributes"), "/data/attributes").get("events-bulk-create"), where
    ).get("data")
    if not isinstance(groups, list):
        raise Refused("A list is required here.", f"{where}/data")
    events: list[Event] = []
    for place, group in enumerate(groups):
        at = f"{where}/data/{place}"
        attributes = as_object(typed(group, "event-bulk-create", at).get("attributes"), f"{at}/attributes")
        holder = as_object(attributes.get("profile"), f"{at}/attributes/profile")
        profile = identity(read_profile(holder.get("data"), f"{at}/attributes/profile/data"))
        own = as_object(attributes.get("events"), f"{at}/attributes/events").get("data")
        for number, one in enumerate(own if isinstance(own, list) else []):
            inner = f"{at}/attributes/events/data/{number}"
            body = as_object(typed(one, "event", inner).get("attributes"), f"{inner}/attributes")
            metric, unique_id = _event_attributes(body, f"{inner}/attributes")
            event = Event(profile, metric, unique_id)
            if event in events:
                raise Refused(
                    "unique_id is repeated for the same profile and metric.", f"{inner}/attributes/unique_id"
                )
            events.append(event)
    if not 1 <= len(events) <= MOST_EVENTS_OF_A_JOB:
        raise Refused(f"A job takes 1 to {MOST_EVENTS_OF_A_JOB} events.", f"{where}/data")
    return events


def _event_attributes(attributes: dict[str, Any], where: str) -> tuple[str, str]:
    """Return metric name and unique id (without one: the time, cut to the second)."""
    properties = as_object(attributes.get("properties"), f"{where}/properties")
    if len(properties) > MOST_PROPERTIES:
        raise Refused(f"An event has at most {MOST_PROPERTIES} properties.", f"{where}/properties")
    for key, text in properties.items():
        if isinstance(text, str) and len(text.encode()) > MOST_BYTES_OF_A_TEXT:
            raise Refused("A text is too long.", f"{where}/properties/{key}")
    metric = typed(
        as_object(attributes.get("metric"), f"{where}/metric").get("data"), "metric", f"{where}/metric/data"
    )
    name = as_object(metric.get("attributes"), f"{where}/metric/data/attributes").get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_METRIC:
        raise Refused("A metric's name has 1 to 127 characters.", f"{where}/metric/data/attributes/name")
    value = attributes.get("value")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Refused("'value' must be a number.", f"{where}/value")
    time = _time(attributes.get("time"), f"{where}/time")
    unique_id = attributes.get("unique_id")
    if unique_id is not None and not isinstance(unique_id, str):
        raise Refused("'unique_id' must be a string.", f"{where}/unique_id")
    return name, unique_id or time


def _time(value: object, pointer: str) -> str:
    if value is None:
        return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise Refused("'time' must be an ISO 8601 date and time.", pointer) from None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if aware.year < FIRST_YEAR or aware > datetime.now(UTC) + timedelta(days=365):
        raise Refused("'time' must lie between 1990 and a year from now.", pointer)
    return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def read_profile(value: object, pointer: str) -> dict[str, Any]:
    """Check a profile; return its attributes, with its id among them where one is given."""
    data = typed(value, "profile", pointer)
    attributes = dict(as_object(data.get("attributes"), f"{pointer}/attributes"))
    if isinstance(data.get("id"), str):
        attributes["id"] = data["id"]
    if not any(attributes.get(name) for name in ("id", *IDENTIFIERS)):
        raise Refused(f"One of {', '.join(IDENTIFIERS)} is required.", f"{pointer}/attributes")
    email, phone = attributes.get("email"), attributes.get("phone_number")
    if email is not None and not EMAIL.fullmatch(str(email)):
        raise Refused("Invalid email address.", f"{pointer}/attributes/email")
    if phone is not None and not _E164.fullmatch(str(phone)):
        raise Refused(
            "Invalid phone number format (Example of a valid format: +12345678901).",
            f"{pointer}/attributes/phone_number",
        )
    return attributes


def read_deletion(value: object) -> str:
    """Check a deletion job; return what the profile is known by. It takes exactly one identifier."""
    data = typed(value, "data-privacy-deletion-job", "/data")
    where = "/data/attributes/profile"
    holder = as_object(as_object(data.get("attributes"), "/data/attributes").get("profile"), where)
    attributes = read_profile(holder.get("data"), f"{where}/data")
    if len([name for name in ("id", "email", "phone_number") if attributes.get(name)]) != 1:
        raise Refused("Exactly one of email, phone_number or id is required.", f"{where}/data/attributes")
    return identity(attributes)


def read_suppression(value: object) -> list[str]:
    """Check a suppression job; return its e-mails, of which it takes up to 100."""
    data = typed(value, "profile-suppression-bulk-create-job", "/data")
    where = "/data/attributes/profiles"
    holder = as_object(as_object(data.get("attributes"), "/data/attributes").get("profiles"), where)
    profiles = holder.get("data")
    if not isinstance(profiles, list) or not 1 <= len(profiles) <= MOST_SUPPRESSED:
        raise Refused(f"1 to {MOST_SUPPRESSED} profiles are required.", f"{where}/data")
    emails = []
    for place, profile in enumerate(profiles):
        attributes = read_profile(profile, f"{where}/data/{place}")
        if set(attributes) != {"email"}:
            raise Refused("A profile is suppressed by its e-mail.", f"{where}/data/{place}/attributes")
        emails.append(str(attributes["email"]).strip().lower())
    return emails


def identity(attributes: dict[str, Any]) -> str:
    """Return what a profile is known by: its first identifier."""
    name = next(name for name in ("id", *IDENTIFIERS) if attributes.get(name))
    return f"{name}:{str(attributes[name]).strip().lower()}"


def profile_id_of(key: str) -> str:
    """Return the id of the profile that is known by an identifier."""
    return uuid.uuid5(uuid.NAMESPACE_URL, key).hex[:26].upper()


def as_object(value: object, pointer: str) -> dict[str, Any]:
    """Return what must be an object."""
    if not isinstance(value, dict):
        raise Refused("An object is required here.", pointer or "/")
    return value


def typed(value: object, kind: str, pointer: str) -> dict[str, Any]:
    """Return what must be an object of a type."""
    found = as_object(value, pointer)
    if found.get("type") != kind:
        raise Refused(f"'type' must be '{kind}'.", f"{pointer}/type")
    return found
