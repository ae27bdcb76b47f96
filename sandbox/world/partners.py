"""What the storefront and the greeter at the door send: browsing, visits, opt-outs."""

import random
from dataclasses import dataclass

import numpy as np

from sandbox.flowhub.order_body import order_id
from sandbox.world.carts import Cart
from sandbox.world.draft import Draft
from sandbox.world.ids import MINUTE, SECOND, digest, iso_s, to_us
from sandbox.world.knowledge import Knowledge
from sandbox.world.orders import NOBODY, WALK_IN, Orders
from sandbox.world.people import People, Person, e164
from sandbox.world.spec import WorldSpec
from sandbox.world.stores import STORES
from sandbox.world.truth import Identity, Truth
from sandbox.world.words import BUDTENDERS

EVENTS_PATH = "/v1/events"
BROWSED_FIRST = 0.35
DEVICE_NAMED = 0.5
GREETED_BEFORE, GREETED_NOW = 0.02, 0.15
OPT_OUTS_BEFORE, OPT_OUTS_NOW = 24, 5


@dataclass(frozen=True)
class PartnerMaker:
    """Drafts the events of both partners."""

    spec: WorldSpec
    people: People
    draft: Draft
    truth: Truth

    def browse(self, carts: list[Cart]) -> None:
        """Draft what the storefront saw of a device before a cart: anonymous, at times named later."""
        for cart in carts:
            rng = random.Random(f"{self.spec.seed}:browse:{cart.cart_id}")
            if rng.random() >= BROWSED_FIRST:
                continue
            device = f"d-{digest('device', cart.person.person_id)[:12]}"
            who = {"device_id": device}
            at = cart.created - rng.randint(2, 9) * MINUTE
            store = STORES[cart.store]
            for product in cart.products[:2]:
                properties: dict[str, object] = {"store_id": store.location_id, **_shown(product)}
                self._send("storefront", at, "viewed_product", device, who, properties)
                self._send("storefront", at + 40 * SECOND, "added_to_cart", device, who, properties)
                at += MINUTE
            if cart.named == 0 and rng.random() < DEVICE_NAMED:
                named = {"device_id": device, "email": cart.email}
                self._send("storefront", at, "active_on_site", device, named, {"store_id": store.location_id})
                self.truth.people.append(Identity(cart.person.person_id, "device", device))

    def greet(self, orders: Orders) -> None:
        """Draft the visits of some who came to a store."""
        rng = random.Random(f"{self.spec.seed}:greet")
        since, now = to_us(self.spec.webhooks_since), to_us(self.spec.window_start)
        walked = (orders.kind == WALK_IN) & (orders.account != NOBODY) & (orders.refund_of == 0)
        for place in np.flatnonzero(walked & (orders.completed >= since)).tolist():
            completed = int(orders.completed[place])
            if rng.random() >= (GREETED_NOW if completed >= now else GREETED_BEFORE):
                continue
            person = self.people.persons[int(orders.person[place])]
            account = self.people.accounts[int(orders.account[place])]
            who = {"phone": e164(person.phone)}
            if rng.random() < DEVICE_NAMED:
                who = {"customer_id": account.account_id}
            store: dict[str, object] = {"store_id": STORES[int(orders.store[place])].location_id}
            arrived = int(orders.created[place]) - rng.randint(3, 15) * MINUTE
            subject = f"person:{person.person_id}"
            tender = {**store, "budtender": BUDTENDERS[rng.randrange(len(BUDTENDERS))]}
            self._send("greeter", arrived, "customer_checked_in", subject, who, store)
            self._send(
                "greeter", arrived + 2 * MINUTE, "customer_assigned_to_budtender", subject, who, tender
            )
            self._send("greeter", completed + MINUTE, "customer_checked_out", subject, who, store)

    def opt_out(self, knowledge: Knowledge) -> None:
        """Draft opt-outs that were said aloud, and let the truth know them."""
        rng = random.Random(f"{self.spec.seed}:opt-outs")
        since, start = to_us(self.spec.webhooks_since), to_us(self.spec.window_start)
        end = to_us(self.spec.window_end)
        people = len(self.people.persons)
        times = [rng.randint(since, start) for _ in range(min(OPT_OUTS_BEFORE, people // 20))]
        times += [rng.randint(start, end) for _ in range(min(OPT_OUTS_NOW, people // 20))]
        for at, person in zip(times, rng.sample(self.people.persons, len(times)), strict=True):
            channel = rng.choice(("email", "sms"))
            address = person.email if channel == "email" else e164(person.phone)
            properties: dict[str, object] = {
                "channel": channel,
                "status": "opted_out",
                "address": address,
                "basis": "asked at the door",
            }
            who = {"email": person.email} if channel == "email" else {"phone": address}
            subject = f"person:{person.person_id}"
            self._send("greeter", at, "customer_optin_status_changed", subject, who, properties)
            knowledge.opt_out(channel, address, at)

    def _send(  # noqa: PLR0913, PLR0917 - an event has that many parts
        self,
        partner: str,
        at: int,
        name: str,
        subject: str,
        who: dict[str, str],
        properties: dict[str, object],
    ) -> None:
        body = {
            "event_id": f"{partner[0]}-{digest(partner, at, name, subject, properties)[:20]}",
            "event_name": name,
            "occurred_at": iso_s(at),
            "customer": who,
            "properties": properties,
        }
        self.draft.add(at, partner, EVENTS_PATH, subject, body, topic=name)


def name_records(people: People, orders: Orders, truth: Truth) -> None:
    """Write down whose the Flowhub customers, Jane users and guest sales are."""
    for account in people.accounts:
        owner = people.persons[account.person].person_id
        truth.people.append(Identity(owner, "flowhub_customer", account.account_id, account.mess))
    for person in people.persons:
        _name_jane(person, truth)
    for place in np.flatnonzero((orders.account == NOBODY) & (orders.person != NOBODY)).tolist():
        owner = people.persons[int(orders.person[place])].person_id
        truth.people.append(
            Identity(owner, "flowhub_guest_order", order_id(int(orders.order_no[place])), "guest")
        )


def _name_jane(person: Person, truth: Truth) -> None:
    if person.jane is None:
        return
    truth.people.append(Identity(person.person_id, "jane_user", str(person.jane.user_id)))
    if person.jane.external_id:
        truth.people.append(Identity(person.person_id, "jane_external_user", person.jane.external_id))


def _shown(product: dict[str, object]) -> dict[str, object]:
    return {name: product[name] for name in ("product_id", "product_name", "brand")}
