"""How fast a push goes: rows a second and calls a row, beside drt; and what share of a published limit it reaches.

    python -m benchmarks.push_rate [rows]

The receivers run in a process of their own: the sandbox's Klaviyo, which checks, dedupes and keeps every event, and a
REST receiver that answers 202. Ours goes through everything: landed decisions, a ledger on SQLite with an fsync at each
commit, the gate before each call, receipts. drt's destination classes get the same rows in memory.
"""

import asyncio
import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn

from benchmarks.rivals import rivals_python
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import SandboxClock
from perennial.salt import Salt
from reverse_etl.destinations.base import ONE, Destination
from reverse_etl.destinations.klaviyo import BULK_RATES, DEFAULT_RATES, Klaviyo
from reverse_etl.destinations.registry import Configured
from reverse_etl.destinations.webhook import Webhook, batches_of
from reverse_etl.ledger.store import open_ledger
from reverse_etl.means import Means
from reverse_etl.push import push_to
from sandbox.credentials import KLAVIYO_API_KEY
from sandbox.klaviyo.app import klaviyo_app
from sandbox.klaviyo.book import LoyaltyBook
from sandbox.klaviyo.state import LIMITS, KlaviyoState
from sandbox.received import Received

NOON = datetime(2026, 3, 15, 18, 0, tzinfo=UTC)
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQh"


@dataclass(frozen=True)
class Found:
    """One push: its seconds, its rows, the receiver's calls and how many of them were too many."""

    seconds: float
    rows: int
    calls: int
    too_many: int

    def __str__(self) -> str:
        each = self.calls / self.rows
        return f"{self.rows / self.seconds:8,.0f} rows/s  {each:.3f} calls a row  {self.too_many} times 429"


