"""Reads a page of a JSON:API list into records, each part kept as the text that came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import msgspec

from extractors.pulled import content_hash
from perennial.errors import VendorError


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the account; ``text`` is the resource as it came."""

    metric_id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event with what was included: ``text`` is the record's payload, ``hash`` tells its versions apart.

    The profile is not part of the hash: it is that of the reading, and changes with every later event.
    """

    event_id: str
    hash: str
    at: datetime | None
    text: str

    @property
    def source_key(self) -> str:
        """The key of this version of the event."""
        return f"{self.event_id}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Page:
    """The events of one response, and the cursor of the next page; None behind the last one."""

    events: Sequence[Event]
    next_cursor: str | None


class _Ref(msgspec.Struct):
    id: str | None = None


class _Related(msgspec.Struct):
    data: _Ref | None = None


class _Relationships(msgspec.Struct):
    profile: _Related | None = None


class _Attributes(msgspec.Struct):
    datetime: str | None = None
    name: str | None = None


class _Resource(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    attributes: _Attributes | None = None
    relationships: _Relationships | None = None


class _Links(msgspec.Struct):
    next: str | None = None


class _Document(msgspec.Struct):
    data: list[msgspec.Raw]
    included: list[msgspec.Raw] = []
    links: _Links | None = None


_DOCUMENT = msgspec.json.Decoder(_Document)
_RESOURCE = msgspec.json.Decoder(_Resource)


def read_metrics(body: bytes, path: str) -> tuple[list[Metric], str | None]:
    """Return the metrics of a page that have a name, and the cursor of the next page."""
    document = _document(body, path)
    metrics = []
    for raw in document.data:
        text = _text(raw)
        found = _resource(raw)
        name = found.attributes.name if found.attributes else None
        if found.id and name:
            metrics.append(Metric(found.id, name, text))
    return metrics, _cursor(document)


def read_events(body: bytes, path: str, metric: Metric) -> Page:
    """Return the events of a page, all of one metric, with the profiles that came with them."""
    document = _document(body, path)
    included: dict[tuple[str | None, str | None], str] = {}
    for raw in document.included:
        found = _resource(raw)
        included[(found.type, found.id)] = _text(raw)
    metric_text = included.get(("metric", metric.metric_id), metric.text)
    return Page([_event(raw, metric_text, included) for raw in document.data], _cursor(document))


def _event(raw: msgspec.Raw, metric: str, included: dict[tuple[str | None, str | None], str]) -> Event:
    text = _text(raw)
    found = _resource(raw)
    profile = None
    if found.relationships and found.relationships.profile and found.relationships.profile.data:
        profile = included.get(("profile", found.relationships.profile.data.id))
    # An event that came without its profile is another version of it once the profile comes too.
    digest = content_hash(text if profile else f"{text} without profile")
    payload = f'{{"event":{text},"metric":{metric},"profile":{profile or "null"}}}'
    at = _instant(found.attributes.datetime if found.attributes else None)
    return Event(found.id or f"no-id:{digest}", digest, at, payload)


def _document(body: bytes, path: str) -> _Document:
    try:
        return _DOCUMENT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise VendorError(
            f"Klaviyo's answer to {path} is not the list it should be",
            "nothing of it was landed and the cursor stays: the next pull asks again. "
            "If it lasts, report the path to Klaviyo",
        ) from None


def _resource(raw: msgspec.Raw) -> _Resource:
    """Read what a resource is; one that can't be read has no name, and lands all the same."""
    try:
        return _RESOURCE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Resource()


def _text(raw: msgspec.Raw) -> str:
    # One record with broken UTF-8 must not stop all others; staging sees the replacement character.
    return bytes(raw).decode("utf-8", errors="replace")


def _cursor(document: _Document) -> str | None:
    """Take the cursor out of the link: the address in it is not followed, since the key would go there too."""
    link = document.links.next if document.links else None
    return parse_qs(urlsplit(link).query).get("page[cursor]", [None])[0] if link else None


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else None
