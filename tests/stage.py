"""One home that many cases share, each with people, carts and devices of its own: a moment is paid for once."""

import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from extractors.landing.records import Record
from tests.scene import KNOWN_SINCE, Scene
from warehouse.builder import Builder

# Who sends what is no word about a cart.
_OF_OMNI = {"points_added": "wv/points/added", "birth_month_entered": "wv/birth_month/entered"}
_OF_PARTNERS = {"customer_created", "viewed_product"}


@dataclass
class Stage(Scene):
    """A scene that lands what happened between two moments together, and keeps its builder between them.

    ``shuffle`` lands it in several batches and in any order instead.
    """

    shuffle: random.Random | None = None
    waiting: list[Record] = field(default_factory=list)
    phoneless: set[str] = field(default_factory=set)
    _builder: Builder | None = None
    _told: str = ""

    def land(
        self, source: str, stream: str, at: datetime, payload: dict[str, Any], key: str, **headers: str
    ) -> None:
        """Keep one record until the next moment."""
        self.waiting.append(Record(source, stream, key, at, json.dumps(payload), headers))

    def land_waiting(self) -> None:
        """Land what has been kept."""
        records, self.waiting = self.waiting, []
        parts = 1
        if self.shuffle is not None:
            self.shuffle.shuffle(records)
            parts = 3
        for part in range(parts):
            if chosen := records[part::parts]:
                self.batches += 1
                self.log.append(f"case/{self.batches}", chosen)

    def build(self, moment: datetime) -> None:
        """Land what has been kept, and run a moment."""
        self.land_waiting()
        self.clock.set(moment, running=False)
        told = (self.home / "flows.json").read_text(encoding="utf-8")
        if told != self._told:
            self.let_go()  # a builder reads the flows' settings once
            self._told = told
        self._builder = self._builder or Builder(self.settings)
        report = self._builder.build(lane="hot")
        assert report.ok, report.error

    def let_go(self) -> None:
        """Close the warehouse file, for others to read it."""
        if self._builder is not None:
            self._builder.close()
            self._builder = None

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Query the warehouse between two moments."""
        self.let_go()
        return super().rows(query, *values)

    def full_name(self, person: str) -> str:
        """Return a name that no other person's is like: people are found alike by it."""
        digest = hashlib.sha256(person.encode()).digest()
        letters = "".join(chr(ord("a") + byte % 26) for byte in digest)
        return f"{letters[:9].title()} {letters[9:18].title()}"

    def flowhub_row(
        self, person: str, at: datetime, *, consents: dict[str, bool] | None = None, **facts: Any
    ) -> None:
        """Land a version of the person's Flowhub record; who has no number there has none anywhere."""
        if "phone" in facts:
            self.phoneless.add(person)
        super().flowhub_row(person, at, consents=consents, **facts)

    def jane_cart(
        self, stream: str, status: str, at: datetime, cart: str, person: str, received: datetime | None
    ) -> None:
        """Land a delivery of a Jane cart."""
        super().jane_cart(stream, status, at, cart, person, received)
        if person in self.phoneless:
            record = self.waiting.pop()
            body = json.loads(record.payload)
            body["cart"]["customer_phone_number"] = None
            self.waiting.append(
                Record(
                    record.source,
                    record.stream,
                    record.source_key,
                    record.received_at,
                    json.dumps(body),
                    record.headers,
                )
            )

    def order(
        self, person: str, order: str, at: datetime, total: float, *, voided_at: datetime | None = None
    ) -> None:
        """Land a purchase at the till, or that it was voided."""
        line = {
            "productId": "p",
            "productName": "Blue Dream",
            "category": "Flower",
            "quantity": 1,
            "totalPrice": total,
        }
        body = {
            "id": order, "customerId": f"fh-{person}", "orderStatus": "sold", "voided": voided_at is not None,
            "orderType": "walk-in", "locationId": "store", "createdAt": at.isoformat(), "completedOn": at.isoformat(),
            "originalSaleId": "", "totals": {"finalTotal": total, "subTotal": total}, "itemsInCart": [line],
        }  # fmt: skip
        self.land("flowhub", "orders", voided_at or at, body, f"{order}:{voided_at is not None}")


