"""What OMNI has written to Klaviyo, page by page, with the profiles that it keeps up to date.

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
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from perennial.clock import Clock
from sandbox.klaviyo.asked import BadParameterError, Wanted, read_request
from sandbox.klaviyo.documents import Entry, address, event_of, metric_id, metric_of, profile_of
from sandbox.world.ids import DAY, MINUTE, SECOND, digest, number, to_us
from sandbox.world.world import Emission

METRICS_A_PAGE = 8
CURSOR_GOOD_FOR = DAY
OTHER_METRICS = ("Active on Site", "Clicked Email", "Opened Email", "Placed Order", "Received Email")
_ONE_IN_SO_MANY_BY_FLOW_ONLY = 12
_DELAYS = ((85, 20 * SECOND), (97, 25 * MINUTE), (100, 26 * 60 * MINUTE))


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
        links = {"self": address(base, params)}
        if start + METRICS_A_PAGE < len(names):
            following = self._closed({"start": start + METRICS_A_PAGE})
            links["next"] = address(base, {**params, "page[cursor]": following})
        return {"data": [metric_of(name) for name in page], "links": links}

    def events(self, base: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of events, with what is to be included."""
        wanted = read_request(params, self._opened)
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
        links = {"self": address(base, params)}
        if len(found) > wanted.size:
            last = page[-1]
            following = self._closed({"at": last.at, "id": last.event_id})
            links["next"] = address(base, {**params, "page[cursor]": following})
        document: dict[str, Any] = {"data": [event_of(entry) for entry in page], "links": links}
        if wanted.include:
            document["included"] = self._included(page, wanted, now)
        return document

    def _included(self, page: Sequence[Entry], wanted: Wanted, now: int) -> list[dict[str, Any]]:
        included = []
        if "metric" in wanted.include:
            included += [metric_of(name) for name in sorted({entry.metric for entry in page})]
        if "profile" in wanted.include:
            for key in dict.fromkeys(entry.profile for entry in page):
                attributes = self._profile(key, now)
                if wanted.profile_fields is not None:
                    attributes = {
                        name: value for name, value in attributes.items() if name in wanted.profile_fields
                    }
                included.append(profile_of(key, attributes))
        return included

    def _profile(self, key: str, now: int) -> dict[str, Any]:
        """Return a profile as it is now: what the last event that was taken said of it."""
        taken = [entry for entry in self._of_profile[key] if entry.shown_from <= now]
        attributes = dict(max(taken, key=lambda one: (one.at, one.event_id)).attributes)
        return {"first_name": None, "last_name": None, "external_id": None, **attributes}

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
