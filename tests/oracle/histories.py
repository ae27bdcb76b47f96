"""Histories by chance: what may happen to a shopper around some moments, in the golden file's words."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.oracle.rules import Fact, Flow, History
from tests.scene import stable_number

_STATES = ("CO", "CO", "FL", "NY", "TX", "CA")
_BIRTHS = ("1990-05-15",) * 6 + ("2005-03-14", "2005-03-15", "2006-12-01", "2007-11-01", None)
_LATE = (0, 0, 0, 0, 7, 40, 190)  # minutes between what happened and its arrival
_PATHS = (
    ("verification",),
    ("verification", "preparing", "ready_for_pickup"),
    ("verification", "preparing", "ready_for_pickup", "finished"),
    ("verification", "cancelled"),
    ("verification", "preparing", "dismissed"),
    ("preparing",),
    ("ready_for_pickup",),
    ("cancelled",),
)


@dataclass(frozen=True, eq=False)
class Setting:
    """A season: its moments, and what the flows are told to be."""

    name: str
    moments: Sequence[datetime]
    flows: Mapping[str, Mapping[str, Any]]

    def flows_told(self, shipped: Mapping[str, Mapping[str, Any]]) -> list[Flow]:
        """Return the flows as they are shipped, with what this season changes."""
        return [Flow(name, {**shipped[name], **told}) for name, told in self.flows.items()]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SEASONS = (
    Setting(
        "an afternoon and the next day, flows of one rank",
        [_at(f"2026-03-15T{time}") for time in ("18:00", "18:20", "18:45", "23:59:59")]
        + [_at("2026-03-16T17:30")],
        {
            "cart_abandoned_recovery": {"holdout_percent": 20, "rank": 20},
            "cancelled_order_recovery": {"rank": 20},
            "order_preparing": {},
            "order_ready_for_pickup": {},
        },
    ),
    Setting(
        "the night in which clocks go forward, a flow that nobody enters twice at a time",
        [_at(f"2026-03-08T{time}") for time in ("01:40", "02:30", "06:30", "09:15", "15:20")],
        {
            "cart_abandoned_recovery": {
                "window": "4 hours", "concurrent": False, "max_duration": "5 hours", "rank": 10,
                "email_unless_opted_out": True, "programme": "rec",
            },
            "cancelled_order_recovery": {"rank": 5, "reentry": "always", "window": "5 hours"},
            "order_preparing": {"channels": ["sms"], "reentry": "1 days"},
            "order_ready_for_pickup": {"window": "30 minutes"},
        },
    ),
    Setting(
        "the night in which clocks go back, many messages",
        [_at(f"2026-11-01T{time}") for time in ("03:30", "07:30", "08:30", "14:50", "23:10")],
        {
            "cart_abandoned_recovery": {"window": "1 days", "channels": ["sms"], "rank": 20, "holdout_percent": 10},
            "cancelled_order_recovery": {"rank": 30, "reentry": "always", "window": "1 days", "exits": []},
            "order_preparing": {"concurrent": False, "max_duration": "2 hours", "reentry": "1 days"},
            "order_ready_for_pickup": {"reentry": "never", "programme": "med"},
        },
    ),
)  # fmt: skip


def rare(season: Setting, flows: Sequence[Flow]) -> list[History]:
    """Return cases in which two gates fail at once that chance seldom brings together, told moment by moment."""
    place = SEASONS.index(season)
    told: list[tuple[str, list[Fact]]] = []
    traits: dict[str, Any] = {}
    if place == 0:
        # a canceled order of somebody who has had enough messages, all of them of a flow of the same rank
        left = [_soon(season, at, f"r{at}", event="cart_abandoned") for at in range(3)]
        told.append(("plenty", [*left, _soon(season, 3, "r3", status="cancelled")]))
    if place == 1:
        # an order's news while she may not enter again, and says stop
        again = [_soon(season, 0, "r0", status="preparing"), _soon(season, 3, "r1", status="preparing")]
        told.append(("again", [*again, _soon(season, 2, None, feedback="stop", channel="sms")]))
        # a cart while she is in the flow, and a more important one has written to her
        busy = [_soon(season, 0, "r0", event="cart_abandoned"), _soon(season, 1, "r1", status="cancelled")]
        told.append(("busy", [*busy, _soon(season, 2, "r2", event="cart_abandoned")]))
        # a patient whose cart is not the flow's, and who has said no on every channel
        refusal = [
            _soon(season, 0, None, consent="opted_out", channel=channel) for channel in ("sms", "email")
        ]
        refusal[0]["at"] -= timedelta(minutes=1)
        told.append(("patient", [*refusal, _soon(season, 1, "r0", event="cart_abandoned")]))
        traits["patient"] = {"programme": "med"}
    if place == 2:
        # an order's news while she is still in the flow, and may not enter again either
        told.append(
            (
                "still",
                [_soon(season, 1, "r0", status="preparing"), _soon(season, 2, "r1", status="preparing")],
            )
        )
        # a cart of somebody who is held out, and has had enough messages
        canceled = [_soon(season, at, f"r{at}", status="cancelled") for at in range(3)]
        told.append((_held_out(), [*canceled, _soon(season, 3, "r3", event="cart_abandoned")]))
    found = []
    for number, (name, facts) in enumerate(told):
        person = name if "~" in name else f"{name}-{place}-{number}"
        own = [
            {**fact, "person": person, **({"cart": f"{fact['cart']}-{person}"} if "cart" in fact else {})}
            for fact in facts
        ]
        found.append(History(own, season.moments, flows, {person: traits.get(name, {})}))
    return found


def _soon(season: Setting, moment: int, cart: str | None, **what: Any) -> Fact:
    """Return what happens shortly before a moment."""
    fact: Fact = {"at": season.moments[moment] - timedelta(minutes=5), **what}
    return fact if cart is None else {**fact, "cart": cart}


def _held_out() -> str:
    """Return somebody whom chance puts into the control group of carts."""
    for number in range(10_000):
        person = f"control~{number}"
        told = f"jane_user:{stable_number(f'jane {person}')}|cart_abandoned_recovery|holdout"
        if int(hashlib.md5(told.encode()).hexdigest()[:15], 16) % 100 < 10:  # noqa: S324 -- no secret
            return person
    raise AssertionError("one in ten is")


def history(number: int, season: Setting, flows: Sequence[Flow]) -> History:
    """Return what happens in one case; the same number gives the same."""
    dice = random.Random(f"{season.name} {number}")  # noqa: S311 -- no secret
    ann = f"ann-{number}"
    people: dict[str, dict[str, Any]] = {ann: _traits(dice)}
    facts: list[Fact] = []
    for cart in range(dice.choice((1, 1, 2, 3, 5))):
        facts += _cart(dice, season, ann, f"c{cart}-{number}")
    if dice.random() < 0.4:
        facts += _words(dice, season, ann)
    if dice.random() < 0.12:
        # another profile of the same shopper turns out to be hers; nothing but its records is different
        people[f"twin-{number}"] = dict(people[ann])
        facts = [fact for fact in facts if "cart" in fact or "event" in fact]
        facts += _cart(dice, season, f"twin-{number}", f"t-{number}")
        facts.append({"at": _some_time(dice, season), "merge": [ann, f"twin-{number}"]})
    elif dice.random() < 0.15:
        facts += _stranger(dice, season, ann, number)
    return History(_apart(facts), season.moments, flows, people)


def _traits(dice: random.Random) -> dict[str, Any]:
    traits: dict[str, Any] = {"state": dice.choice(_STATES), "programme": dice.choice(("rec", "rec", "med"))}
    traits["birth_date"] = dice.choice(_BIRTHS)
    for channel in ("sms", "email"):
        traits[f"{channel}_consent"] = dice.choice(("opted_in", "opted_in", "opted_in", "unknown"))
    if dice.random() < 0.1:
        traits["phone"] = None
    return traits


def _some_time(dice: random.Random, season: Setting) -> datetime:
    """Return an instant some time before one of the moments: often within half an hour, sometimes days."""
    minutes = dice.choice((dice.uniform(0, 35), dice.uniform(0, 35), dice.uniform(0, 400)))
    at = dice.choice(season.moments) - timedelta(minutes=minutes)
    # some happen to the second at a window's edge
    edge = dice.choice(season.moments) - timedelta(minutes=30)
    return dice.choice((at, at, at, at, edge)).replace(microsecond=0)


def _told(dice: random.Random, fact: Fact) -> list[Fact]:
    """Return a fact as it comes in: perhaps late, perhaps more than once."""
    late = dice.choice(_LATE)
    told = [{**fact, "received": fact["at"] + timedelta(minutes=late)}] if late else [fact]
    if dice.random() < 0.15:
        told.append({**fact, "received": fact["at"] + timedelta(minutes=late + dice.randint(1, 90))})
    return told


def _cart(dice: random.Random, season: Setting, person: str, cart: str) -> list[Fact]:
    at = _some_time(dice, season)
    facts: list[Fact] = []
    about = {"person": person, "cart": cart}
    if dice.random() < 0.75:
        facts += _told(dice, {"at": at, **about, "event": "cart_abandoned"})
        if dice.random() < 0.3:
            touched = at + timedelta(minutes=dice.randint(1, 60))
            facts += _told(dice, {"at": touched, **about, "event": "cart_updated"})
            again = touched + timedelta(minutes=dice.randint(1, 60))
            facts += _told(dice, {"at": again, **about, "event": "cart_abandoned"})
    if dice.random() < 0.6:
        at += timedelta(minutes=dice.randint(1, 45))
        for status in dice.choice(_PATHS):
            facts += _told(dice, {"at": at, **about, "status": status})
            at += timedelta(minutes=dice.randint(1, 45))
    return facts


def _words(dice: random.Random, season: Setting, person: str) -> list[Fact]:
    """Return what she says of her consent, and what the messaging system and the till report."""
    facts: list[Fact] = []
    for _ in range(dice.randint(1, 3)):
        at, channel = _some_time(dice, season), dice.choice(("sms", "email"))
        facts.append(
            dice.choice(
                (
                    {"at": at, "person": person, "consent": "opted_in", "channel": channel},
                    {"at": at, "person": person, "consent": "opted_out", "channel": channel},
                    {
                        "at": at,
                        "person": person,
                        "feedback": dice.choice(("stop", "bounced")),
                        "channel": channel,
                    },
                    {
                        "at": at,
                        "person": person,
                        "flowhub_row": {
                            "consentsToPromotionalSMS": dice.random() < 0.5,
                            "consentsToPromotionalEmail": dice.random() < 0.5,
                        },
                    },
                )
            )
        )
    return facts


def _stranger(dice: random.Random, season: Setting, person: str, number: int) -> list[Fact]:
    """Return a cart on a device that may turn out to be hers."""
    at = _some_time(dice, season)
    facts: list[Fact] = [
        {"at": at, "device": f"d-{number}", "event": "cart_abandoned", "cart": f"s-{number}"}
    ]
    if dice.random() < 0.7:
        later = at + timedelta(minutes=dice.randint(1, 90))
        facts.append({"at": later, "person": person, "device": f"d-{number}", "identifies": True})
    return facts


def _apart(facts: Sequence[Fact]) -> list[Fact]:
    """Let no two things happen in one second, unless they are one."""
    taken: dict[datetime, str] = {}
    apart = []
    for fact in facts:
        what = repr({key: value for key, value in fact.items() if key not in {"at", "received"}})
        at = fact["at"]
        while taken.get(at, what) != what:
            at -= timedelta(seconds=1)
        taken[at] = what
        apart.append({**fact, "at": at})
    return apart
