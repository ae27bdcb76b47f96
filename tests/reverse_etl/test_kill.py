"""Kills at every named place, and anywhere: the vendors' own books say what had an effect."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from perennial.clock import SandboxClock
from reverse_etl.destinations.klaviyo import DEFAULT_RATES
from reverse_etl.destinations.registry import SANDBOX_AIQ_RATES
from sandbox.aiq import DEMO_LIMITS
from sandbox.credentials import sandbox_environment
from sandbox.faults import Fault
from sandbox.klaviyo import EVENTS, LIMITS
from tests.reverse_etl.pushing import start_push
from tests.reverse_etl.sandbox_vendors import Vendors, serving_sandbox
from tests.reverse_etl.scene import NOON, Scene, decision

AIQ_CALLS = 4  # in flight, at the most


@dataclass
class Stage:
    """A home whose settings lead to the sandbox's vendors."""

    scene: Scene
    vendors: Vendors
    environment: dict[str, str]

    def push(self, crash_at: str = "") -> int | None:
        """Push in a process of its own; return its exit code."""
        process = start_push(self.environment, crash_at)
        process.join(60)
        return process.exitcode

    def check(self, enrollments: int, kills: int) -> None:
        """Hold the ledger and the receipts against the vendors' books."""
        report = self.scene.report()
        half = {f"d{number:06d}" for number in range(enrollments)}
        to_aiq = {name for name in half if int(name[1:]) % 2}
        to_klaviyo = half - to_aiq

        recorded = Counter(event["unique_id"] for event in self.vendors.klaviyo_events())
        assert recorded == Counter(to_klaviyo), "Klaviyo: exactly one effect each"
        assert report.counts["klaviyo"] == {"accepted": len(to_klaviyo)}

        taken = Counter(event["enrollment_id"] for event in self.vendors.aiq_events())
        assert not [name for name, times in taken.items() if times > 1], "AIQ: at most one effect each"
        assert to_aiq - set(taken) <= set(report.ambiguous), "what is missing is listed"
        assert set(report.ambiguous) <= to_aiq
        assert len(report.ambiguous) <= kills * AIQ_CALLS, "no more than the calls in flight"
        accepted = report.counts["aiq"].get("accepted", 0)
        assert accepted + len(report.ambiguous) == len(to_aiq)
        assert report.total == enrollments

        receipts = self.scene.receipts()
        numbers = [receipt["receipt_no"] for receipt in receipts]
        assert numbers == list(range(1, len(numbers) + 1)), "each landed once"
        last = {receipt["enrollment_id"]: receipt["status"] for receipt in receipts}
        assert Counter(last.values()) == Counter(
            accepted=accepted + len(to_klaviyo),
            **({"ambiguous": len(report.ambiguous)} if report.ambiguous else {}),
        )


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Set a stage on the sandbox's clock, which stands still."""
    clock = SandboxClock(tmp_path / "sandbox" / "clock.json")
    clock.set(NOON, running=False)
    with serving_sandbox(tmp_path / "sandbox", clock) as vendors:
        environment = sandbox_environment(tmp_path, vendors.port, 1)
        yield Stage(Scene(tmp_path), vendors, environment)


def decide(stage: Stage, count: int, first: int = 0) -> None:
    """Land decisions: odd ones for AIQ, even ones for Klaviyo, three rows a person."""
    stage.scene.decide(
        *(
            decision(number, destination=("klaviyo", "aiq")[number % 2], customer_id=f"c_{number // 6}")
            for number in range(first, first + count)
        )
    )


@pytest.mark.parametrize(
    "place",
    [
        "exported_not_in_ledger",
        "attempting",
        "attempting:7",
        "answered_not_committed",
        "answered_not_committed:7",
        "committed_not_landed",
        "receipts_planned:2",
        "receipts_landed",
    ],
)
def test_a_push_that_dies_at_a_named_place_is_made_good_by_the_next(stage: Stage, place: str) -> None:
    """Exactly one effect at Klaviyo; at most one at AIQ, with the open one listed; nothing lost."""
    decide(stage, 24)
    assert stage.push(crash_at=place) == 137
    assert stage.push() == 0
    stage.check(24, kills=1)
    calls = sum(stage.vendors.received.outcomes("aiq").values())
    assert stage.push() == 0
    stage.check(24, kills=1)
    assert sum(stage.vendors.received.outcomes("aiq").values()) == calls
    if place in {"exported_not_in_ledger", "committed_not_landed"}:
        assert stage.scene.report().ambiguous == [], "nothing was in flight"


def test_pushes_that_are_killed_anywhere_while_vendors_misbehave(stage: Stage) -> None:
    """Ten kills at random instants, resets before and after the effect, 429, 500 and slow answers."""
    dice = random.Random(20260315)  # noqa: S311 - instants, not secrets
    kills = resets = 0
    for round_no in range(10):
        decide(stage, 12, first=round_no * 12)
        for vendor in ("aiq", "klaviyo"):
            stage.vendors.faults.add(Fault(vendor, "status", status=429, retry_after=0))
            stage.vendors.faults.add(Fault(vendor, "slow", seconds=0.2))
        stage.vendors.faults.add(Fault("klaviyo", "reset_before"))
        stage.vendors.faults.add(Fault("klaviyo", "status", status=500))
        stage.vendors.faults.add(Fault("klaviyo", "reset_after"))
        if round_no % 3 == 0:
            stage.vendors.faults.add(Fault("aiq", "reset_after"))
            resets += 1
        process = start_push(stage.environment)
        time.sleep(dice.uniform(0.05, 1.5))
        process.kill()
        process.join()
        kills += process.exitcode != 0
    stage.vendors.faults.clear()
    assert stage.push() == 0
    assert kills > 0
    stage.check(120, kills=kills + resets)


def test_two_pushes_at_once_send_nothing_twice(stage: Stage) -> None:
    """They share the rows between them, and each person's order is kept."""
    decide(stage, 240)
    pushes = [start_push(stage.environment) for _ in range(2)]
    for process in pushes:
        process.join(120)
    assert [process.exitcode for process in pushes] == [0, 0]
    assert stage.push() == 0  # rows of a person that the other one held, when this one had nothing else left
    stage.check(240, kills=0)
    assert stage.vendors.received.outcomes("klaviyo") == {"accepted": 120}
    for events, key in (
        (stage.vendors.klaviyo_events(), "unique_id"),
        (stage.vendors.aiq_events(), "enrollment_id"),
    ):
        of_person: dict[int, list[str]] = {}
        for event in events:
            of_person.setdefault(int(event[key][1:]) // 6, []).append(event[key])
        assert all(ids == sorted(ids) for ids in of_person.values())


def test_the_sandbox_s_limits_are_the_ones_we_keep() -> None:
    """So a demo's push neither crawls nor runs into 429."""
    assert [rate.limit for rate in SANDBOX_AIQ_RATES] == list(DEMO_LIMITS.values())
    assert tuple(rate.limit for rate in DEFAULT_RATES) == LIMITS[EVENTS]
