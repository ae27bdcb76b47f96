"""A home whose settings lead to the sandbox's vendors, and what must hold when all is over."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from perennial.clock import SandboxClock
from sandbox.credentials import sandbox_environment
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

    def decide(self, count: int, first: int = 0) -> None:
        """Land decisions: odd ones for AIQ, even ones for Klaviyo, three rows a person."""
        self.scene.decide(
            *(
                decision(number, destination=("klaviyo", "aiq")[number % 2], customer_id=f"c_{number // 6}")
                for number in range(first, first + count)
            )
        )

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
        # Not 1, 2, 3 …: PostgreSQL gives no number back that a killed transaction had taken.
        assert sorted(numbers) == self.scene.receipt_numbers(), "each landed once"
        last = {receipt["enrollment_id"]: receipt["status"] for receipt in receipts}
        assert Counter(last.values()) == Counter(
            accepted=accepted + len(to_klaviyo),
            **({"ambiguous": len(report.ambiguous)} if report.ambiguous else {}),
        )

    def check_order(self) -> None:
        """Hold each person's events against the order in which they were decided."""
        klaviyo = [event["unique_id"] for event in self.vendors.klaviyo_events()]
        aiq = [event["enrollment_id"] for event in self.vendors.aiq_events()]
        for sent in (klaviyo, aiq):
            of_person: dict[int, list[str]] = {}
            for enrollment_id in sent:
                of_person.setdefault(int(enrollment_id[1:]) // 6, []).append(enrollment_id)
            assert all(ids == sorted(ids) for ids in of_person.values())


@contextmanager
def set_stage(home: Path, ledger_url: str = "") -> Iterator[Stage]:
    """Serve the vendors for a home, on the sandbox's clock, which stands still."""
    clock = SandboxClock(home / "sandbox" / "clock.json")
    clock.set(NOON, running=False)
    with serving_sandbox(home / "sandbox", clock) as vendors:
        environment = sandbox_environment(home, vendors.port, 1) | {"PERENNIAL_LEDGER_URL": ledger_url}
        yield Stage(Scene(home, ledger_url=ledger_url), vendors, environment)
