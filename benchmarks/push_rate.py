"""How fast a push goes: rows a second to the sandbox's Klaviyo, with limits out of the way and with its own.

    python -m benchmarks.push_rate [rows]

The vendor runs in a process of its own and checks, dedupes and keeps every event; the ledger is SQLite with
an fsync at each commit.
"""

import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from pyrate_limiter import Duration, Rate

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import SandboxClock
from perennial.salt import Salt
from reverse_etl.destinations.base import ONE
from reverse_etl.destinations.klaviyo import DEFAULT_RATES, Klaviyo
from reverse_etl.destinations.registry import Configured
from reverse_etl.ledger.store import open_ledger
from reverse_etl.push import push_to
from sandbox.credentials import KLAVIYO_API_KEY
from sandbox.klaviyo.state import EVENTS
from tests.reverse_etl.sandbox_vendors import serving_sandbox

NOON = datetime(2026, 3, 15, 18, 0, tzinfo=UTC)
WIDE = (Rate(1_000_000, Duration.SECOND),)


def serve(home: Path, pipe: Connection) -> None:
    """Serve the vendors without limits until told to end."""
    with serving_sandbox(home / "sandbox", SandboxClock(home / "sandbox" / "clock.json")) as vendors:
        vendors.klaviyo.limit({EVENTS: (1_000_000, 1_000_000)})
        pipe.send(vendors.port)
        pipe.recv()
        pipe.send(vendors.received.outcomes("klaviyo"))


def decide(log: LandingLog, rows: int) -> None:
    """Land one build's decisions."""
    records = []
    for number in range(rows):
        enrollment = {
            "enrollment_id": f"d{number:08d}",
            "flow_name": "cart_abandoned_recovery",
            "customer_id": f"c_{number}",
            "triggered_at": NOON.isoformat(),
            "enrolled_at": NOON.isoformat(),
            "channels": ["email"],
            "destination": "klaviyo",
            "kind": "marketing",
            "flow_display_name": "Cart abandoned recovery",
            "recipient": {"email": f"ann{number}@example.com"},
            "context": {"cart_id": str(number), "cart_total": 41.8, "lines": 3, "utm_campaign": "cart"},
        }
        decision = {"kind": "decision", "outcome": "enrolled", "mode": "live", "build_no": 1}
        payload = json.dumps({**decision, "enrollment": enrollment})
        records.append(Record("perennial", "decisions", str(number), NOON, payload))
    log.append("decisions/1", records)


def measure(rows: int, rates: Sequence[Rate], concurrency: int) -> tuple[float, float]:
    """Return the rows a second of one push, and its CPU seconds."""
    home = Path(tempfile.mkdtemp(prefix="push-rate-"))
    clock = SandboxClock(home / "sandbox" / "clock.json")
    clock.set(NOON, running=False)
    ours, theirs = multiprocessing.Pipe()
    vendor = multiprocessing.get_context("spawn").Process(target=serve, args=(home, theirs))
    vendor.start()
    try:
        url = f"http://127.0.0.1:{ours.recv()}/klaviyo"
        klaviyo = Klaviyo(url, KLAVIYO_API_KEY, clock, rates=rates, concurrency=concurrency, batch=ONE)
        ledger = open_ledger(f"sqlite:///{home / 'ledger.sqlite'}", Salt("benchmark"))
        log = LandingLog(str(home / "landing"), clock)
        decide(log, rows)
        before = resource.getrusage(resource.RUSAGE_SELF)
        started = time.monotonic()
        report = push_to(Configured((klaviyo,)), ledger=ledger, log=log, clock=clock)
        seconds = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_SELF)
        ledger.close()
        ours.send("end")
        assert report.by_destination == {"klaviyo": {"accepted": rows}}
        assert ours.recv() == {"accepted": rows}
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return rows / seconds, cpu
    finally:
        vendor.join(10)
        shutil.rmtree(home)


def main() -> None:
    """Print a line a measurement."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    for concurrency in (8, 16):
        rate, cpu = measure(rows, WIDE, concurrency)
        each = cpu / rows * 1000
        print(f"no limit, {concurrency:2} calls in flight: {rate:6.0f} rows/s, {each:.2f} ms CPU a row")
    published = DEFAULT_RATES[0].limit
    rate, _ = measure(rows, DEFAULT_RATES[:1], 16)
    print(f"Klaviyo's burst limit ({published}/s): {rate:6.0f} rows/s, {rate / published:.0%} of it")


if __name__ == "__main__":
    main()
