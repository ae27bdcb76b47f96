"""From a webhook's 2xx to the enrollment that AIQ accepted, through ``make dev``.

``python benchmarks/latency.py [HOME]``

Run it while ``make dev`` is up (after ``make run``, so that people are known). It posts abandoned carts of people whom
the flow may write to, signed as Jane signs, one every few seconds, and watches the vendor's own record. Quiet hours
apply: the demo's clock must show an hour between 8 and 21 at the store.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import httpx

from console.demo.environment import DEFAULT_PORTS
from extractors.receiver.signatures import jane_signature
from perennial.clock import SandboxClock
from perennial.home import Home
from perennial.published import open_published
from sandbox.credentials import JANE_SIGNING_SECRET, JANE_WEBHOOK_TOKEN

ROUNDS = 20
PAUSE_SECONDS = 4.0
PATIENCE_SECONDS = 60.0

WRITABLE = """
select email, phone from marts.dim_customers
where email is not null and email_consent = 'opted_in' and birth_date < date '1990-01-01' and not has_conflict
    and customer_id not in (select customer_id from marts.flow_enrollments)
order by customer_id limit ?
"""


def main(home: Path) -> None:
    """Measure and print a row."""
    published = open_published(Home(home))
    people = published.connection.execute(WRITABLE, [ROUNDS]).fetchall()
    published.connection.close()
    clock = SandboxClock(home / "sandbox" / "clock.json")
    base = int(time.time())
    seconds = []
    with httpx.Client(timeout=30) as client:
        for number, (email, phone) in enumerate(people):
            seconds.append(one(client, clock, base + number, email, phone))
            print(f"{number + 1:2} {seconds[-1]:.2f} s", flush=True)
            time.sleep(PAUSE_SECONDS)
    ranked = sorted(seconds)
    p95 = ranked[max(0, round(0.95 * len(ranked)) - 1)]
    print(f"{len(ranked)} webhooks: median {statistics.median(ranked):.2f} s, p95 {p95:.2f} s")


def one(client: httpx.Client, clock: SandboxClock, cart: int, email: str, phone: str | None) -> float:
    """Post one abandoned cart and return the seconds until AIQ has its enrollment."""
    now = clock.now()
    cart_body = {
        "id": cart,
        "status": "pending",
        "amount": 41.8,
        "created_at": f"{now:%Y-%m-%d %H:%M:%S}",
        "store_id": 1,
        "store_name": "Colfax",
        "customer_email_address": email,
        "customer_phone_number": phone,
        "user_id": None,
    }
    body = json.dumps({"cart": cart_body}).encode()
    timestamp = str(int(now.timestamp()))
    headers = {
        "Authorization": f"Bearer {JANE_WEBHOOK_TOKEN}",
        "X-Jane-Request-Timestamp": timestamp,
        "X-Jane-Signature": jane_signature(JANE_SIGNING_SECRET, timestamp, body),
        "Content-Type": "application/json",
    }
    answer = client.post(
        f"http://127.0.0.1:{DEFAULT_PORTS.receiver}/webhooks/jane/cart-abandoned",
        content=body,
        headers=headers,
    )
    answer.raise_for_status()
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        received = client.get(
            f"http://127.0.0.1:{DEFAULT_PORTS.sandbox}/control/received/aiq?outcome=accepted&limit=50"
        ).text
        if (
            f'"cart_id": "{cart}"' in received
            or f'"cart_id":"{cart}"' in received
            or f'\\"cart_id\\":\\"{cart}\\"' in received
        ):
            return time.monotonic() - began
        time.sleep(0.02)
    raise SystemExit(f"cart {cart} was not accepted within {PATIENCE_SECONDS:.0f} s; see perennial status")


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else ".perennial/demo").absolute())