def serve(home: Path, pipe: Connection, *, is_limited: bool) -> None:
    """Serve both receivers until told to end; then tell how many calls ended how."""
    clock = SandboxClock(home / "sandbox" / "clock.json")
    received = Received(home / "sandbox" / "received.sqlite", clock)
    state = KlaviyoState(received, LoyaltyBook([], clock))
    if not is_limited:
        state.limit(dict.fromkeys(LIMITS, (1_000_000, 1_000_000)))
    klaviyo = klaviyo_app(state)
    answers: Counter[int] = Counter()

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI
        if scope["type"] != "http":
            return

        async def count(message: Any) -> None:  # noqa: ANN401
            if message["type"] == "http.response.start":
                answers[message["status"]] += 1
            await send(message)

        if scope["path"].startswith("/klaviyo"):
            path = scope["path"].removeprefix("/klaviyo").rstrip("/")  # drt writes one more slash
            await klaviyo({**scope, "path": path, "raw_path": path.encode()}, receive, count)
            return
        while (await receive()).get("more_body", False):
            pass
        await count({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", access_log=False)
    )

    async def run() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 -- it sets no event
            await asyncio.sleep(0.01)
        pipe.send(server.servers[0].sockets[0].getsockname()[1])
        await asyncio.to_thread(pipe.recv)
        pipe.send(dict(answers))
        server.should_exit = True
        await serving

    asyncio.run(run())


def row(number: int) -> dict[str, Any]:
    """Return what both are given to send."""
    return {
        "enrollment_id": f"d{number:08d}",
        "email": f"ann{number}@example.com",
        "triggered_at": NOON.isoformat(),
        "cart_id": str(number),
        "cart_total": 41.8,
        "lines": 3,
        "utm_campaign": "cart",
    }


def decide(log: LandingLog, rows: int, destination: str) -> None:
    """Land one build's decisions."""
    records = []
    for number in range(rows):
        given = row(number)
        enrollment = {
            "enrollment_id": given["enrollment_id"],
            "flow_name": "cart_abandoned_recovery",
            "customer_id": f"c_{number}",
            "triggered_at": given["triggered_at"],
            "enrolled_at": NOON.isoformat(),
            "channels": ["email"],
            "destination": destination,
            "kind": "marketing",
            "flow_display_name": "Cart abandoned recovery",
            "recipient": {"email": given["email"]},
            "context": {name: given[name] for name in ("cart_id", "cart_total", "lines", "utm_campaign")},
        }
        decision = {"kind": "decision", "outcome": "enrolled", "mode": "live", "build_no": 1}
        payload = json.dumps({**decision, "enrollment": enrollment})
        records.append(Record("perennial", "decisions", str(number), NOON, payload))
    log.append("decisions/1", records)


def measured(rows: int, send: Callable[[Path, str], float], *, is_limited: bool = False) -> Found:
    """Let something send to fresh receivers; ``send`` gets a home and their address, and returns its seconds."""
    home = Path(tempfile.mkdtemp(prefix="push-rate-"))
    SandboxClock(home / "sandbox" / "clock.json").set(NOON, running=False)
    ours, theirs = multiprocessing.Pipe()
    vendor = multiprocessing.get_context("spawn").Process(
        target=serve, args=(home, theirs), kwargs={"is_limited": is_limited}
    )
    vendor.start()
    try:
        seconds = send(home, f"http://127.0.0.1:{ours.recv()}")
        ours.send("end")
        answers: Mapping[int, int] = ours.recv()
        return Found(seconds, rows, sum(answers.values()), answers.get(429, 0))
    finally:
        vendor.join(10)
        shutil.rmtree(home)


def ours(rows: int, make: Callable[[str, SandboxClock], Destination]) -> Callable[[Path, str], float]:
    """Return a push of ours to one destination."""

    def send(home: Path, url: str) -> float:
        clock = SandboxClock(home / "sandbox" / "clock.json")
        destination = make(url, clock)
        ledger = open_ledger(f"sqlite:///{home / 'ledger.sqlite'}", Salt("benchmark"))
        log = LandingLog(str(home / "landing"), clock)
        decide(log, rows, destination.name)
        started = time.monotonic()
        report = push_to(Configured((destination,)), Means(ledger, log, clock))
        seconds = time.monotonic() - started
        ledger.close()
        assert report.by_destination == {destination.name: {"accepted": rows}}, report
        return seconds

    return send


def drt(rows: int, python: str, kind: str) -> Callable[[Path, str], float]:
    """Return a push of drt's."""

    def send(home: Path, url: str) -> float:
        given = home / "rows.json"
        given.write_text(json.dumps([row(number) for number in range(rows)]), encoding="utf-8")
        url = f"{url}/klaviyo" if kind == "klaviyo" else f"{url}/rest"
        script = str(Path(__file__).with_name("drt_push.py"))
        told = [python, script, kind, url, str(given), "0", KLAVIYO_API_KEY]
        done = subprocess.run(told, check=True, capture_output=True, text=True)  # noqa: S603 -- our own command
        found = json.loads(done.stdout.splitlines()[-1])
        assert found["success"] == rows, found
        return float(found["seconds"])

    return send


def main() -> None:
    """Print a line a measurement."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 3_500

    def singly(url: str, clock: SandboxClock) -> Klaviyo:
        return Klaviyo(f"{url}/klaviyo", KLAVIYO_API_KEY, clock, batch=ONE, rates=())

    def in_jobs(url: str, clock: SandboxClock) -> Klaviyo:
        return Klaviyo(f"{url}/klaviyo", KLAVIYO_API_KEY, clock, rates=(), bulk_rates=())

    def at_its_limit(url: str, clock: SandboxClock) -> Klaviyo:
        return Klaviyo(f"{url}/klaviyo", KLAVIYO_API_KEY, clock, batch=ONE)

    def webhook(url: str, clock: SandboxClock) -> Webhook:
        return Webhook(f"{url}/rest", (SECRET,), clock, rates=())

    def in_batches(url: str, clock: SandboxClock) -> Webhook:
        return Webhook(f"{url}/rest", (SECRET,), clock, rates=(), batch=batches_of(500))

    with tempfile.TemporaryDirectory(prefix="push-rivals-") as folder:
        python = rivals_python(Path(folder))
        print(f"{rows:,} rows, no limits:")
        print(f"  Klaviyo, single events  {measured(rows, ours(rows, singly))}")
        print(f"  Klaviyo, jobs           {measured(rows, ours(rows, in_jobs))}")
        print(f"  Klaviyo, drt            {measured(rows, drt(rows, python, 'klaviyo'))}")
        print(f"  REST, signed webhook    {measured(rows, ours(rows, webhook))}")
        print(f"  REST, batches of 500    {measured(rows, ours(rows, in_batches))}")
        print(f"  REST, drt               {measured(rows, drt(rows, python, 'rest'))}")
    limit, jobs = DEFAULT_RATES[0].limit, BULK_RATES[1].limit
    # fewer than a minute may take: the reserve for closed addresses is left
    found = measured(3_400, ours(3_400, at_its_limit), is_limited=True)
    share = found.rows / found.seconds / limit
    print(f"3,400 single events under Klaviyo's limits ({limit}/s): {found}, {share:.0%} of it")
    print(
        f"(jobs: {jobs} a minute of up to 1,000 events; a push reaches that limit with {jobs * 1000:,} rows)"
    )


if __name__ == "__main__":
    main()
