"""The sandbox's AIQ, Klaviyo and receiver of webhooks on a free port, without the rest of its world."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from perennial.clock import Clock
from sandbox.aiq import AiqState, aiq_app
from sandbox.faults import Connections, Faults, Gate
from sandbox.klaviyo.app import klaviyo_app
from sandbox.klaviyo.book import LoyaltyBook
from sandbox.klaviyo.state import KlaviyoState
from sandbox.received import Received
from sandbox.webhook import WebhookState, webhook_app


@dataclass
class Vendors:
    """The vendors with their books."""

    port: int
    received: Received
    faults: Faults
    aiq: AiqState
    klaviyo: KlaviyoState
    webhook: WebhookState

    @property
    def url(self) -> str:
        """The address that the vendors' prefixes are under."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> int:
        """How many calls came in, whatever became of them."""
        return sum(self.received.served.values())

    def aiq_events(self) -> list[dict[str, Any]]:
        """Return the enrollments that AIQ took, each call an effect: it dedupes nothing."""
        bodies = self._bodies("aiq")
        return [body["event"] for body in bodies if body["eventName"] == body["event"].get("flow")]

    def klaviyo_events(self) -> list[dict[str, Any]]:
        """Return what Klaviyo recorded; repeats that it dropped are not in it."""
        return [event for body in self._bodies("klaviyo") for event in _events_of(body["data"])]

    def webhooks(self) -> list[dict[str, Any]]:
        """Return what the receiver of webhooks took; repeats that it dropped are not in it."""
        return self._bodies("webhook")

    def _bodies(self, vendor: str) -> list[dict[str, Any]]:
        return [body for body in self.received.bodies(vendor, "accepted") if isinstance(body, dict)]


def _events_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a call, alone or in a job."""
    if data["type"] == "event":
        return [data["attributes"]]
    if data["type"] != "event-bulk-create-job":
        return []
    groups = data["attributes"]["events-bulk-create"]["data"]
    return [event["attributes"] for group in groups for event in group["attributes"]["events"]["data"]]


@contextmanager
def serving_sandbox(folder: Path, clock: Clock, port: int = 0) -> Iterator[Vendors]:
    """Serve the vendors from a thread of this process."""
    received = Received(folder / "received.sqlite", clock)
    faults, connections = Faults(), Connections()
    aiq, klaviyo = AiqState(received), KlaviyoState(received, LoyaltyBook([], clock))
    webhook = WebhookState(received, clock)
    app = FastAPI(openapi_url=None)
    app.mount("/aiq", Gate(aiq_app(aiq), "aiq", faults, connections, received))
    app.mount("/klaviyo", Gate(klaviyo_app(klaviyo), "klaviyo", faults, connections, received))
    app.mount("/webhook", Gate(webhook_app(webhook), "webhook", faults, connections, received))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, http=connections.protocol(), loop="asyncio", log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    bound = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Vendors(bound, received, faults, aiq, klaviyo, webhook)
    finally:
        server.should_exit = True
        thread.join()
        received.close()
