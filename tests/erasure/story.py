"""Two people in every store that Perennial has: Ann, who will be erased, and Bob, who will not."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractors.flowhub.run import Run
from extractors.flowhub.state import PullState
from extractors.landing.frames import framed
from extractors.landing.journal import _encoder
from extractors.landing.records import Record
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings
from reverse_etl.push import push
from sandbox.credentials import sandbox_environment
from tests.reverse_etl.sandbox_vendors import Vendors
from tests.scene import Scene, stable_number
from warehouse.builder import Builder


def at(hour: int, minute: int = 0, day: int = 15) -> datetime:
    """Return an instant of the story."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@dataclass(frozen=True)
class Cast:
    """A person as each source writes her."""

    key: str
    name: str
    email: str
    phone: str
    written_phone: str
    birth_date: str
    street: str
    device: str

    @property
    def flowhub_id(self) -> str:
        """Her id at the point of sale."""
        return f"fh-customer-{self.key}"

    @property
    def jane_id(self) -> int:
        """Her account at Jane."""
        return stable_number(f"jane {self.key}")

    @property
    def shopify_id(self) -> int:
        """Her id at Shopify."""
        return stable_number(self.key)


ANN = Cast(
    "ann", "Ann Zephyrine", "Ann.Zephyrine@example.com", "+17205550163", "(720) 555-0163", "1987-11-23",
    "12 Quillwort Lane", "device-ann-0001",
)  # fmt: skip
BOB = Cast(
    "bob", "Bob Marchetti", "bob.marchetti@example.com", "+13035550177", "303-555-0177", "1979-02-03",
    "7 Sorrel Court", "device-bob-0001",
)  # fmt: skip
CASTS = (ANN, BOB)


