"""A full resolution beside three other ways: ``python -m benchmarks.identity.full [--millions 1 5] [--rounds 5]``.

Ours is the macro ``all_components``; beside it Splink 5's clustering on the same links, DuckDB's ``using key`` on the
star, and scipy's connected components through Arrow, the limit of what fits into memory. Each run is a process of its
own, the ways take turns, and all must find the same components. Prints medians, as rows for RESULTS.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.identity.full_one import WAYS
from benchmarks.identity.graphs import write_links
from benchmarks.rivals import ROOT, rivals_python


def main() -> int:
    """Measure each size; 1 when two ways disagree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1.0, 5.0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    wanted = parser.parse_args()
    print("| people | links | by | s, median | s, lowest to highest | CPU s, median | peak MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    agreed = True
    with tempfile.TemporaryDirectory(prefix="perennial-full-") as scratch:
        folder = Path(scratch)
        peers = rivals_python(folder / "rivals")
        for millions in wanted.millions:
            links = folder / f"links_{millions}.parquet"
            rows = write_links(links, int(millions * 1_000_000))
            runs = measured(links, peers, wanted.ways, wanted.rounds)
            for way, found in runs.items():
                print(f"| {millions:g} million | {rows:,} | {told(way, found)}", flush=True)
            agreed &= len({(run["components"], run["sum"]) for found in runs.values() for run in found}) == 1
            [components, *_] = [found[0]["components"] for found in runs.values()]
            print(f"\nload of the machine {os.getloadavg()[1]:.1f}; components {components:,}")
    if not agreed:
        print("two ways found different components")
    return 0 if agreed else 1


def measured(links: Path, peers: str, ways: list[str], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Run every way so many times, in turns that begin with another one each time; each run is told as it ends."""
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
            python = sys.executable if way == "perennial" else peers
            command = [python, "-m", "benchmarks.identity.full_one", way, str(links)]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - ours
            runs[way].append(json.loads(done.stdout.splitlines()[-1]))
            print(done.stdout.splitlines()[-1], file=sys.stderr, flush=True)
    return runs


def told(way: str, runs: list[dict[str, Any]]) -> str:
    """Return the rest of a row."""
    seconds = sorted(run["seconds"] for run in runs)
    cpu = statistics.median(run["cpu"] for run in runs)
    peak = max(run["mib"] for run in runs)
    took = f"{statistics.median(seconds):.1f} | {seconds[0]:.1f} to {seconds[-1]:.1f}"
    return f"{way} | {took} | {cpu:.1f} | {peak:,.0f} |"


if __name__ == "__main__":
    raise SystemExit(main())
