"""Who enters which flow, and why not: the rules once more, without SQL, slowly and plainly.

A history is what happened to a few people who have nothing to do with anybody else; ``decide`` says what is decided in
each of its moments. Everything is worked out anew from the facts that a moment sees; only decisions are remembered.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import seeds
from tests.scene import AREA_CODES, KNOWN_SINCE, stable_number

Fact = dict[str, Any]
DENVER = ZoneInfo("America/Denver")
_UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_RANKS = {row["jane_status"]: int(row["status_rank"]) for row in seeds.seed("jane_statuses")}
_FULFILLED = {row["jane_status"] for row in seeds.seed("jane_statuses") if row["order_status"] == "fulfilled"}
_CANCELED = {"cancelled", "dismissed"}
_STICKY = {"stop", "unsubscribed", "complained", "bounced"}


def duration(told: str) -> timedelta:
    """Read ``30 minutes``."""
    number, unit = told.split()
    return timedelta(seconds=int(number) * _UNITS[unit.removesuffix("s")])


@dataclass(frozen=True)
class Flow:
    """What a flow's settings say."""

    name: str
    told: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Whether it is marketing or serves an order."""
        return str(self.told["kind"])

    @property
    def window(self) -> timedelta:
        """How old an occurrence may be."""
        return duration(self.told.get("window", "2 hours"))

    @property
    def rank(self) -> int:
        """How important it is; 1 is the most."""
        return int(self.told.get("rank", 100))

    def get(self, key: str, default: object = None) -> Any:
        """Return another setting."""
        return self.told.get(key, default)


@dataclass(frozen=True)
class History:
    """People, what happened, when it was looked at, and what the flows were told to be.

    ``active_since`` and ``becomes_active`` are of all its flows.
    """

    facts: Sequence[Fact]
    moments: Sequence[datetime]
    flows: Sequence[Flow]
    people: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    active_since: datetime = KNOWN_SINCE
    dry_run_until: datetime | None = None


@dataclass(frozen=True)
class Candidate:
    """An occurrence of a flow's trigger."""

    flow: Flow
    key: str
    at: datetime
    subject: str
    node: str
    event: str
    cart: str | None
    is_first_seen: bool
    is_superseded: bool
    tells_of_the_end: bool = False


@dataclass(frozen=True)
class Decision:
    """What was decided about it."""

    flow: str
    mode: str
    key: str
    node: str
    triggered_at: datetime
    decided_at: datetime
    reason: str | None
    channels: tuple[str, ...] = ()
    not_before: datetime | None = None
    expires_at: datetime | None = None


@dataclass
class Memory:
    """A decision, with what has become of it since."""

    decision: Decision
    candidate: Candidate
    ended: str | None = None
    rejected: bool = False

    @property
    def counts(self) -> bool:
        """Say whether it counts: it enrolled, and has not ended without having been sent."""
        return self.decision.reason is None and self.ended is None and not self.rejected

    @property
    def counts_from(self) -> datetime:
        """When it counts from."""
        assert self.decision.not_before is not None
        return max(self.decision.decided_at, self.decision.not_before)

    @property
    def open_until(self) -> datetime:
        """When it is over by itself."""
        assert self.decision.expires_at is not None
        longest = self.candidate.flow.get("max_duration")
        return max(
            self.decision.expires_at, self.counts_from + (duration(longest) if longest else timedelta(0))
        )


