"""A stage for golden cases: facts land as the sources send them, moments are built, decisions are read."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import duckdb

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import sandbox_clock
from perennial.settings import Settings
from warehouse.builder import Builder

KNOWN_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
# Where a number of each state's is.
AREA_CODES = {"CA": "213", "CO": "303", "FL": "305", "NY": "212", "TX": "713"}
# Customers' records are older than any flow is active: that somebody is known is no news that a flow looks at.
MADE_BEFORE = timedelta(days=1)
STORE_TIME = "%Y-%m-%d %H:%M:%S"
# One for each kind of occasion: a cart, an order's status, time that passes, an audience.
USUAL_FLOWS = (
    "cart_abandoned_recovery",
    "order_ready_for_pickup",
    "points_expiring_reminder",
    "lapsed_customer_winback",
)


def settings_in(home: Path) -> Settings:
    """Return settings that work in a folder, on a clock that stands."""
    return Settings(_env_file=None, perennial_home=home, perennial_clock="sandbox")


def stable_number(text: str) -> int:
    """Return a number that is always the same for a text."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def full_name(person: str) -> str:
    """Return a name that nobody takes for another one's: who is called alike and born on one day is one person."""
    return person.replace("2", "abella").title() + " Case"


def tell_flows(home: Path, told: dict[str, dict[str, Any]]) -> None:
    """Say what the settings of some flows are; of none, a few are active. The others are drafts and cost nothing."""
    told = told or {name: {"status": "active"} for name in USUAL_FLOWS}
    (home / "flows.json").write_text(json.dumps({"*": {"status": "draft"}, **told}), encoding="utf-8")


