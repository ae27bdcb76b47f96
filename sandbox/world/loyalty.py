"""OMNI's loyalty events and Shopify's customer webhooks."""

import random
from dataclasses import dataclass

import numpy as np

from sandbox.world.draft import Draft
from sandbox.world.ids import DAY, HOUR, MINUTE, SECOND, digest, iso_s, number, to_us
from sandbox.world.knowledge import Knowledge
from sandbox.world.orders import NOBODY, SOLD, Lines, Orders, sums_by_order
from sandbox.world.people import Member, People, Person, e164
from sandbox.world.spec import WorldSpec
from sandbox.world.truth import Expected, Identity, Truth

OMNI_PATH = "/webhooks/omni"
SHOP_DOMAIN = "high-mesa-demo.myshopify.com"

POINTS_KNOWN_DAYS = 40
EXPIRING_SHARE = 0.055
FEWEST_EXPIRING = 5
WINDOW_PURCHASES_EARN = 0.6
REDEEMS = 0.01
TIER_CHANGES = 0.12
BIRTH_MONTH_CAPTURED = 0.10
REGISTERS = 0.7
TIER_SOURCES = ("spending_upgrade", "spending_extend", "spending_downgrade", "manual_assign")
NEWS_OF_A_CUSTOMER = 0.04
POINTS_BY_PHONE_ONLY = 0.06
# OMNI's Flow triggers are switched on one by one; what has no workflow yet reaches Klaviyo only.
ONE_IN_SO_MANY_BY_KLAVIYO_ONLY = 15


@dataclass(slots=True)
class _Event:
    """What happened to a member; ``points`` is by how much the balance moves."""

    at: int
    name: str
    properties: dict[str, object]
    points: int = 0


