"""Klaviyo's reading end: the metrics and events that OMNI wrote there, with the profiles it keeps up to date.

After Klaviyo's OpenAPI description (revision 2026-07-15): JSON:API, ``filter``, ``sort=datetime``, ``include``,
cursor paging by ``links.next``, 1 to 1,000 events a page (200 unless asked). OMNI writes most of what it sends through
Shopify Flow, some only here and some only there. An event is to be seen some seconds after it happened, a few
only after half an hour or a day: Klaviyo queues what it takes.

Not known of the real one, and so chosen here: metrics come in pages of eight, and a cursor is good for a day.
"""

import base64
import binascii
import bisect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from perennial.clock import Clock
from sandbox.world.ids import DAY, MINUTE, SECOND, digest, from_us, number, to_us, uid
from sandbox.world.world import Emission

METRICS_A_PAGE = 8
EVENTS_A_PAGE = 200
MOST_EVENTS_A_PAGE = 1000
CURSOR_GOOD_FOR = DAY
OTHER_METRICS = ("Active on Site", "Clicked Email", "Opened Email", "Placed Order", "Received Email")
_ONE_IN_SO_MANY_BY_FLOW_ONLY = 12
_DELAYS = ((85, 20 * SECOND), (97, 25 * MINUTE), (100, 26 * 60 * MINUTE))
_CONDITION = re.compile(r"(equals|greater-or-equal|greater-than|less-or-equal|less-than)\((\w+),([^()]+)\)")
_OTHER_HOST = "https://a.klaviyo.com"


