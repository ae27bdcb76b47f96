"""Durable acknowledgements a second beside the same server that acknowledges without storing.

``python -m benchmarks.acknowledgements [--seconds 20] [--rounds 3]`` takes turns, with one worker and with two: the
receiver as it is, and the same with a journal whose append does nothing. The latency of the disk's fsync is measured
before and after, on the same disk. Target: at least half.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.receiving import Sent, receiving, send
from extractors.landing.log import LandingLog


def fsync_milliseconds(folder: Path, times: int = 300) -> tuple[float, float]:
    """Return the median and the 95th percentile of an append of 4 KiB and its fsync."""
    took = []
    file = os.open(folder / "fsync", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(times):
        os.write(file, os.urandom(4_096))
        began = time.monotonic()
        os.fsync(file)
        took.append((time.monotonic() - began) * 1_000)
    os.close(file)
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


def main() -> None:
    """Measure and print a table for RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    wanted = parser.parse_args()
    print(
        "| workers | durable/s | without storing/s | ratio | CPU ms each, durable and not | p50, p95 ms "
        "| peak MiB of a worker | fsync p50, p95 ms |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for workers in (1, 2):
        durable: list[Sent] = []
        bare: list[Sent] = []
        costs: dict[bool, list[float]] = {True: [], False: []}
        peaks: list[int] = []
        syncs: list[tuple[float, float]] = []
        for _ in range(wanted.rounds):
            for stores, kept in ((True, durable), (False, bare)):
                with tempfile.TemporaryDirectory(prefix="perennial-acks-", dir=Path.cwd()) as folder:
                    syncs.append(fsync_milliseconds(Path(folder)))
                    with receiving(Path(folder), workers, stores=stores) as receiver:
                        send(receiver.port, 2, name="warm", connections=wanted.connections)
                        before = receiver.cpu_seconds()
                        sent = send(
                            receiver.port, wanted.seconds, name="acks", connections=wanted.connections
                        )
                        kept.append(sent)
                        costs[stores].append((receiver.cpu_seconds() - before) * 1_000 / sent.acknowledged)
                        if stores:
                            peaks.append(receiver.memory_mb()[0])
                    if stores:
                        _check(Path(folder) / "home" / "landing", durable[-1])
        fast, bare_fast = (statistics.median(sent.rate for sent in all_sent) for all_sent in (durable, bare))
        waits = sorted(took * 1_000 for sent in durable for took in sent.latencies)
        p50, p95 = statistics.median(waits), waits[int(len(waits) * 0.95)]
        print(
            f"| {workers} | {fast:,.0f} | {bare_fast:,.0f} | {fast / bare_fast:.0%} "
            f"| {statistics.median(costs[True]):.2f}, {statistics.median(costs[False]):.2f} | {p50:.1f}, {p95:.1f} "
            f"| {max(peaks)} | {median_of(syncs, 0):.2f}, {median_of(syncs, 1):.2f} |",
            flush=True,
        )


def median_of(pairs: list[tuple[float, float]], place: int) -> float:
    """Return the median of the first or the second of some pairs."""
    return statistics.median(pair[place] for pair in pairs)


def _check(landing: Path, sent: Sent) -> None:
    rows = sum(batch.rows for batch in LandingLog(str(landing)).batches())
    assert rows >= sent.acknowledged, f"{rows} landed of {sent.acknowledged} acknowledged"
    assert set(sent.answers) == {200}, sent.answers


if __name__ == "__main__":
    main()