@dataclass
class Scene:
    """One case's home: a copy of a deployed, empty warehouse and an empty log."""

    home: Path
    flows: dict[str, dict[str, Any]]
    carts: dict[str, str] = field(default_factory=dict)
    area_codes: dict[str, str] = field(default_factory=dict)
    batches: int = 0

    def __post_init__(self) -> None:
        self.settings = settings_in(self.home)
        self.clock = sandbox_clock(self.settings)
        self.log = LandingLog(self.settings.landing_url, self.clock)

    @classmethod
    def on(cls, deployed: Path, home: Path, flows: dict[str, dict[str, Any]]) -> Self:
        """Copy a deployed home, so that a case pays for its moments only."""
        shutil.copytree(deployed, home)
        return cls(home, flows)

    def set_flows(self, overrides: dict[str, Any] | None = None) -> None:
        """Say what the settings of its flows are from the next moment on: active, unless they say otherwise."""
        told = {
            name: {"status": "active", **setting, **(overrides or {})} for name, setting in self.flows.items()
        }
        tell_flows(self.home, told)

    def land(
        self, source: str, stream: str, at: datetime, payload: dict[str, Any], key: str, **headers: str
    ) -> None:
        """Land one record."""
        self.batches += 1
        text = json.dumps(payload)
        self.log.append(f"case/{self.batches}", [Record(source, stream, key, at, text, headers)])

    def build(self, moment: datetime) -> None:
        """Run a moment."""
        self.clock.set(moment, running=False)
        with Builder(self.settings) as builder:
            report = builder.build(lane="hot")
        assert report.ok, report.error

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Query the warehouse between two moments, when nobody holds it."""
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as warehouse:
            found = warehouse.execute(query, list(values))
            names = [column[0] for column in found.description or []]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    # ---------- people

    def know(self, person: str, since: datetime = KNOWN_SINCE, **facts: Any) -> None:
        """Let Flowhub and Shopify know a person, and let her say yes to both channels."""
        self.flowhub_row(person, since, **facts)
        shopify = {
            "id": stable_number(person),
            "email": self.email(person),
            "updated_at": since.isoformat(),
            "created_at": (since - MADE_BEFORE).isoformat(),
        }
        self.land(
            "shopify",
            "webhooks",
            since,
            shopify,
            f"create-{person}",
            **{"X-Shopify-Topic": "customers/create"},
        )
        for channel in ("sms", "email"):
            if facts.get(f"{channel}_consent", "opted_in") != "unknown":
                self.consent(person, since, channel, "opted_in")

    def flowhub_row(
        self, person: str, at: datetime, *, consents: dict[str, bool] | None = None, **facts: Any
    ) -> None:
        """Land a version of the person's Flowhub record."""
        birth = facts.get("birth_date", "1990-05-15")
        self.area_codes[person] = AREA_CODES[facts.get("state", "CO")]
        row = {
            "id": f"fh-{person}", "createdAt": (KNOWN_SINCE - MADE_BEFORE).isoformat(), "updatedAt": at.isoformat(),
            "type": {"rec": "recCustomer", "med": "medCustomer"}[facts.get("programme", "rec")],
            "name": self.full_name(person), "state": facts.get("state", "CO"), "isLoyal": False,
            "birthDate": str(birth) if birth else None,
            "phone": facts.get("phone", self.phone(person)), "email": self.email(person), "country": "US", "groups": [],
            "consentsToPromotionalEmail": False, "consentsToPromotionalSMS": False, **(consents or {}),
        }  # fmt: skip
        digest = hashlib.sha256(json.dumps(row).encode()).hexdigest()[:16]
        self.land("flowhub", "customers", at, row, f"fh-{person}:{digest}")

    def consent(
        self, person: str, at: datetime, channel: str, status: str, received: datetime | None = None
    ) -> None:
        """Let the person herself say yes or no."""
        address = self.email(person) if channel == "email" else self.phone(person)
        self.partner_event(
            "customer_optin_status_changed",
            at,
            {"email": self.email(person)},
            {"channel": channel, "status": status, "address": address, "basis": "web form"},
            received,
        )

    def feedback(self, person: str, at: datetime, kind: str, channel: str) -> None:
        """Let the messaging system report."""
        address = self.email(person) if channel == "email" else self.phone(person)
        body = {
            "event_id": f"fb-{person}-{at.isoformat()}",
            "type": kind,
            "occurred_at": at.isoformat(),
            "channel": channel,
            "address": address,
        }
        self.land("messaging", "feedback", at, body, body["event_id"])

    def merge(self, kept: str, removed: str, at: datetime) -> None:
        """Let Shopify merge two of its customers."""
        body = {
            "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{stable_number(kept)}",
            "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{stable_number(removed)}",
            "status": "completed", "errors": [],
        }  # fmt: skip
        self.land(
            "shopify",
            "webhooks",
            at,
            body,
            f"merge-{kept}-{removed}",
            **{"X-Shopify-Topic": "customers/merge"},
        )

    def full_name(self, person: str) -> str:
        """Return the person's name."""
        return full_name(person)

    @staticmethod
    def email(person: str) -> str:
        """Return the person's address."""
        return f"{person}@example.com"

    def phone(self, person: str) -> str:
        """Return the person's number, in the state that Flowhub knows her in."""
        return f"+1{self.area_codes.get(person, AREA_CODES['CO'])}{2_000_000 + stable_number(person) % 7_000_000}"

    # ---------- events

    def jane_cart(
        self, stream: str, status: str, at: datetime, cart: str, person: str, received: datetime | None
    ) -> None:
        """Land a delivery of a Jane cart."""
        created = self.carts.setdefault(cart, (at - timedelta(minutes=40)).strftime(STORE_TIME))
        body = {"cart": {
            "id": stable_number(cart), "uuid": cart, "status": status, "amount": 41.8, "created_at": created,
            "checked_out_time": None, "customer_name": self.full_name(person),
            "customer_email_address": self.email(person), "customer_phone_number": self.phone(person),
            "user_id": stable_number(f"jane {person}"),
            "external_user_id": None, "store_id": 68, "store_name": "denver",
            "reservation_mode": "pickup", "pos_order_id": None,
        }}  # fmt: skip
        key = hashlib.sha256(f"{at.isoformat()}{json.dumps(body)}".encode()).hexdigest()
        self.land(
            "jane",
            stream,
            received or at,
            body,
            f"{key}:{stream}",
            **{"X-Jane-Request-Timestamp": str(int(at.timestamp()))},
        )

    def partner_event(
        self,
        name: str,
        at: datetime,
        customer: dict[str, str],
        properties: dict[str, Any],
        received: datetime | None = None,
    ) -> None:
        """Land an event of a partner."""
        told = json.dumps([name, at.isoformat(), customer, properties], default=str)
        event_id = hashlib.sha256(told.encode()).hexdigest()[:20]
        body = {
            "event_id": event_id,
            "event_name": name,
            "occurred_at": at.isoformat(),
            "customer": customer,
            "properties": properties,
        }
        self.land("partners", "events", received or at, body, f"p:{event_id}", partner="p")

    def omni_event(self, name: str, at: datetime, person: str, properties: dict[str, Any]) -> None:
        """Land an OMNI event."""
        event_id = f"{name}-{person}-{at.isoformat()}"
        body = {
            "event": name, "event_id": event_id, "occurred_at": at.isoformat(),
            "customer": {"id": stable_number(person), "email": self.email(person)}, "properties": properties,
            "profile": {},
        }  # fmt: skip
        self.land("omni", "events", at, body, event_id)

    def receipt(self, enrollment_id: str, at: datetime, status: str) -> None:
        """Land what became of an enrollment."""
        number = self.batches + 1
        body = {
            "receipt_no": number,
            "enrollment_id": enrollment_id,
            "destination": "aiq",
            "status": status,
            "attempts": 1,
            "accepted_at": None,
            "error": None,
            "at": at.isoformat(),
        }
        self.land("perennial", "receipts", at, body, str(number))
