"""A Klaviyo account that does what a test wants: a real HTTP server on loopback over a list that it may change.

The sandbox's Klaviyo is faithful; this one is not. It serves short pages, loops, broken JSON, refusals.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

Answer = tuple[int, bytes, dict[str, str]]
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
    answers_first: list[Answer] = field(default_factory=list)
    before: Callable[[str, dict[str, str]], Answer | None] = lambda _path, _params: None
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, params: dict[str, str], headers: dict[str, str]) -> Answer:
        """Return status, body and headers of one request."""
        self.requests.append((path, params, headers))
        if self.answers_first:
            return self.answers_first.pop(0)
        return self.before(path, params) or self.usual(path, params)

    def usual(self, path: str, params: dict[str, str]) -> Answer:
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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body, more = account.answer(parts.path, params, headers)
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    account.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