@dataclass(frozen=True)
class World:
    """What a moment sees."""

    history: History
    now: datetime
    last: datetime | None

    @cached_property
    def facts(self) -> list[Fact]:
        """All that has been received by now, in the order of what happened."""
        seen = [fact for fact in self.history.facts if received(fact) <= self.now]
        return sorted(seen, key=lambda fact: fact["at"])

    def is_news(self, fact: Fact) -> bool:
        """Say whether the moment before did not see it: neither it nor the same thing told before."""
        same = [other for other in self.history.facts if event_of(other) == event_of(fact)]
        return self.last is None or min(map(received, same)) > self.last

    # ---------- people

    def person(self, fact_or_name: Fact | str) -> str | None:
        """Return who somebody is by now, under one name for all that are the same."""
        name = fact_or_name if isinstance(fact_or_name, str) else fact_or_name.get("person")
        if name is None:
            assert isinstance(fact_or_name, dict)
            device = fact_or_name["device"]
            known = [
                fact["person"]
                for fact in self.facts
                if fact.get("identifies") and fact.get("device") == device
            ]
            if not known:
                return None
            name = known[0]
        for fact in self.facts:
            if "merge" in fact and name in fact["merge"]:
                return str(min(fact["merge"]))
        return name

    def traits(self, person: str) -> Mapping[str, Any]:
        """Return what is known of a person."""
        return self.history.people.get(person, {})

    def phone(self, person: str) -> str | None:
        """Return her number; only where it is matters here."""
        traits = self.traits(person)
        number: str | None = traits.get("phone", f"+1{AREA_CODES[traits.get('state', 'CO')]}5550100")
        return number

    def consent(self, person: str, channel: str) -> tuple[str, bool]:
        """Return the consent of an address of hers, and whether it was stopped.

        A stop holds until she herself says yes; a till's word counts when it is first a yes, and when it turns.
        """
        status, stopped, till = "unknown", False, None
        initial = self.traits(person).get(f"{channel}_consent", "opted_in")
        if initial == "opted_in":
            status = "opted_in"
        for fact in self.facts:
            if fact.get("person") != person:
                continue
            if fact.get("feedback") in _STICKY and fact["channel"] == channel:
                status, stopped = "opted_out", True
            elif "consent" in fact and fact["channel"] == channel:
                status, stopped = fact["consent"], fact["consent"] == "opted_out"
            elif "flowhub_row" in fact:
                key = {"sms": "consentsToPromotionalSMS", "email": "consentsToPromotionalEmail"}[channel]
                says = fact["flowhub_row"].get(key, False)
                if says and not till and not stopped:
                    status = "opted_in"
                elif till and not says and not stopped:
                    status = "opted_out"
                till = says
        return status, stopped

    def open_from(self, person: str) -> datetime:
        """Return the first instant at which all places that she may be in allow a message."""
        where = seeds.places(self.traits(person).get("state", "CO"), self.phone(person))
        at = self.now
        while not all(seeds.is_open(place, at) for place in where):
            at = at.replace(second=0, microsecond=0) + timedelta(minutes=15 - at.minute % 15)
        return at

    # ---------- carts

    def of_cart(self, cart: str) -> list[Fact]:
        """Return what Jane said of a cart."""
        return [fact for fact in self.facts if fact.get("cart") == cart]

    def rank_of(self, cart: str) -> int:
        """Return the furthest status that a cart has been in."""
        return max(_RANKS[fact.get("status", "pending")] for fact in self.of_cart(cart))

    def canceled_at(self, cart: str) -> datetime | None:
        """Return when a cart's order was called off."""
        return min((f["at"] for f in self.of_cart(cart) if f.get("status") in _CANCELED), default=None)

    def ordered_at(self, cart: str) -> datetime | None:
        """Return when a cart became an order, whatever became of it."""
        return min(
            (
                f["at"]
                for f in self.of_cart(cart)
                if _RANKS[f.get("status", "pending")] >= _RANKS["verification"]
            ),
            default=None,
        )

    def orders(self, person: str) -> list[tuple[datetime, datetime]]:
        """Return when each order that stands was placed, and when it was last heard of as a purchase."""
        carts = {f["cart"] for f in self.facts if "cart" in f and self.person(f) == self.person(person)}
        found = []
        for cart in sorted(carts):
            placed = self.ordered_at(cart)
            if placed is not None and self.canceled_at(cart) is None:
                done = [f["at"] for f in self.of_cart(cart) if f.get("status") in _FULFILLED]
                found.append((placed, min(done, default=placed)))
        return found


def received(fact: Fact) -> datetime:
    """Return when a fact came in."""
    at: datetime = fact.get("received") or fact["at"]
    return at


def event_of(fact: Fact) -> str:
    """Return what a fact is about: told twice, it is one."""
    return repr(sorted((key, str(value)) for key, value in fact.items() if key not in {"received", "note"}))


# ---------- occurrences

_SILENCE = timedelta(minutes=30)


