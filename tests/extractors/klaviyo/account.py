"""A Klaviyo account that does what a test wants: a real HTTP server on loopback over a list that it may change.

The sandbox's Klaviyo is faithful; this one is not. It serves short pages, loops, broken JSON, refusals.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.extractors.pulling import Reply, answering

KEY = "pk_the-secret-key"


def event(number: int, at: datetime, *, profile: str | None = "P1", **properties: object) -> dict[str, Any]:
    """Return an event as Klaviyo shows it."""
    related: dict[str, Any] = {"data": {"type": "profile", "id": profile} if profile else None}
    return {
        "type": "event",
        "id": f"e{number:03}",
        "attributes": {
            "datetime": at.isoformat(),
            "timestamp": int(at.timestamp()),
            "event_properties": {"value": number, "source": "purchase", **properties},
        },
        "relationships": {"profile": related},
    }


@dataclass
class Account:
    """The events of one metric, how many are shown a page, what to answer instead, and what was asked."""

    url: str = ""
    metrics: list[str] = field(default_factory=lambda: ["Opened Email", "wv/points/added"])
    events: list[dict[str, Any]] = field(default_factory=list)
    page: int = 10
    answers_first: list[Reply] = field(default_factory=list)
    before: Callable[[str, dict[str, str]], Reply | None] = lambda _path, _params: None
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, params: dict[str, str], headers: dict[str, str]) -> Reply:
        """Return status, body and headers of one request."""
        self.requests.append((path, params, headers))
        if self.answers_first:
            return self.answers_first.pop(0)
        return self.before(path, params) or self.usual(path, params)

    def usual(self, path: str, params: dict[str, str]) -> Reply:
        """Return what is served when a test wants nothing special."""
        start = int(params.get("page[cursor]", "0"))
        rows: list[dict[str, Any]]
        if path == "/api/metrics":
            rows = [
                {"type": "metric", "id": f"M{place}", "attributes": {"name": name}}
                for place, name in enumerate(self.metrics)
            ]
            length = 1  # so that metrics are always paged
        else:
            rows = sorted(self.events, key=lambda one: (one["attributes"]["datetime"], one["id"]))
            length = self.page
        shown = rows[start : start + length]
        ids = {row.get("relationships", {}).get("profile", {}).get("data") and "P1" for row in shown}
        document: dict[str, Any] = {"data": shown, "links": {"next": None}}
        if path == "/api/events":
            contact = {"email": "dana@example.com", "properties": {"wv_point_balance": len(self.events)}}
            document["included"] = [
                {"type": "profile", "id": one, "attributes": contact} for one in sorted(filter(None, ids))
            ]
        if start + length < len(rows):
            following = quote(str(start + length))
            # another host: whoever followed the link as it stands would send the key there
            document["links"]["next"] = f"https://elsewhere.example{path}?page%5Bcursor%5D={following}"
        return 200, json.dumps(document).encode(), {}

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the parameters of each request to a path."""
        return [params for asked, params, _ in self.requests if asked == path]


@contextmanager
def running(account: Account) -> Iterator[Account]:
    """Serve an account on a free port until the block ends."""
    with answering(account.answer) as account.url:
        yield account