class BadParameterError(ValueError):
    """A parameter of the request that the vendor refuses."""

    def __init__(self, parameter: str, detail: str) -> None:
        """Say which and why."""
        super().__init__(detail)
        self.parameter, self.detail = parameter, detail


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request for events asks for."""

    metric_id: str | None
    since: int
    until: int
    descending: bool
    include: Sequence[str]
    profile_fields: Sequence[str] | None
    size: int
    after: tuple[int, str] | None


class LoyaltyBook:
    """What OMNI has written to Klaviyo, by the clock."""

    def __init__(self, emissions: Sequence[Emission], clock: Clock) -> None:
        """Take OMNI's share of the world's emissions."""
        self._clock = clock
        entries: dict[str, Entry] = {}
        for emission in emissions:
            if emission.vendor == "klaviyo" or (emission.vendor == "omni" and _is_written(emission.body)):
                entry = _entry(json.loads(emission.body))
                entries.setdefault(entry.event_id, entry)
        self._entries = sorted(entries.values(), key=lambda one: (one.at, one.event_id))
        names = [*OTHER_METRICS, *sorted({entry.metric for entry in self._entries})]
        self.metric_ids = {name: metric_id(name) for name in names}
        self._of_profile: dict[str, list[Entry]] = {}
        for entry in self._entries:
            self._of_profile.setdefault(entry.profile, []).append(entry)

    def metrics(self, base: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of the account's metrics."""
        cursor = params.get("page[cursor]")
        start = int(self._opened(cursor)["start"]) if cursor else 0
        names = list(self.metric_ids)
        page = names[start : start + METRICS_A_PAGE]
        links = {"self": _address(base, params)}
        if start + METRICS_A_PAGE < len(names):
            following = self._closed({"start": start + METRICS_A_PAGE})
            links["next"] = _address(base, {**params, "page[cursor]": following})
        return {"data": [_metric(name) for name in page], "links": links}

    def events(self, base: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of events, with what is to be included."""
        wanted = self._wanted(params)
        now = to_us(self._clock.now())
        name = next((name for name, known in self.metric_ids.items() if known == wanted.metric_id), None)
        found = [
            entry
            for entry in self._entries
            if wanted.since <= entry.at <= wanted.until
            and entry.shown_from <= now
            and (wanted.metric_id is None or entry.metric == name)
        ]
        if wanted.descending:
            found.reverse()
        if wanted.after is not None:
            place = [(entry.at, entry.event_id) for entry in found]
            found = (
                [entry for entry, key in zip(found, place, strict=True) if key < wanted.after]
                if wanted.descending
                else found[bisect.bisect_right(place, wanted.after) :]
            )
        page = found[: wanted.size]
        links = {"self": _address(base, params)}
        if len(found) > wanted.size:
            last = page[-1]
            following = self._closed({"at": last.at, "id": last.event_id})
            links["next"] = _address(base, {**params, "page[cursor]": following})
        document: dict[str, Any] = {"data": [_event(entry) for entry in page], "links": links}
        if wanted.include:
            document["included"] = self._included(page, wanted, now)
        return document

    def _included(self, page: Sequence[Entry], wanted: Wanted, now: int) -> list[dict[str, Any]]:
        included = []
        if "metric" in wanted.include:
            included += [_metric(name) for name in sorted({entry.metric for entry in page})]
        if "profile" in wanted.include:
            for key in dict.fromkeys(entry.profile for entry in page):
                attributes = self._profile(key, now)
                if wanted.profile_fields is not None:
                    attributes = {
                        name: value for name, value in attributes.items() if name in wanted.profile_fields
                    }
                profile = profile_id(key)
                self_link = {"self": f"{_OTHER_HOST}/api/profiles/{profile}/"}
                included.append(
                    {"type": "profile", "id": profile, "attributes": attributes, "links": self_link}
                )
        return included

    def _profile(self, key: str, now: int) -> dict[str, Any]:
        """Return a profile as it is now: what the last event that was taken said of it."""
        taken = [entry for entry in self._of_profile[key] if entry.shown_from <= now]
        attributes = dict(max(taken, key=lambda one: (one.at, one.event_id)).attributes)
        return {"first_name": None, "last_name": None, "external_id": None, **attributes}

    def _wanted(self, params: Mapping[str, str]) -> Wanted:
        sort = params.get("sort", "-datetime")
        if sort.lstrip("-") not in {"datetime", "timestamp"}:
            raise BadParameterError("sort", "Events can be sorted by datetime or timestamp.")
        size = params.get("page[size]", str(EVENTS_A_PAGE))
        if not size.isdigit() or not 1 <= int(size) <= MOST_EVENTS_A_PAGE:
            raise BadParameterError("page[size]", f"Must be between 1 and {MOST_EVENTS_A_PAGE}.")
        include = [name for name in params.get("include", "").split(",") if name]
        if set(include) - {"metric", "profile", "attributions"}:
            raise BadParameterError("include", "Events include metric, profile and attributions.")
        cursor = params.get("page[cursor]")
        opened = self._opened(cursor) if cursor else None
        fields = params.get("fields[profile]")
        metric, since, until = _read_filter(params.get("filter", ""))
        return Wanted(
            metric_id=metric,
            since=since,
            until=until,
            descending=sort.startswith("-"),
            include=include,
            profile_fields=fields.split(",") if fields else None,
            size=int(size),
            after=(int(opened["at"]), str(opened["id"])) if opened else None,
        )

    def _closed(self, place: Mapping[str, Any]) -> str:
        told = {**place, "made": to_us(self._clock.now())}
        return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()

    def _opened(self, cursor: str) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            is_old = to_us(self._clock.now()) - int(told["made"]) > CURSOR_GOOD_FOR
        except (binascii.Error, ValueError, KeyError, TypeError):
            is_old = True
        if is_old:
            raise BadParameterError("page[cursor]", "The cursor is invalid or has expired.")
        return told


def metric_id(name: str) -> str:
    """Return the id of a metric: six letters and digits."""
    return digest("metric", name)[:6].upper()


def profile_id(key: str) -> str:
    """Return the id of a profile."""
    return digest("profile", key)[:26].upper()


def _is_written(body: str) -> bool:
    """Tell whether OMNI writes to Klaviyo what it sends through Flow."""
    return number("by flow only", json.loads(body)["event_id"]) % _ONE_IN_SO_MANY_BY_FLOW_ONLY != 0


def _entry(told: Mapping[str, Any]) -> Entry:
    unique_id = str(told["event_id"])
    at = to_us(datetime.fromisoformat(told["occurred_at"])) // SECOND * SECOND
    customer = told["customer"]
    lateness = number("late", unique_id) % 100
    delay = next(delay for share, delay in _DELAYS if lateness < share)
    attributes = {
        "email": customer["email"],
        "phone_number": customer["phone"],
        "properties": told["profile"],
    }
    return Entry(
        at=at,
        event_id=digest("klaviyo event", unique_id)[:11],
        shown_from=at + delay,
        metric=str(told["event"]),
        profile=str(customer["email"] or customer["phone"]),
        properties={**told["properties"], "$event_id": unique_id},
        attributes=attributes,
    )


def _event(entry: Entry) -> dict[str, Any]:
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


def _metric(name: str) -> dict[str, Any]:
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


def _read_filter(text: str) -> tuple[str | None, int, int]:
    """Return metric id and the first and last instant of a filter: conditions with commas between them."""
    metric, since, until = None, 0, to_us(datetime(9999, 1, 1, tzinfo=UTC))
    rest = text
    while rest:
        condition = _CONDITION.match(rest)
        if condition is None:
            raise BadParameterError("filter", "Invalid filter provided. Verify your parentheses match.")
        operator, name, value = condition.groups()
        if name == "metric_id" and operator == "equals":
            metric = value.strip("\"'")
        elif name == "datetime" and operator != "equals":
            since, until = _narrowed(operator, value, since, until)
        else:
            raise BadParameterError("filter", f"'{operator}' is no filter of '{name}'.")
        rest = rest[condition.end() :]
        if rest and not rest.startswith(","):
            raise BadParameterError("filter", "Invalid filter provided. Verify your parentheses match.")
        rest = rest.removeprefix(",")
    return metric, since, until


def _narrowed(operator: str, value: str, since: int, until: int) -> tuple[int, int]:
    try:
        instant = to_us(datetime.fromisoformat(value))
    except (ValueError, TypeError):
        raise BadParameterError("filter", "A datetime is ISO 8601 with a zone.") from None
    if operator.startswith("greater"):
        return max(since, instant + (operator == "greater-than")), until
    return since, min(until, instant - (operator == "less-than"))


def _address(base: str, params: Mapping[str, str]) -> str:
    return f"{base}?{urlencode(params)}" if params else base
