"""From a shopper's no to every destination's record of it, through ``make dev``.

``python -m benchmarks.opt_outs [HOME] [--rounds 20]``

Run it while ``make dev`` is up, after ``make run``. Each round reports an unsubscribed e-mail to the receiver, as the
messaging system does, and watches the vendors' own records until AIQ, Klaviyo and the webhook's receiver hold the
closed address. The clock begins with the receiver's 2xx, as the promise does: 5 seconds. First each once the build of
the last one is over; then just after news, so that the word arrives while the worker builds of that.
"""

import argparse
import statistics
import time
from pathlib import Path

import httpx

from console.demo.environment import DEFAULT_PORTS
from perennial.clock import SandboxClock
from sandbox.credentials import MESSAGING_WEBHOOK_SECRET, PARTNER_KEYS

TOLD = ("aiq", "klaviyo", "webhook")
BUILDING_SECONDS = 1.5  # after news landed, its build has begun
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 120.0
RECEIVER = f"http://127.0.0.1:{DEFAULT_PORTS.receiver}"
SANDBOX = f"http://127.0.0.1:{DEFAULT_PORTS.sandbox}"


def main() -> None:
    """Measure, and print a row for each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("home", nargs="?", type=Path, default=Path(".perennial/demo"))
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    clock = SandboxClock(given.home.absolute() / "sandbox" / "clock.json")
    began = int(time.time())
    with httpx.Client(timeout=30) as client:
        for way, is_busy in (("one after another", False), ("while a build runs", True)):
            seconds: dict[str, list[float]] = {vendor: [] for vendor in TOLD}
            for number in range(given.rounds):
                if is_busy:
                    _bring_news(client, clock, f"opt-outs-{began}-{number}")
                    time.sleep(BUILDING_SECONDS)
                address = f"no-more-{began}-{number}-{'busy' if is_busy else 'idle'}@example.net"
                for vendor, passed in _told(client, clock, address).items():
                    seconds[vendor].append(passed)
                time.sleep(PAUSE_SECONDS)
            for vendor, found in seconds.items():
                print(
                    f"{way}, {len(found)} opt-outs, {vendor}: median {statistics.median(found):.2f} s, "
                    f"worst {max(found):.2f} s",
                    flush=True,
                )


def _bring_news(client: httpx.Client, clock: SandboxClock, event_id: str) -> None:
    """Post a partner's event, of which the worker builds at once."""
    event = {
        "event_id": event_id,
        "event_name": "product_viewed",
        "occurred_at": clock.now().isoformat(),
        "customer": {"email": "somebody@example.net"},
        "properties": {"product_id": "1"},
    }
    [key, *_] = PARTNER_KEYS.values()
    client.post(f"{RECEIVER}/v1/events", json=event, headers={"X-API-Key": key}).raise_for_status()


def _told(client: httpx.Client, clock: SandboxClock, address: str) -> dict[str, float]:
    """Report an unsubscribed address; return after how many seconds each vendor has it."""
    report = {
        "event_id": address,
        "type": "unsubscribed",
        "occurred_at": clock.now().isoformat(),
        "channel": "email",
        "address": address,
    }
    headers = {"X-Perennial-Secret": MESSAGING_WEBHOOK_SECRET}
    client.post(f"{RECEIVER}/webhooks/messaging", json=report, headers=headers).raise_for_status()
    began = time.monotonic()
    found: dict[str, float] = {}
    while len(found) < len(TOLD):
        for vendor in TOLD:
            if vendor not in found and _holds(client, vendor, address):
                found[vendor] = time.monotonic() - began
        if time.monotonic() - began > PATIENCE_SECONDS:
            missing = ", ".join(vendor for vendor in TOLD if vendor not in found)
            raise SystemExit(
                f"{missing} did not hear of it within {PATIENCE_SECONDS:.0f} s; see perennial status"
            )
        time.sleep(0.02)
    return found


def _holds(client: httpx.Client, vendor: str, address: str) -> bool:
    answer = client.get(f"{SANDBOX}/control/received/{vendor}", params={"outcome": "accepted", "limit": 20})
    return address in answer.raise_for_status().text


if __name__ == "__main__":
    main()