def _silences(world: World) -> Iterator[Fact]:
    """Yield what the clock brings: carts that were touched and then left alone, where nobody has said so."""
    for cart in sorted({fact["cart"] for fact in world.facts if fact.get("event") == "cart_updated"}):
        told = world.of_cart(cart)
        touched = max(fact["at"] for fact in told if fact.get("event") == "cart_updated")
        said = any(fact.get("event") == "cart_abandoned" and fact["at"] >= touched for fact in told)
        if touched + _SILENCE <= world.now and not said and world.ordered_at(cart) is None:
            about = {
                "person": told[0]["person"],
                "cart": cart,
                "event": "cart_abandoned",
                "source": "derived",
            }
            yield {**about, "at": touched + _SILENCE, "received": world.now}


def candidates(world: World, flow: Flow) -> Iterator[Candidate]:
    """Yield the occurrences that a moment looks at: news, and those whose window the moment before found open."""
    for found in _TRIGGERS[flow.name](world, flow):
        if not world.history.active_since <= found.at <= world.now:
            continue
        if world.history.dry_run_until and world.now >= world.history.dry_run_until > found.at:
            continue
        if found.is_first_seen or (world.last is not None and found.at + flow.window >= world.last):
            yield found


def _jane(world: World, flow: Flow, fact: Fact, key: str, **more: Any) -> Candidate:
    subject = fact.get("person") or fact["device"]
    node = f"jane_user:{stable_number(f'jane {subject}')}" if "person" in fact else f"device:{subject}"
    return Candidate(
        flow, key, fact["at"], subject, node, event_of(fact), fact["cart"], world.is_news(fact), **more
    )


def _abandoned(world: World, flow: Flow) -> Iterator[Candidate]:
    for fact in world.facts:
        if fact.get("event") != "cart_abandoned":
            continue
        cart = fact["cart"]
        # a cart is as old as what was first told of it says
        first = min((f for f in world.history.facts if f.get("cart") == cart), key=received)
        created = fact["at"] if "device" in fact else first["at"] - timedelta(minutes=40)
        touched = [
            f["at"] for f in world.of_cart(cart) if f.get("event") == "cart_updated" and f["at"] <= fact["at"]
        ]
        cart_id = cart if "device" in fact else stable_number(cart)  # Jane gives numbers, a partner its own
        key = f"cart:{cart_id}@{max(touched, default=created):%Y-%m-%d %H:%M:%S}"
        yield _jane(world, flow, fact, key, is_superseded=world.rank_of(cart) >= _RANKS["verification"])


def _status(status: str) -> Callable[[World, Flow], Iterator[Candidate]]:
    def found(world: World, flow: Flow) -> Iterator[Candidate]:
        for fact in world.facts:
            if fact.get("status") == status:
                key = f"order:{stable_number(fact['cart'])}:{status}"
                moved_on = world.rank_of(fact["cart"]) > _RANKS[status]
                yield _jane(world, flow, fact, key, is_superseded=moved_on)

    return found


def _canceled(world: World, flow: Flow) -> Iterator[Candidate]:
    for fact in world.facts:
        if fact.get("status") in _CANCELED:
            key = f"order:{stable_number(fact['cart'])}:canceled"
            back = any(bought > fact["at"] for _, bought in world.orders(fact["person"]))
            yield _jane(world, flow, fact, key, is_superseded=back, tells_of_the_end=True)


def _event(name: str, key: Callable[[Fact], str], where: Callable[[Fact], bool] = lambda _: True) -> Any:
    def found(world: World, flow: Flow) -> Iterator[Candidate]:
        for fact in world.facts:
            if fact.get("event") == name and where(fact):
                subject = fact["person"]
                yield Candidate(
                    flow, key(fact), fact["at"], subject, subject, event_of(fact), None,
                    is_first_seen=world.is_news(fact), is_superseded=False,
                )  # fmt: skip

    return found


def _entered(audience: str) -> Any:
    def found(world: World, flow: Flow) -> Iterator[Candidate]:
        for fact in world.facts:
            if fact.get("enters_audience") == audience:
                seen = min(moment for moment in world.history.moments if moment >= fact["at"])
                yield Candidate(
                    flow, f"audience:{audience}:{seen:%Y-%m-%d %H:%M:%S}", seen, fact["person"], fact["person"],
                    event_of(fact), None, is_first_seen=world.is_news(fact), is_superseded=False,
                )  # fmt: skip

    return found


