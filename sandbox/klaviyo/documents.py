"""Events, metrics and profiles as Klaviyo shows them (JSON:API)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sandbox.world.ids import SECOND, digest, from_us, uid

_OTHER_HOST = "https://a.klaviyo.com"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as Klaviyo keeps it; ``shown_from`` is when it can be read."""

    at: int
    event_id: str
    shown_from: int
    metric: str
    profile: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]


def metric_id(name: str) -> str:
    """Return the id of a metric: six letters and digits."""
    return digest("metric", name)[:6].upper()


def profile_id(key: str) -> str:
    """Return the id of a profile."""
    return digest("profile", key)[:26].upper()


def event_of(entry: Entry) -> dict[str, Any]:
    """Return an event."""
    metric, profile = metric_id(entry.metric), profile_id(entry.profile)
    own = f"{_OTHER_HOST}/api/events/{entry.event_id}"

    def related(kind: str, resource: str) -> dict[str, Any]:
        links = {"self": f"{own}/relationships/{kind}/", "related": f"{own}/{kind}/"}
        return {"data": {"type": kind, "id": resource}, "links": links}

    return {
        "type": "event",
        "id": entry.event_id,
        "attributes": {
            "timestamp": entry.at // SECOND,
            "event_properties": entry.properties,
            "datetime": f"{from_us(entry.at):%Y-%m-%dT%H:%M:%S}+00:00",
            "uuid": uid("klaviyo", entry.event_id),
        },
        "relationships": {"profile": related("profile", profile), "metric": related("metric", metric)},
        "links": {"self": f"{own}/"},
    }


def metric_of(name: str) -> dict[str, Any]:
    """Return a metric."""
    known = metric_id(name)
    return {
        "type": "metric",
        "id": known,
        "attributes": {
            "name": name,
            "created": "2016-01-04T09:00:00+00:00",
            "updated": "2016-01-04T09:00:00+00:00",
            "integration": {"object": "integration", "name": "API", "category": "API"},
        },
        "links": {"self": f"{_OTHER_HOST}/api/metrics/{known}/"},
    }


def profile_of(key: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile."""
    profile = profile_id(key)
    self_link = {"self": f"{_OTHER_HOST}/api/profiles/{profile}/"}
    return {"type": "profile", "id": profile, "attributes": attributes, "links": self_link}


def address(base: str, params: Mapping[str, str]) -> str:
    """Return a link to a page."""
    return f"{base}?{urlencode(params)}" if params else base
