"""A vendor that does what a test wants: a real HTTP server on loopback over lists that the test may change.

The sandbox's Flowhub is faithful; this one is not. It serves what the sandbox never would: shorter pages than
asked for, broken JSON, records without ids, sets that shrink between two pages.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.extractors.pulling import Reply, answering

LOCATION: dict[str, Any] = {"locationId": "loc-1", "importId": "imp-1", "locationName": "Colfax"}
Answer = tuple[int, bytes]


@dataclass
class Vendor:
    """The lists, what to answer first instead, and every request that came: ``(path, parameters)``."""

    url: str = ""
    locations: list[Any] = field(default_factory=lambda: [LOCATION])
    items: list[Any] = field(default_factory=list)
    customers: list[Any] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    longest_page: int = 1_000
    bare_customers: bool = False
    answers_first: list[Answer] = field(default_factory=list)
    before: Callable[[str, dict[str, str]], Answer | None] = lambda _path, _params: None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)

    def answer(self, path: str, params: dict[str, str]) -> Answer:
        """Return status and body of one request."""
        self.requests.append((path, params))
        if self.answers_first:
            return self.answers_first.pop(0)
        return self.before(path, params) or self.usual(path, params)

    def usual(self, path: str, params: dict[str, str]) -> Answer:
        """Return what is served when a test wants nothing special."""
        match path:
            case "/v0/clientsLocations":
                return _json({"status": 200, "data": self.locations})
            case "/v0/inventoryByRooms" | "/v0/inventory":
                return _json({"status": 200, "data": self.items})
            case "/v1/customers/":
                page = self.page(self.customers, params)
                return _json(page if self.bare_customers else {"data": page})
            case "/v1/orders/findByLocationId/imp-1":
                return _json({"total": len(self.orders), "orders": self.page(self.orders, params)})
        return 404, b'{"error": "not found"}'

    def page(self, rows: list[Any], params: dict[str, str]) -> list[Any]:
        """Return a page, never longer than this vendor likes."""
        size = min(int(params["page_size"]), self.longest_page)
        start = (int(params["page"]) - 1) * size
        return rows[start : start + size]

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the parameters of each request to a path."""
        return [params for asked, params in self.requests if asked == path]


@contextmanager
def running(vendor: Vendor) -> Iterator[Vendor]:
    """Serve a vendor on a free port until the block ends."""

    def asked(path: str, params: dict[str, str], headers: dict[str, str]) -> Reply:
        status, body = vendor.answer(path, params)
        vendor.bearers.append(headers.get("authorization", "").removeprefix("Bearer "))
        return status, body, {}

    with answering(asked) as vendor.url:
        yield vendor


def _json(value: object) -> Answer:
    return 200, json.dumps(value).encode()
