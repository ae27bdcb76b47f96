"""A place to push from: a home with a landing log, and decisions in it like the builder's."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyrate_limiter import Duration, Rate
from sqlalchemy import select

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import Clock
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings
from reverse_etl.desk import Desk
from reverse_etl.destinations.aiq import Aiq
from reverse_etl.destinations.csv_drop import CsvDrop
from reverse_etl.destinations.drop_folder import drop_folder
from reverse_etl.destinations.flowhub import Flowhub
from reverse_etl.destinations.klaviyo import Klaviyo
from reverse_etl.destinations.registry import Configured
from reverse_etl.destinations.webhook import Webhook
from reverse_etl.holds import Hold, all_holds
from reverse_etl.ledger.store import Ledger, open_ledger
from reverse_etl.ledger.tables import receipts
from reverse_etl.means import Means, Patience
from reverse_etl.push import PushReport, push_to
from reverse_etl.report import LedgerReport, ledger_report
from reverse_etl.tail import Tail

NOON = datetime(2026, 3, 15, 18, 0, tzinfo=UTC)
WIDE = (Rate(100_000, Duration.SECOND),)
QUICK = Patience(tries=3, first_wait=0.01, longest_wait=0.05, longest_pause=5)
EMAIL = "ann@example.com"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJmbG93aHViIn0.c2lnbmF0dXJl"
PHONE = "+13035550142"
SIGNING_SECRET = "whsec_c2NlbmUtc2NlbmUtc2NlbmUtc2NlbmU="  # noqa: S105 - of a test


@dataclass
class SetClock:
    """A clock that tests move."""

    at: datetime = NOON

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.at

    def advance(self, **by: float) -> None:
        """Move it forward."""
        self.at += timedelta(**by)


def decision(number: int, **changes: Any) -> dict[str, Any]:
    """Make the payload of a decision; ``changes`` are fields of its enrollment, or outcome and mode."""
    enrollment_id = f"d{number:06d}"
    outer = {key: changes.pop(key) for key in ("outcome", "mode") if key in changes}
    enrollment = {
        "enrollment_id": enrollment_id,
        "flow_name": "cart_abandoned_recovery",
        "customer_id": f"c_{number}",
        "trigger_key": f"cart:{number}",
        "triggered_at": NOON.isoformat(),
        "enrolled_at": NOON.isoformat(),
        "not_before": NOON.isoformat(),
        "expires_at": (NOON + timedelta(minutes=30)).isoformat(),
        "places": ["CO America/Denver"],
        "channels": ["sms", "email"],
        "destination": "aiq",
        "kind": "marketing",
        "flow_display_name": "Cart abandoned recovery",
        "recipient": {
            "email": f"ann{number}@example.com",
            "phone": f"+1303555{number:04d}",
            "flowhub_customer_id": f"fh-{number}",
            "customer_id": f"c_{number}",
        },
        "context": {"cart_id": str(number), "cart_total": 41.8, "utm_campaign": "cart-abandoned-recovery"},
        **changes,
    }
    return {
        "kind": "decision",
        "decision_id": enrollment_id,
        "flow_name": enrollment["flow_name"],
        "mode": "live",
        "build_no": 1,
        "outcome": "enrolled",
        "reason": None,
        "enrollment": enrollment,
        **outer,
    }


def desk_of(home: Home, ledger: Ledger, log: LandingLog, clock: Clock) -> Desk:
    """Return an operator's desk of parts that are open already; it tells nobody of closed addresses."""
    return Desk(home, ledger, log, clock, (), Tail(ledger, log, clock).catch_up)


def order_push(number: int, **changes: Any) -> dict[str, Any]:
    """Make the payload of a decision to push an order; ``changes`` are parts of the order, or the verdict."""
    push_id = f"o{number:06d}"
    verdict = changes.pop("verdict", "push")
    order = {
        "cart_id": str(number),
        "order_id": f"jane-{number}",
        "externalCreatedAt": NOON.isoformat(),
        "customer": {
            "firstName": "Ann",
            "lastName": f"Reyes{number}",
            "externalId": f"c_{number}",
            "medRecOrBoth": "rec",
            "phone": f"+1303555{number:04d}",
        },
        "orderItems": [{"productId": f"p-{number}", "quantityPurchased": 2}],
        "orderType": "delivery",
        "address": {"street1": "12 Elm St", "city": "Denver", "state": "CO", "zip": "80202"},
        "customerNote": "Ring twice",
        "fees": [{"name": "Delivery", "amount": 500}],
        **changes,
    }
    intent = {
        "enrollment_id": push_id,
        "flow_name": "order_push",
        "flow_display_name": "Order push",
        "customer_id": f"c_{number}",
        "triggered_at": NOON.isoformat(),
        "enrolled_at": NOON.isoformat(),
        "expires_at": (NOON + timedelta(hours=24)).isoformat(),
        "channels": [],
        "destination": "flowhub",
        "kind": "order",
        "recipient": {},
        "context": order,
    }
    return {
        "kind": "order_push",
        "push_id": push_id,
        "verdict": verdict,
        "build_no": 1,
        "enrollment": intent if verdict == "push" else None,
    }