_TRIGGERS: Mapping[str, Callable[[World, Flow], Iterator[Candidate]]] = {
    "cart_abandoned_recovery": _abandoned,
    "order_preparing": _status("preparing"),
    "order_ready_for_pickup": _status("ready_for_pickup"),
    "cancelled_order_recovery": _canceled,
    "points_earned": _event(
        "points_added", event_of, lambda fact: fact["reason"] in {"purchase", "offline_purchase"}
    ),
    "browse_abandonment": _event("viewed_product", event_of),
    "welcome": _event("customer_created", lambda _: "welcome"),
    "birthday_month": _event(
        "birth_month_entered", lambda fact: f"{fact['at'].astimezone(DENVER) + timedelta(hours=12):%Y-%m}"
    ),
    "vip_welcome": _entered("vip_customers"),
    "lapsed_customer_winback": _entered("lapsed_customers"),
}


# ---------- gates


@dataclass(frozen=True)
class Question:
    """A candidate at its gates: what the moment sees, and what was decided before."""

    world: World
    candidate: Candidate
    mode: str
    earlier: Sequence[Memory]

    @property
    def flow(self) -> Flow:
        """Its flow."""
        return self.candidate.flow

    @property
    def person(self) -> str:
        """Who it is about."""
        subject = self.candidate.subject
        name = self.world.person(subject if self._is_named else {"device": subject})
        assert name is not None
        return name

    @property
    def _is_named(self) -> bool:
        return not self.candidate.node.startswith("device:")

    @property
    def is_unknown(self) -> bool:
        """Say whether nobody knows who it is about."""
        return not self._is_named and self.world.person({"device": self.candidate.subject}) is None

    @property
    def is_marketing(self) -> bool:
        """Say whether it is no news of an order."""
        return self.flow.kind == "marketing"

    @property
    def window_is_over(self) -> bool:
        """Say whether its time has passed."""
        return self.candidate.at + self.flow.window < self.world.now

    @property
    def reachable(self) -> list[str]:
        """The channels of the flow that she has an address for."""
        return [
            channel
            for channel in self.flow.told["channels"]
            if channel == "email" or self.world.phone(self.person) is not None
        ]

    @property
    def allowed(self) -> list[str]:
        """Those of them that the flow may use."""
        allowed = []
        for channel in self.reachable:
            status, stopped = self.world.consent(self.person, channel)
            if self.is_marketing:
                relaxed = channel == "email" and self.flow.get("email_unless_opted_out", False)
                may = status == "opted_in" or (relaxed and status != "opted_out")
            else:
                may = not stopped
            if may:
                allowed.append(channel)
        return allowed

    @property
    def may_still_consent(self) -> bool:
        """Say whether a channel's consent was never asked for."""
        return any(self.world.consent(self.person, channel)[0] == "unknown" for channel in self.reachable)

    @property
    def hers(self) -> list[Memory]:
        """What counts of what she was enrolled in."""
        return [one for one in self.earlier if one.counts and one.decision.mode == self.mode]

    @property
    def in_this_flow(self) -> list[Memory]:
        """Those of them that are of this flow."""
        return [one for one in self.hers if one.decision.flow == self.flow.name]

    @property
    def of_others(self) -> list[Memory]:
        """Those of them that are other marketing."""
        return [
            one
            for one in self.hers
            if one.decision.flow != self.flow.name and one.candidate.flow.kind == "marketing"
        ]

    @property
    def uncapped(self) -> list[str]:
        """The channels that are allowed and not yet full."""
        if not self.is_marketing:
            return self.allowed
        left = []
        for channel in self.allowed:
            most, hours = seeds.cap(
                self.world.traits(self.person).get("state", "CO"), channel, self.world.now.date()
            )
            sent = [
                one
                for one in self.hers
                if one.candidate.flow.kind == "marketing"
                and channel in one.decision.channels
                and one.counts_from + timedelta(hours=hours) > self.world.now
            ]
            if len(sent) < most:
                left.append(channel)
        return left


def _born(question: Question) -> date | None:
    told = question.world.traits(question.person).get("birth_date", "1990-05-15")
    return None if told is None else date.fromisoformat(str(told))


def _programme(question: Question) -> str:
    return str(question.world.traits(question.person).get("programme", "rec"))


