"""The golden file's cases, each with people, carts and devices of its own, gathered in as few homes as they need."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.stage import entering

FILE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("decisions.yaml").read_text(encoding="utf-8")
)
# What the file says of a flow's status, which its YAML calls otherwise or not at all.
_OF_STATUS = {"active_since", "becomes_active", "status"}
# An audience that is entered is what triggers the flow anyway.
_SAID_BY_THE_FLOW = {"trigger"}
_NAMES = ("person", "cart", "device", "trigger")
# What prepares a case and decides nothing by itself.
_SHORTEST_WINDOW = timedelta(minutes=30)
_SETUP = ("consent", "feedback", "flowhub_row", "known", "order")


def instant(value: object) -> datetime:
    """Read a time of the file."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(value))


@dataclass(frozen=True)
class Case:
    """One case, with names that no other one has."""

    section: str
    number: int
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.section}: {self.told['case']}"

    def name(self, told: str) -> str:
        """Return the name that somebody or something of the case has."""
        return f"{told}-{self.number}"

    def own(self, told: dict[str, Any]) -> dict[str, Any]:
        """Return a fact or an expectation with the case's own names and with instants."""
        named = {key: self.name(value) if key in _NAMES else value for key, value in told.items()}
        if "merge" in named:
            named["merge"] = [self.name(person) for person in named["merge"]]
        return {
            key: instant(value)
            if key in {"at", "received", "decided_at", "not_before", "changed_at"}
            else value
            for key, value in named.items()
        }

    @cached_property
    def settings(self) -> dict[str, dict[str, Any]]:
        """What the case says of the settings of its flows, by flow."""
        if "flows" in self.told:
            return dict(self.told["flows"])
        told = self.told.get("settings", {})
        plain = {key: value for key, value in told.items() if key not in _OF_STATUS | _SAID_BY_THE_FLOW}
        return {} if self.told["flow"] == "none" else {self.told["flow"]: plain}

    @cached_property
    def status(self) -> dict[str, Any]:
        """When its flow has which status."""
        return {key: value for key, value in self.told.get("settings", {}).items() if key in _OF_STATUS}

    @cached_property
    def overrides(self) -> dict[str, dict[str, Any]]:
        """What is different about its people."""
        return {self.name(who): facts for who, facts in self.told.get("person_overrides", {}).items()}

    @cached_property
    def _played(self) -> tuple[list[dict[str, Any]], list[datetime]]:
        facts, moments = [], [instant(moment) for moment in self.told["moments"]]
        entered: dict[tuple[str, str], list[datetime]] = {}
        for fact in map(self.own, self.told["given"]):
            if "enters_audience" in fact:
                entered.setdefault((fact["enters_audience"], fact["person"]), []).append(fact["at"])
            else:
                facts.append(fact)
        for (audience, person), instants in entered.items():
            prepared, seen = entering(audience, person, instants)
            facts += prepared
            moments += seen
        return facts, sorted(moments)

    @property
    def facts(self) -> list[dict[str, Any]]:
        """What happens."""
        return self._played[0]

    @property
    def moments(self) -> list[datetime]:
        """The builds, with those that see her outside of an audience."""
        return self._played[1]

    @cached_property
    def people(self) -> list[str]:
        """Who is known from the beginning: not whom the case tells us of later, and not who is new in it."""
        named = [fact["person"] for fact in self.facts if "person" in fact]
        named += [name for fact in self.facts for name in fact.get("merge", [])]
        new = {fact["person"] for fact in self.facts if fact.get("known")}
        return [name for name in dict.fromkeys(named) if name not in new and not name.startswith("new_")]

    @cached_property
    def pushes_at(self) -> datetime | None:
        """When its messages are sent, where it asks what became of them: after all that it tells."""
        asks = any("pushed" in expected or "receipt" in expected for expected in self.told.get("expect", []))
        return max(self.moments + [_received(fact) for fact in self.facts]) if asks else None

    @property
    def is_answered(self) -> bool:
        """Say whether the case itself tells what became of a message."""
        return any("receipt" in fact for fact in self.facts)

    def bears(self, moment: datetime) -> bool:
        """Say whether a moment of another case changes nothing for this one.

        Before its first fact there is nothing to decide, and after its last moment all is decided. In between a moment
        that comes soon after one of its own, and sees nothing that that one has not seen, decides nothing.
        """
        ends = max([*self.moments, *map(_received, self.facts)])
        begins = min(
            (_received(fact) for fact in self.facts if not any(key in fact for key in _SETUP)), default=ends
        )
        if moment in self.moments or not begins <= moment < ends:
            return True
        own = max((own for own in self.moments if own <= moment), default=None)
        return (
            own is not None
            and moment <= begins + _SHORTEST_WINDOW
            and not any(own < _received(fact) <= moment for fact in self.facts)
        )


def _received(fact: dict[str, Any]) -> datetime:
    at: datetime = fact.get("voided_at") or fact.get("received") or fact["at"]
    return at


@dataclass
class Home:
    """Cases that may share a home: their flows agree, and no moment of one disturbs another."""

    cases: list[Case] = field(default_factory=list)

    def __str__(self) -> str:
        flows = sorted({flow for case in self.cases for flow in case.settings}) or ["no flow"]
        return f"{len(self.cases)} of {flows[0]}" + (f" and {len(flows) - 1} more" if flows[1:] else "")

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The settings of all flows of its cases."""
        told: dict[str, dict[str, Any]] = {}
        for case in self.cases:
            for flow, of_flow in case.settings.items():
                told[flow] = told.get(flow, {}) | of_flow
        return told

    @property
    def moments(self) -> list[datetime]:
        """All builds; one that a case asks for twice is run twice."""
        counts: Counter[datetime] = Counter()
        for case in self.cases:
            counts |= Counter(case.moments)
        return sorted(counts.elements())

    def takes(self, case: Case) -> bool:
        """Say whether a case may be played here as well."""
        if any(other.status != case.status for other in self.cases):
            return False
        if any(
            (other.is_answered and case.pushes_at) or (case.is_answered and other.pushes_at)
            for other in self.cases
        ):
            return False  # what a vendor is said to have answered, no other vendor may answer
        if not all(_agree(case, other) for other in self.cases):
            return False
        return all(case.bears(moment) for moment in self.moments) and all(
            other.bears(moment) for other in self.cases for moment in case.moments
        )


def _agree(one: Case, other: Case) -> bool:
    """Say whether two cases want the same of the flows that both are about; of a single flow any rank will do."""
    ignored = {"rank"} if len(one.settings) == 1 or len(other.settings) == 1 else set()

    def asked(case: Case, flow: str) -> dict[str, Any]:
        return {key: value for key, value in case.settings[flow].items() if key not in ignored}

    return all(asked(one, flow) == asked(other, flow) for flow in one.settings.keys() & other.settings.keys())


def cases() -> Iterator[Case]:
    """Yield all cases about decisions."""
    number = 0
    for section, listed in FILE.items():
        if section != "operators":
            for told in listed:
                number += 1
                yield Case(section, number, told)


def homes() -> list[Home]:
    """Put each case into the first home that takes it; those with many moments first."""
    found: list[Home] = []
    for case in sorted(cases(), key=lambda case: (-len(case.moments), case.number)):
        home = next((home for home in found if home.takes(case)), None)
        if home is None:
            home = Home()
            found.append(home)
        home.cases.append(case)
    return found