@dataclass
class Scene:
    """One home, its clock, and the vendors that it pushes to."""

    home: Path
    aiq_url: str = "http://127.0.0.1:9"
    klaviyo_url: str = "http://127.0.0.1:9"
    ledger_url: str = ""
    aiq_key: str = "aiq-key"
    aiq_slug: str = "slug"
    klaviyo_key: str = "klaviyo-key"
    webhook_url: str = "http://127.0.0.1:9"
    flowhub_url: str = "http://127.0.0.1:9"
    flowhub_token: str = JWT
    clock: SetClock = field(default_factory=SetClock)
    patience: Patience = QUICK
    rates: Sequence[Rate] = WIDE
    concurrency: int | None = None
    builds: int = 0

    @property
    def log(self) -> LandingLog:
        """The landing log, opened anew."""
        return LandingLog(str(self.home / "landing"), self.clock)

    @property
    def url(self) -> str:
        """The ledger's URL."""
        return self.ledger_url or f"sqlite:///{self.home / 'ledger.sqlite'}"

    def open(self) -> Ledger:
        """Open the ledger; the caller closes it."""
        return open_ledger(self.url, salt_of(Settings(_env_file=None, perennial_home=self.home)))

    def land(self, stream: str, *payloads: Any, name: str | None = None) -> int:
        """Land payloads as one batch of a ``source/stream``; return its seq."""
        source, _, rest = stream.partition("/")
        records = [Record(source, rest, None, self.clock.now(), json.dumps(payload)) for payload in payloads]
        self.builds += 1
        return self.log.append(name or f"{source}-{rest}/{self.builds}", records).seq

    def decide(self, *payloads: dict[str, Any]) -> int:
        """Land decisions as a build does, its moment first; return the build's number."""
        log = self.log
        build_no = self.builds + 1
        self.land("perennial/moments", {"build_no": build_no, "upto_seq": log.last_seq()})
        for payload in payloads:
            payload["build_no"] = build_no
        self.land("perennial/decisions", *payloads, name=f"decisions/{build_no}")
        return build_no

    def destinations(self) -> Configured:
        """Every vendor, with limits out of the way."""
        aiq = Aiq(self.aiq_url, self.aiq_key, self.aiq_slug, self.clock, rates=self.rates)
        klaviyo = Klaviyo(self.klaviyo_url, self.klaviyo_key, self.clock, rates=self.rates)
        flowhub = Flowhub(
            self.flowhub_url,
            f"{self.flowhub_url}/oauth/token",
            "order-ahead",
            "client",
            self.flowhub_token,
            self.clock,
            rates=self.rates,
        )
        webhook = Webhook(self.webhook_url, [SIGNING_SECRET], self.clock, rates=self.rates)
        csv = CsvDrop(drop_folder(str(self.home / "drop")))
        return Configured((aiq, klaviyo, flowhub, webhook, csv))

    def push(self, **changes: Any) -> PushReport:
        """Push once."""
        ledger = self.open()
        try:
            return push_to(
                changes.pop("destinations", None) or self.destinations(),
                Means(ledger, self.log, self.clock, patience=self.patience, **changes),
            )
        finally:
            ledger.close()

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Open an operator's desk."""
        ledger = self.open()
        try:
            yield desk_of(Home(self.home), ledger, self.log, self.clock)
        finally:
            ledger.close()

    def holds(self) -> list[Hold]:
        """Return the open holds."""
        with self.desk() as desk, desk.ledger.read() as connection:
            return all_holds(connection)

    def report(self) -> LedgerReport:
        """Read what the ledger holds."""
        ledger = self.open()
        try:
            return ledger_report(ledger)
        finally:
            ledger.close()

    def receipts(self) -> list[dict[str, Any]]:
        """Return the receipts that have landed, in the order of the log."""
        return [json.loads(record.payload) for record in self.log.read("perennial", "receipts")]

    def receipt_numbers(self) -> list[int]:
        """Return the numbers of the ledger's receipts, landed or not, lowest first."""
        ledger = self.open()
        try:
            with ledger.read() as connection:
                return list(connection.scalars(select(receipts.c.receipt_no).order_by(receipts.c.receipt_no)))
        finally:
            ledger.close()

    def order_receipts(self) -> list[dict[str, Any]]:
        """Return the receipts of orders that have landed, in the order of the log."""
        return [json.loads(record.payload) for record in self.log.read("perennial", "order_receipts")]

    def notice_receipts(self) -> list[dict[str, Any]]:
        """Return the receipts of notices that have landed, in the order of the log."""
        return [json.loads(record.payload) for record in self.log.read("perennial", "notice_receipts")]


def settings_for(scene: Scene, **changes: Any) -> Settings:
    """Make settings like an operator's .env."""
    values: dict[str, Any] = {
        "_env_file": None,
        "perennial_home": scene.home,
        "aiq_base_url": scene.aiq_url,
        "aiq_api_key": "aiq-key",
        "aiq_integrator_slug": "slug",
        "klaviyo_base_url": scene.klaviyo_url,
        "klaviyo_api_key": "klaviyo-key",
        **changes,
    }
    return Settings(**values)
