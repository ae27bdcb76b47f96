"""Hundreds of kills under load, and then the count: ``python -m benchmarks.kills [--kills 240] [--seed 1]``.

Workers of the receiver (each with its sealer), their supervisor, the Flowhub extractor and a compaction are killed
with SIGKILL at random moments while senders post and the vendor sells (``tests/extractors/kills.py``); the count is
printed as a row for RESULTS.md. It ends with 1 when anything acknowledged is missing.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.extractors import kills


def main() -> int:
    """Kill, count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="perennial-kills-") as folder:
        found = kills.run(Path(folder) / "home", wanted.kills, wanted.seed)
    by_kind = ", ".join(f"{name} {times}" for name, times in sorted(found.kills.items()))
    print(
        "| kills | acknowledged | landed | lost | landed again | orders, landed | batches, rewrites | seconds |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| {found.kills.total()} ({by_kind}) | {found.acknowledged:,} | {found.landed:,} | {len(found.lost)} "
        f"| {found.landed_again} | {found.orders:,}, {found.orders_landed:,} "
        f"| {found.batches:,}, {found.rewrites:,} | {time.monotonic() - began:.0f} |"
    )
    for problem in [*found.lost[:10], *found.problems]:
        print(problem)
    return 1 if found.lost or found.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