def _is_superseded(question: Question) -> bool:
    candidate = question.candidate
    called_off = candidate.cart is not None and question.world.canceled_at(candidate.cart) is not None
    return candidate.is_superseded or (called_off and not candidate.tells_of_the_end)


def _is_late(question: Question) -> bool:
    return question.window_is_over and question.candidate.is_first_seen


def _is_too_young(question: Question) -> bool:
    born = _born(question)
    if not question.is_marketing or born is None:
        return False
    state = question.world.traits(question.person).get("state", "CO")
    zones = {row["state"]: row["time_zone"] for row in seeds.seed("states")}
    today = question.world.now.astimezone(ZoneInfo(zones[state])).date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return age < seeds.minimum_age(state, _programme(question))


def _is_of_other_programme(question: Question) -> bool:
    wanted = str(question.flow.get("programme", "any"))
    return wanted != "any" and (_programme(question) == "med") != (wanted == "med")


def _entered_too_recently(question: Question) -> bool:
    told = question.flow.get("reentry", "always")
    if told == "always":
        return False
    return any(
        told == "never" or one.counts_from + duration(told) > question.world.now
        for one in question.in_this_flow
    )


def _is_still_in(question: Question) -> bool:
    return not question.flow.get("concurrent", True) and any(
        one.counts_from + duration(question.flow.told["max_duration"]) > question.world.now
        for one in question.in_this_flow
    )


def _is_outranked(question: Question) -> bool:
    return question.is_marketing and any(
        one.candidate.flow.rank <= question.flow.rank
        and one.counts_from + timedelta(days=1) > question.world.now
        for one in question.of_others
    )


def _is_held_out(question: Question) -> bool:
    told = f"{question.candidate.node}|{question.flow.name}|holdout"
    bucket = int(hashlib.md5(told.encode()).hexdigest()[:15], 16) % 100  # noqa: S324 -- no secret
    return question.is_marketing and bucket < question.flow.get("holdout_percent", 0)


Gate = tuple[str, Callable[[Question], bool]]

GATES: tuple[Gate, ...] = (
    ("superseded", _is_superseded),
    ("late", _is_late),
    ("unknown_person", lambda question: question.is_unknown),
    ("no_identifier", lambda question: not question.reachable),
    ("under_age", _is_too_young),
    ("age_unknown", lambda question: question.is_marketing and _born(question) is None),
    ("programme", _is_of_other_programme),
    ("no_consent", lambda question: question.is_marketing and not question.allowed),
    ("suppressed", lambda question: not question.allowed),
    ("reentry", _entered_too_recently),
    ("concurrent", _is_still_in),
    ("lower_rank", _is_outranked),
    ("frequency_cap", lambda question: not question.uncapped),
    ("holdout", _is_held_out),
)
# These wait for news of her while the window is open.
_CURABLE = {"unknown_person", "no_identifier", "age_unknown", "no_consent"}
# These look at nobody, or at what was decided before.
_WITHOUT_A_PERSON = {"superseded", "late", "unknown_person"}
_WITH_MEMORY = {"reentry", "concurrent", "lower_rank", "frequency_cap", "holdout"}


def _first_failed(question: Question, gates: Sequence[Gate]) -> str | None:
    for name, fails in gates:
        if name not in _WITHOUT_A_PERSON and question.is_unknown:
            continue
        # what waited and was cured after its time is late; no gate with a memory is asked about it
        if name in _WITH_MEMORY and question.window_is_over:
            return "late"
        if fails(question):
            return name
    return None


# ---------- decisions


def decide(history: History, gates: Sequence[Gate] = GATES) -> list[Memory]:
    """Return all that is decided, in the order in which it is."""
    memory: list[Memory] = []
    last: datetime | None = None
    for now in history.moments:
        silent = list(_silences(World(history, now, last)))
        history = replace(history, facts=[*history.facts, *silent])
        world = World(history, now, last)
        _hear_receipts(world, memory)
        mode = "dry_run" if history.dry_run_until and now < history.dry_run_until else "live"
        found = [one for flow in history.flows for one in candidates(world, flow)]
        found.sort(key=lambda one: (one.flow.rank, one.at, one.node, one.event))
        for one in _undecided(world, found, memory, mode):
            hers = [old for old in memory if _same_person(world, old.candidate, one)]
            question = Question(world, one, mode, hers)
            reason = _first_failed(question, gates)
            if not _waits(question, reason):
                memory.append(Memory(_decision(question, reason), one))
        _end(world, memory)
        last = now
    return memory