@dataclass(frozen=True)
class LoyaltyMaker:
    """Drafts the events of every member."""

    spec: WorldSpec
    people: People
    draft: Draft
    truth: Truth
    knowledge: Knowledge

    def make(self, orders: Orders, lines: Lines) -> None:
        """Draft what OMNI and Shopify send, and write down whose records they are."""
        members = [(person, person.member) for person in self.people.persons if person.member is not None]
        purchases = self._purchases(orders, lines)
        expiring = self._choose_expiring(members)
        for person, member in members:
            rng = random.Random(f"{self.spec.seed}:loyalty:{person.person_id}")
            self._name(person, member)
            events = self._history(rng, person, member)
            for at, dollars in purchases.get(person.index, []):
                if rng.random() < WINDOW_PURCHASES_EARN and dollars:
                    note: dict[str, object] = {
                        "value": dollars,
                        "source": "purchase",
                        "note": "In-store purchase",
                    }
                    events.append(_Event(at + 2 * MINUTE, "wv/points/added", note, dollars))
            if rng.random() < REDEEMS:
                events += self._redemption(rng)
            if person.index in expiring:
                events.append(self._expiring(rng, member, expiring[person.index]))
            self._send(rng, person, member, events)
            if member.second_shopify_id is not None:
                self._merge(rng, person, member, failed=False)
        if members:
            self._merge(random.Random(f"{self.spec.seed}:failed"), *members[0], failed=True)

    def _purchases(self, orders: Orders, lines: Lines) -> dict[int, list[tuple[int, int]]]:
        """Return (completed, dollars) of the sales since the window's start, by person."""
        net = sums_by_order(orders, lines.price - lines.discount - lines.coupon)
        lately = (orders.completed >= to_us(self.spec.window_start)) & (orders.status == SOLD)
        chosen = np.flatnonzero(lately & (orders.account != NOBODY) & (orders.refund_of == 0))
        found: dict[int, list[tuple[int, int]]] = {}
        for place in chosen.tolist():
            sale = int(orders.completed[place]), int(net[place]) // 100
            found.setdefault(int(orders.person[place]), []).append(sale)
        return found

    def _choose_expiring(self, members: list[tuple[Person, Member]]) -> dict[int, int]:
        """Return when OMNI warns whom: some in the days before the window, some all over it."""
        rng = random.Random(f"{self.spec.seed}:expiring")
        many = min(len(members) // 2, max(FEWEST_EXPIRING, round(len(members) * EXPIRING_SHARE)))
        chosen = [person.index for person, _ in rng.sample(members, 2 * many)]
        start, end = to_us(self.spec.window_start), to_us(self.spec.window_end)
        inside = [start + int((end - start) * (n + rng.random()) / max(1, many)) for n in range(many)]
        before = [start - rng.randint(HOUR, 5 * DAY) for _ in range(many)]
        return dict(zip(chosen, inside + before, strict=True))

    def _name(self, person: Person, member: Member) -> None:
        for shopify_id in (member.shopify_id, member.second_shopify_id):
            if shopify_id is not None:
                self.truth.people.append(Identity(person.person_id, "shopify_customer", str(shopify_id)))

    def _history(self, rng: random.Random, person: Person, member: Member) -> list[_Event]:
        """Return what let the balance be what it is at the window's start."""
        start = to_us(self.spec.window_start)
        if member.joined_lately:
            joined = rng.randint(to_us(self.spec.webhooks_since), to_us(self.spec.window_end))
            events = [_Event(joined, "wv/member/activated", {})]
            self._customer_webhook(joined, person, member.shopify_id, "customers/create")
            if rng.random() < REGISTERS:
                registered = joined + rng.randint(2, 90) * MINUTE
                welcome: dict[str, object] = {"value": 50, "source": "welcome_bonus", "note": ""}
                events.append(_Event(registered, "wv/member/account_registered", {}))
                events.append(_Event(registered + SECOND, "wv/points/added", welcome, 50))
            member.points = 0
            return events
        earned = start - rng.randint(HOUR, POINTS_KNOWN_DAYS * DAY)
        value = rng.randint(5, max(6, member.points))
        source = rng.choices(("purchase", "manual", "birthday_bonus", "one_time_campaign"), (80, 8, 6, 6))[0]
        events = [_Event(earned, "wv/points/added", {"value": value, "source": source, "note": ""}, value)]
        member.points = max(0, member.points - value)
        if rng.random() < TIER_CHANGES:
            events.append(self._tier(rng, member, earned + MINUTE))
        if rng.random() < BIRTH_MONTH_CAPTURED:
            month: dict[str, object] = {"birth_month": f"{person.birth.month:02d}"}
            events.append(_Event(start - rng.randint(HOUR, 20 * DAY), "wv/birth_month/captured", month))
        if rng.random() < NEWS_OF_A_CUSTOMER:
            updated = rng.randint(to_us(self.spec.webhooks_since), to_us(self.spec.window_end))
            self._customer_webhook(updated, person, member.shopify_id, "customers/update")
        return events

    def _tier(self, rng: random.Random, member: Member, at: int) -> _Event:
        source = rng.choices(TIER_SOURCES, (5, 3, 1, 1))[0]
        properties: dict[str, object] = {"source": source, "old_tier": "Green", "new_tier": member.tier}
        return _Event(at, "wv/tier/updated", properties)

    def _redemption(self, rng: random.Random) -> list[_Event]:
        at = rng.randint(to_us(self.spec.window_start), to_us(self.spec.window_end))
        spent: dict[str, object] = {"value": 10, "source": "reward_redemption", "note": ""}
        reward: dict[str, object] = {
            "source": "points_redemption",
            "reward_type": "Discount_code",
            "discount_code": f"HM-{digest('code', at)[:8].upper()}",
            "name": "$5 off",
            "expired_at": iso_s(at + 30 * DAY),
        }
        return [
            _Event(at, "wv/points/subtracted", spent, -10),
            _Event(at + SECOND, "wv/reward/issued", reward),
        ]

    def _expiring(self, rng: random.Random, member: Member, at: int) -> _Event:
        value = rng.randint(5, max(6, member.points or 20))
        expiry = at + rng.randint(14, 29) * DAY
        return _Event(at, "wv/points/expiring", {"value": value, "expired_at": iso_s(expiry)})

    def _send(self, rng: random.Random, person: Person, member: Member, events: list[_Event]) -> None:
        balance = member.points
        contact = rng.random() >= POINTS_BY_PHONE_ONLY
        window = to_us(self.spec.window_start), to_us(self.spec.window_end)
        for place, event in enumerate(sorted(events, key=lambda one: one.at)):
            balance = max(0, balance + event.points)
            event_id = f"omni-{digest('omni', person.person_id, place)[:16]}"
            body = {
                "event": event.name,
                "event_id": event_id,
                "occurred_at": iso_s(event.at),
                "shop_domain": SHOP_DOMAIN,
                "customer": {
                    "id": member.shopify_id,
                    "email": person.email if contact else None,
                    "phone": e164(person.phone),
                },
                "properties": event.properties,
                "profile": self._profile(member, balance, event.at),
            }
            subject = f"member:{person.person_id}"
            earned = event.name == "wv/points/added"
            klaviyo_only = (
                earned and number("by klaviyo only", event_id) % ONE_IN_SO_MANY_BY_KLAVIYO_ONLY == 0
            )
            sender, path = ("klaviyo", "") if klaviyo_only else ("omni", OMNI_PATH)
            self.draft.add(event.at, sender, path, subject, body, topic=event.name, history=True)
            if event.name == "wv/points/expiring" and window[0] <= event.at < window[1]:
                reason, detail = self.knowledge.marketing(person, event.at)
                detail["points_balance"] = balance
                self.truth.expected.append(
                    Expected(
                        "points_expiring_reminder",
                        event_id,
                        event.at,
                        person.person_id,
                        eligible=reason is None,
                        reason=reason,
                        detail=detail,
                    )
                )

    def _profile(self, member: Member, balance: int, at: int) -> dict[str, object]:
        return {
            "wv_point_balance": balance,
            "wv_point_balance_updated_at": iso_s(at),
            "wv_member_tier": f"t_{member.tier.lower()}",
            "wv_member_tier_name": member.tier,
            "wv_member_tier_expired_at": "2018-01-01",
            "wv_member_status": "Active",
        }

    def _customer_webhook(self, at: int, person: Person, shopify_id: int, topic: str) -> None:
        city, zip_code, state = person.place
        address = {
            "id": shopify_id + 1,
            "customer_id": shopify_id,
            "first_name": person.first,
            "last_name": person.last,
            "address1": person.street,
            "city": city,
            "province_code": state,
            "zip": zip_code,
            "country_code": "US",
        }
        body = {
            "id": shopify_id,
            "created_at": iso_s(at),
            "updated_at": iso_s(at),
            "first_name": person.first,
            "last_name": person.last,
            "state": "enabled",
            "note": None,
            "verified_email": True,
            "multipass_identifier": None,
            "tax_exempt": False,
            "email": person.email,
            "phone": e164(person.phone),
            "currency": "USD",
            "addresses": [address],
            "tax_exemptions": [],
            "admin_graphql_api_id": f"gid://shopify/Customer/{shopify_id}",
            "default_address": address,
        }
        path = f"/webhooks/shopify/{topic}"
        self.draft.add(at, "shopify", path, f"member:{person.person_id}", body, topic=topic)

    def _merge(self, rng: random.Random, person: Person, member: Member, *, failed: bool) -> None:
        """Merge the two Shopify customers of a person; a failed merge changes nothing."""
        other = member.second_shopify_id or member.shopify_id + 7
        at = rng.randint(to_us(self.spec.webhooks_since) + HOUR, to_us(self.spec.window_end))
        if not failed:
            self._customer_webhook(at - 50 * MINUTE, person, other, "customers/create")
        error = {"customer_ids": [other], "field": "customer", "message": "Customer has store credit"}
        body = {
            "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{member.shopify_id}",
            "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{other}",
            "admin_graphql_api_job_id": None,
            "status": "failed" if failed else "completed",
            "errors": [error] if failed else [],
        }
        subject = f"member:{person.person_id}"
        path = "/webhooks/shopify/customers/merge"
        self.draft.add(at, "shopify", path, subject, body, topic="customers/merge")
        if failed:
            return
        merged = {
            "event": "wv/customer/merged",
            "event_id": f"omni-{digest('merge', person.person_id)[:16]}",
            "occurred_at": iso_s(at + 5 * SECOND),
            "shop_domain": SHOP_DOMAIN,
            "customer": {"id": member.shopify_id, "email": person.email, "phone": e164(person.phone)},
            "properties": {"source_customer_id": other, "destination_customer_id": member.shopify_id},
            "profile": self._profile(member, member.points + 40, at),
        }
        self.draft.add(at + 5 * SECOND, "omni", OMNI_PATH, subject, merged, topic="wv/customer/merged")
