"""A receiver that really serves, on a free port, and what it landed."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import SecretStr

from extractors.landing.log import LandingLog
from extractors.landing.records import LandedRecord
from extractors.receiver.server import run_on
from perennial.clock import sandbox_clock
from perennial.settings import Settings

NOW = datetime(2017, 3, 1, 12, 0, tzinfo=UTC)


def make_settings(home: Path, **changes: object) -> Settings:
    """Return settings with every source set up, on a standing clock."""
    values: dict[str, object] = {
        "perennial_home": home,
        "perennial_clock": "sandbox",
        "jane_webhook_token": SecretStr("sandbox-jane-token"),
        "jane_signing_secret": SecretStr("jane_test_signing_secret"),
        "jane_signing_secret_previous": SecretStr("jane_older_secret"),
        "omni_shared_secret": SecretStr("omni-secret"),
        "shopify_client_secret": SecretStr("shopify_test_client_secret"),
        "partner_api_keys": "acme:key-of-acme,other:key:of:other",
        "messaging_webhook_secret": SecretStr("messaging-secret"),
        **changes,
    }
    settings = Settings(_env_file=None, **values)  # type: ignore[arg-type]  # as pydantic-settings takes them
    sandbox_clock(settings).set(NOW, running=False)
    return settings


@dataclass(frozen=True)
class Receiver:
    """A running receiver."""

    client: httpx.Client
    settings: Settings

    def post(self, path: str, body: bytes | str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send a body as it is."""
        return self.client.post(path, content=body, headers=headers or {})


def landed(settings: Settings, source: str, stream: str) -> list[LandedRecord]:
    """Return what a receiver landed; complete once it has ended."""
    return list(LandingLog(settings.landing_url).read(source, stream))


def rows(settings: Settings) -> int:
    """Return how many records of any kind landed."""
    return sum(batch.rows for batch in LandingLog(settings.landing_url).batches())


@contextmanager
def serving(settings: Settings) -> Iterator[Receiver]:
    """Serve until the end of the block; then everything acknowledged has been sealed."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        stop = threading.Event()
        server = threading.Thread(target=run_on, args=(listener, settings, stop))
        server.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:
                wait_until_up(client)
                yield Receiver(client, settings)
        finally:
            stop.set()
            server.join()


def wait_until_up(client: httpx.Client) -> None:
    """Return once the server answers."""
    deadline = time.monotonic() + 120
    while True:
        try:
            if client.get("/healthz").is_success:
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
