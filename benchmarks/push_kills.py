"""A thousand kills between decision and message, and then the count.

    python -m benchmarks.push_kills [--kills 1000] [--least 20] [--seed 1]

Builder, push, vendor and the ledger's database (PostgreSQL) are killed at each named place at least ``--least`` times
and anywhere, while the vendor misbehaves (``tests/reverse_etl/kills.py``). The counts are printed as a row for
RESULTS.md; it ends with 1 when a promise was broken, or a place was killed too rarely.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.conftest import deploy
from tests.reverse_etl import kills


def main() -> int:
    """Kill, count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--least", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="perennial-push-kills-") as folder:
        deployed = Path(folder) / "deployed"
        deploy(deployed)
        found = kills.run(
            Path(folder) / "home",
            kills=wanted.kills,
            least=wanted.least,
            seed=wanted.seed,
            deployed=deployed,
        )
    for place, times in sorted(found.kills.items()):
        print(f"{times:5} {place}")
    print(
        "| kills | decided (by builds) | states | twice | missing | ambiguous, in flight | dropped | seconds |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    states = "; ".join(
        f"{destination}: " + ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
        for destination, counts in sorted(found.states.items())
    )
    print(
        f"| {found.kills.total():,} | {found.decided:,} ({found.built:,}) | {states} | {found.duplicates} "
        f"| {found.missing} | {found.ambiguous}, {found.in_flight} | {found.repeats_dropped} "
        f"| {time.monotonic() - began:.0f} |"
    )
    for problem in found.problems:
        print(problem)
    return 1 if found.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