def tell(stage: Stage, fact: dict[str, Any], overrides: dict[str, Any]) -> None:
    """Land one fact as its source sends it; its words are those of the golden file."""
    at, person = fact["at"], fact.get("person", "")
    if fact.get("known"):
        stage.know(person, at, **overrides.get(person, {}))
    elif "merge" in fact:
        stage.merge(fact["merge"][0], fact["merge"][1], at)
    elif fact.get("identifies"):
        device = {"email": stage.email(person), "device_id": fact["device"]}
        stage.partner_event("customer_updated", at, device, {})
    elif "consent" in fact:
        stage.consent(person, at, fact["channel"], fact["consent"], fact.get("received"))
    elif "feedback" in fact:
        stage.feedback(person, at, fact["feedback"], fact["channel"])
    elif "flowhub_row" in fact:
        stage.flowhub_row(person, at, consents=fact["flowhub_row"], **overrides.get(person, {}))
    elif "order" in fact:
        stage.order(person, fact["order"], at, fact["total"], voided_at=fact.get("voided_at"))
    else:
        _tell_event(stage, fact)


def _tell_event(stage: Stage, fact: dict[str, Any]) -> None:
    """Let an event be told by who sends such events; what the clock brings nobody sends."""
    at, received, person, name = (
        fact["at"],
        fact.get("received"),
        fact.get("person", ""),
        fact.get("event", ""),
    )
    if "device" in fact:
        stage.partner_event(name, at, {"device_id": fact["device"]}, {"cart_id": fact["cart"]}, received)
    elif name in _OF_PARTNERS:
        about = {"product_id": fact["product"]} if "product" in fact else {}
        stage.partner_event(name, at, {"email": stage.email(person)}, about, received)
    elif name in _OF_OMNI:
        if fact.get("source") != "derived":
            about = {"value": 10, "source": fact["reason"]} if "reason" in fact else {}
            stage.omni_event(_OF_OMNI[name], at, person, about)
    else:
        # what Jane says of a cart: a status, or that it was left; touching it is being pending again
        stream = "cart_abandoned" if name == "cart_abandoned" else "cart_status"
        stage.jane_cart(stream, fact.get("status", "pending"), at, fact["cart"], person, received)


# Who enters an audience, and leaves it again, by what she buys and what is voided; the moments in which it is seen.
_BEFORE = timedelta(hours=20)
_SEEN = timedelta(hours=10)
_RECENT = timedelta(days=25)


def entering(
    audience: str, person: str, instants: list[datetime]
) -> tuple[list[dict[str, Any]], list[datetime]]:
    """Return what lets a person enter an audience at each instant, and the moments that see her outside of it."""
    facts: list[dict[str, Any]] = []
    if audience == "lapsed_customers":
        # two old purchases make her lapsed; a recent one keeps her from it until it is voided
        for number in range(2):
            at = KNOWN_SINCE + timedelta(days=number)
            facts.append({"at": at, "person": person, "order": f"old-{number}-{person}", "total": 20.0})
    for number, instant in enumerate(instants):
        order = f"{audience}-{number}-{person}"
        if audience == "lapsed_customers":
            before = _BEFORE if number else _RECENT
            bought = {"at": instant - before, "person": person, "order": order, "total": 20.0}
            facts += [bought, {**bought, "voided_at": instant}]
        else:
            facts.append({"at": instant, "person": person, "order": order, "total": 2_000.0})
            if number + 1 < len(instants):
                facts.append({**facts[-1], "voided_at": instants[number + 1] - _BEFORE})
    return facts, [instant - _SEEN for instant in instants]