def _waits(question: Question, reason: str | None) -> bool:
    """Say whether news of her may still cure the reason: a consent that was refused is an answer."""
    if reason not in _CURABLE or question.window_is_over:
        return False
    return reason != "no_consent" or question.may_still_consent


def _decision(question: Question, reason: str | None) -> Decision:
    world, candidate, flow = question.world, question.candidate, question.flow
    decision = Decision(
        flow.name, question.mode, candidate.key, candidate.node, candidate.at, world.now, reason
    )
    if reason is not None:
        return decision
    not_before = world.open_from(question.person) if question.is_marketing else world.now
    grace = duration(flow.get("grace", "1 hour"))
    return replace(
        decision,
        channels=tuple(channel for channel in ("sms", "email") if channel in question.uncapped),
        not_before=not_before,
        expires_at=max(candidate.at + flow.window, not_before + grace),
    )


def _undecided(
    world: World, found: Sequence[Candidate], memory: Sequence[Memory], mode: str
) -> Iterator[Candidate]:
    """Yield what is to be decided, one an occurrence and person: the first of its tellings."""
    seen: set[tuple[str, str, str]] = set()
    for one in sorted(found, key=lambda one: (one.flow.rank, one.at, one.node, one.event)):
        who = who_is(world, one)
        told = (one.flow.name, one.key, who)
        known = any(
            old.decision.flow == one.flow.name
            and old.decision.mode == mode
            and (
                (old.candidate.event == one.event and old.candidate.node == one.node)
                or (old.decision.key == one.key and who_is(world, old.candidate) == who)
            )
            for old in memory
        )
        if told not in seen and not known:
            seen.add(told)
            yield one


def who_is(world: World, candidate: Candidate) -> str:
    """Return the person that a candidate is about by now, else what it is known by."""
    if not candidate.node.startswith("device:"):
        return world.person(candidate.subject) or candidate.subject
    return world.person({"device": candidate.subject}) or candidate.node


def _same_person(world: World, one: Candidate, other: Candidate) -> bool:
    return who_is(world, one) == who_is(world, other)


def _hear_receipts(world: World, memory: Sequence[Memory]) -> None:
    for fact in world.facts:
        for one in memory:
            if fact.get("receipt") == "rejected" and fact["person"] == one.candidate.subject:
                one.rejected |= one.decision.decided_at <= fact["at"]


def _end(world: World, memory: Sequence[Memory]) -> None:
    """End what has ended: it counts no more from the next moment on."""
    begun = [one for one in memory if one.counts and one.decision.mode == "live"]
    for one in begun:
        if world.last is not None and one.open_until < world.last:
            continue
        one.ended = _why_ended(world, one, begun)


def _why_ended(world: World, one: Memory, begun: Sequence[Memory]) -> str | None:
    candidate = one.candidate
    person = who_is(world, candidate)
    exits = candidate.flow.get("exits", ())
    if candidate.cart is not None:
        called_off = world.canceled_at(candidate.cart)
        if called_off and candidate.at < called_off <= one.open_until:
            return "canceled"
    if "bought" in exits:
        own = world.ordered_at(candidate.cart) if candidate.cart else None
        placed = [at for at, _ in world.orders(person) if candidate.at < at]
        if any(at <= one.open_until for at in [*placed, *([own] if own else [])]):
            return "purchased"
    if any(
        other is not one
        and other.counts
        and (other.decision.flow, other.decision.key) == (one.decision.flow, one.decision.key)
        and _same_person(world, other.candidate, candidate)
        and (other.decision.decided_at, other.decision.node) < (one.decision.decided_at, one.decision.node)
        for other in begun
    ):
        return "superseded"
    refused = [world.consent(person, channel)[0] == "opted_out" for channel in one.decision.channels]
    if candidate.flow.kind == "marketing" and all(refused):
        return "opted_out"
    # nothing is ever sent in these histories, so every enrollment is asked again whose date of birth it was
    question = Question(world, candidate, one.decision.mode, [])
    return "under_age" if not question.is_unknown and _is_too_young(question) else None