@dataclass
class Story:
    """A home in which both have lived for a while."""

    scene: Scene
    settings: Settings
    vendors: Vendors
    environment: dict[str, str]

    @classmethod
    def on(cls, deployed: Path, home: Path, vendors: Vendors) -> "Story":
        """Begin one in a copy of a deployed home."""
        scene = Scene.on(deployed, home, {})
        scene.batches = scene.log.last_seq()  # whose names are taken, where a story goes on
        environment = sandbox_environment(home, vendors.port, 8800)
        known: dict[str, Any] = {name.lower(): value for name, value in environment.items() if value}
        return cls(scene, Settings(_env_file=None, **known), vendors, environment)

    def play(self) -> None:
        """Let both live: known, buying, leaving carts, earning points, enrolled, messaged, quarantined."""
        self.scene.set_flows()
        for one in CASTS:
            self._be_known(one)
            self._buy(one)
        self.build(at(16))
        for one in CASTS:
            self._earn(one)
            self._leave_cart(one)
        self.build(at(18, 10))
        push(self.settings)
        for one in CASTS:
            self._hear_back(one)
            self._order(one)
            self._fall_into_quarantine(one)
        self.build(at(18, 40), lane="scheduled")
        self._remember_pulls()
        self.build(at(18, 45), lane="scheduled")

    def build(self, moment: datetime, lane: str = "hot") -> None:
        """Run a moment."""
        self.scene.clock.set(moment, running=False)
        with Builder(self.settings) as builder:
            report = builder.build(lane="scheduled" if lane == "scheduled" else "hot")
        assert report.ok, report.error

    # ---------- what sources send

    def customer(self, one: Cast, moment: datetime, **changes: Any) -> None:
        """Land a version of a Flowhub customer, as a pull does."""
        row = {
            "id": one.flowhub_id, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": moment.isoformat(),
            "type": "recCustomer", "name": one.name, "state": "CO", "isLoyal": True, "birthDate": one.birth_date,
            "phone": one.written_phone, "email": one.email, "country": "US", "groups": ["locals"],
            "streetAddress1": one.street, "city": "Denver", "zip": "80203",
            "consentsToPromotionalEmail": True, "consentsToPromotionalSMS": True, **changes,
        }  # fmt: skip
        digest = hashlib.sha256(json.dumps(row).encode()).hexdigest()[:16]
        self.scene.land("flowhub", "customers", moment, row, f"{one.flowhub_id}:{digest}")

    def partner(
        self, one: Cast, name: str, moment: datetime, properties: dict[str, Any], **customer: str
    ) -> None:
        """Land a partner's event."""
        self.scene.partner_event(name, moment, customer or {"email": one.email}, properties)

    def consent(self, one: Cast, moment: datetime, channel: str, status: str) -> None:
        """Let a person say yes or no herself."""
        address = one.email if channel == "email" else one.phone
        told = {"channel": channel, "status": status, "address": address, "basis": "web form"}
        self.partner(one, "customer_optin_status_changed", moment, told)

    def cart(self, one: Cast, cart: str, stream: str, status: str, moment: datetime) -> None:
        """Land a delivery of a Jane cart."""
        body = {"cart": {
            "id": stable_number(cart), "uuid": cart, "status": status, "amount": 41.8,
            "created_at": f"{moment:%Y-%m-%d} 10:00:00", "checked_out_time": None, "customer_name": one.name,
            "customer_email_address": one.email, "customer_phone_number": one.written_phone,
            "user_id": one.jane_id, "external_user_id": None, "store_id": 68, "store_name": "denver",
            "reservation_mode": "pickup", "pos_order_id": None, "checkout_message": f"call {one.name}",
            "products": [{"product_id": 1, "product_name": "Blue Dream", "count": 1, "checkout_price": "41.80"}],
        }}  # fmt: skip
        key = hashlib.sha256(f"{moment.isoformat()}{json.dumps(body)}".encode()).hexdigest()
        self.scene.land(
            "jane", stream, moment, body, f"{key}:{stream}",
            **{"X-Jane-Request-Timestamp": str(int(moment.timestamp()))},
        )  # fmt: skip

    def _be_known(self, one: Cast) -> None:
        since = at(9, day=1)
        self.customer(one, since)
        self.customer(one, at(9, day=2), groups=["locals", "regulars"])
        shopify = {
            "id": one.shopify_id, "email": one.email, "phone": one.phone, "first_name": one.name.split()[0],
            "last_name": one.name.split()[1], "updated_at": since.isoformat(), "created_at": since.isoformat(),
        }  # fmt: skip
        self._shopify("customers/create", shopify, since, f"create-{one.key}")
        old = {**shopify, "id": one.shopify_id + 1, "email": f"old.{one.email}", "phone": None}
        self._shopify("customers/create", old, at(10, day=1), f"create-old-{one.key}")
        for channel in ("email", "sms"):
            self.consent(one, at(11, day=1), channel, "opted_in")
        # a device that nobody knew is hers
        self.partner(one, "product_viewed", at(11, day=1), {"product_id": "p1"}, device_id=one.device)
        self.partner(one, "customer_updated", at(12, day=1), {}, email=one.email, device_id=one.device)

    def _buy(self, one: Cast) -> None:
        for number, day in enumerate((3, 12)):
            order = {
                "id": f"order-{one.key}-{number}", "locationId": "store-1", "customerId": one.flowhub_id,
                "customerType": "recCustomer", "name": one.name, "fullName": one.name,
                "createdAt": f"2026-03-{day:02}T17:00:00Z", "completedOn": f"2026-03-{day:02}T17:05:00Z",
                "orderStatus": "sold", "orderType": "walk-in", "voided": False, "budtender": "Kim",
                "itemsInCart": [{
                    "productId": "p1", "productName": "Blue Dream", "category": "Flower", "sku": "s1", "brand": "Acme",
                    "quantity": 1, "unitPrice": 40, "totalPrice": 40, "totalDiscounts": 0,
                }],
                "totals": {"subTotal": 40, "finalTotal": 44, "totalTaxes": 4, "totalDiscounts": 0, "totalFees": 0},
                "payments": [{"_id": f"pay-{one.key}", "paymentType": "debit", "cardHolder": one.name}],
            }  # fmt: skip
            digest = hashlib.sha256(json.dumps(order).encode()).hexdigest()[:16]
            for delivery in range(2):  # a window is read again
                self.scene.land(
                    "flowhub", "orders", at(18 + delivery, day=day), order, f"{order['id']}:{digest}"
                )

    def _earn(self, one: Cast) -> None:
        customer = {"id": one.shopify_id, "email": one.email, "first_name": one.name.split()[0]}
        for name, properties in (
            ("wv/points/added", {"value": 120, "source": "purchase"}),
            ("wv/points/expiring", {"value": 80, "expired_at": "2026-03-30T00:00:00Z"}),
        ):
            event_id = f"{name}-{one.key}"
            body = {
                "event": name, "event_id": event_id, "occurred_at": at(17).isoformat(), "customer": customer,
                "properties": properties, "profile": {"wv_point_balance": 120, "wv_member_tier_name": "Gold"},
            }  # fmt: skip
            self.scene.land("omni", "events", at(17, 1), body, event_id)

    def _leave_cart(self, one: Cast) -> None:
        self.cart(one, f"left-{one.key}", "cart_abandoned", "pending", at(18))

    def _order(self, one: Cast) -> None:
        for status, minute in (("verification", 15), ("ready_for_pickup", 25)):
            self.cart(one, f"ordered-{one.key}", "cart_status", status, at(18, minute))

    def _hear_back(self, one: Cast) -> None:
        for kind, channel, address in (("opened", "email", one.email), ("stop", "sms", one.phone)):
            body = {
                "event_id": f"fb-{kind}-{one.key}", "type": kind, "occurred_at": at(18, 20).isoformat(),
                "channel": channel, "address": address,
            }  # fmt: skip
            self.scene.land("messaging", "feedback", at(18, 20), body, body["event_id"])
        merge = {
            "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{one.shopify_id}",
            "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{one.shopify_id + 1}",
            "status": "completed", "errors": [],
        }  # fmt: skip
        self._shopify("customers/merge", merge, at(18, 30), f"merge-{one.key}")

    def _fall_into_quarantine(self, one: Cast) -> None:
        broken = {
            "id": f"{one.flowhub_id}-2",
            "name": one.name,
            "email": one.email.upper(),
            "phone": one.written_phone,
        }
        self.scene.land("flowhub", "customers", at(18, 31), broken, f"{one.flowhub_id}-2:x")
        text = json.dumps({"cart": {"customer_name": one.name, "customer_email_address": one.email}})
        self.land_text("jane", "cart_status", f"broken-{one.key}", text[:-2])
        late = {
            "event_name": "profile_note",
            "customer": {},
            "properties": {"note": f"{one.name}, {one.birth_date}"},
        }
        self.scene.land("partners", "events", at(18, 32), late, f"p:note-{one.key}", partner="p")

    def land_text(self, source: str, stream: str, key: str, text: str) -> None:
        """Land a payload that is no JSON."""
        self.scene.log.append(f"text/{key}", [Record(source, stream, key, at(18, 33), text)])

    def _shopify(self, topic: str, body: dict[str, Any], moment: datetime, key: str) -> None:
        self.scene.land("shopify", "webhooks", moment, body, key, **{"X-Shopify-Topic": topic})

    def force_enrollment(self, one: Cast, moment: datetime) -> None:
        """Land a decision that no build would make."""
        enrollment = {
            "enrollment_id": "forced", "flow_name": "cart_abandoned_recovery", "flow_display_name": "Cart",
            "customer_id": "c_forced", "trigger_key": "forced", "triggered_at": moment.isoformat(),
            "enrolled_at": moment.isoformat(), "not_before": None, "expires_at": None, "channels": ["sms", "email"],
            "destination": "aiq", "kind": "transactional", "recipient": {"email": one.email, "phone": one.phone},
            "context": {},
        }  # fmt: skip
        told = {
            "kind": "decision",
            "outcome": "enrolled",
            "mode": "live",
            "build_no": 99,
            "enrollment": enrollment,
        }
        self.scene.land("perennial", "decisions", moment, told, "forced")

    # ---------- beside the log

    def _remember_pulls(self) -> None:
        home = Home(self.settings.home)
        with PullState(home.extractor_state, salt_of(self.settings)) as state:
            run = Run("p1", "customers", "", at(9))
            state.complete(run, {one.flowhub_id: f"hash of {one.key}" for one in CASTS}, sweep=True)
        dead = home.journal / "0123456789ab"
        dead.mkdir(parents=True)
        (dead / "lock").touch()
        records = {one.key: self._journaled(one) for one in CASTS}
        (dead / "000000000001.segment").write_bytes(b"".join(records.values()))
        (dead / "000000000002.damaged").write_bytes(b"\0\0" + records["ann"])
        (dead / "000000000003.damaged").write_bytes(b"\0\0" + records["bob"])

    def _journaled(self, one: Cast) -> bytes:
        body = {
            "event_id": f"journal-{one.key}", "event_name": "product_viewed", "occurred_at": at(18, 34).isoformat(),
            "customer": {"email": one.email, "phone": one.written_phone}, "properties": {},
        }  # fmt: skip
        record = Record(
            "partners", "events", f"p:journal-{one.key}", at(18, 34), json.dumps(body), {"partner": "p"}
        )
        return framed(_encoder.encode(record))


def ledger_rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the ledger's enrollments."""
    with closing(sqlite3.connect(settings.home / "ledger.sqlite")) as ledger:
        ledger.row_factory = sqlite3.Row
        for row in ledger.execute("select * from enrollments"):
            yield dict(row)
