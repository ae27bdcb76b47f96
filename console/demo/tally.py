"""What several runs of the job did together."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.job import PHASES, JobResult
from dagster_project.lib.keys import DESTINATIONS
from perennial.streams import FOREIGN

OUTCOMES = ("accepted", "rejected", "ambiguous", "held", "expired", "exited", "superseded", "pending")


@dataclass
class Tally:
    """Adds up runs: rows and batches by stream, outcomes by destination, seconds by phase."""

    runs: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    batches: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, result: JobResult) -> None:
        """Take in a run."""
        self.runs += 1
        for stream in FOREIGN:
            self.rows[stream] += result.rows(stream)
            self.batches[stream] += int(result.assets.get(stream, {}).get("batches", 0))
        for destination in DESTINATIONS:
            counted = self.outcomes.setdefault(destination, Counter())
            for outcome, count in sent(result, destination).items():
                counted[outcome] += count
        for step, seconds in result.step_seconds.items():
            phase = PHASES.get(step, "checking before the push")
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds


def sent(result: JobResult, destination: str) -> Mapping[str, int]:
    """Return what a run's push did at a destination, by outcome."""
    metadata = result.assets.get(f"{destination}/enrollments", {})
    return {outcome: int(metadata[outcome]) for outcome in OUTCOMES if outcome in metadata}
