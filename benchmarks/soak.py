"""Ten minutes at the highest rate that the receiver holds: ``python -m benchmarks.soak [--minutes 10]``.

First the rate is found: as many acknowledgements a second as come when nobody waits, then less by a tenth until
sealing keeps up with it for half a minute. That rate is held, while memory, the journal's backlog and the age of its
oldest segment are watched every few seconds. In the end everything acknowledged must have landed.
"""

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.receiving import Receiver, Sent, receiving, send
from extractors.landing.log import LandingLog

_KEEPS_UP = 5.0  # seconds that a segment may wait while sealing still counts as keeping up


@dataclass
class Watch:
    """What was seen while a rate was held."""

    backlog_mb: list[float] = field(default_factory=list)
    oldest: list[float] = field(default_factory=list)
    memory_mb: list[int] = field(default_factory=list)


def hold(receiver: Receiver, rate: float, seconds: float, name: str) -> tuple[Sent, Watch]:
    """Send at a rate for so long, and watch."""
    watch, ends = Watch(), threading.Event()

    def look() -> None:
        while not ends.wait(2):
            size, age = receiver.backlog()
            watch.backlog_mb.append(size / 1024 / 1024)
            watch.oldest.append(age)
            watch.memory_mb.append(receiver.memory_mb("VmRSS")[0])

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        return send(receiver.port, seconds, name=name, rate=rate), watch
    finally:
        ends.set()
        watcher.join()


def find_rate(receiver: Receiver, seconds: float) -> float:
    """Return the highest rate at which sealing keeps up and nobody is refused."""
    rate = send(receiver.port, seconds, name="free").rate
    for attempt in range(20):
        _drain(receiver)
        sent, watch = hold(receiver, rate, seconds, f"try-{attempt}")
        if (
            max(watch.oldest, default=0) <= _KEEPS_UP
            and sent.rate >= 0.97 * rate
            and set(sent.answers) == {200}
        ):
            return rate
        print(
            f"{rate:,.0f}/s is not held: {sent.rate:,.0f}/s came, the oldest segment waited {max(watch.oldest):.1f} s"
        )
        rate *= 0.9
    raise SystemExit("no rate was held")


def _drain(receiver: Receiver) -> None:
    deadline = time.monotonic() + 120
    while receiver.backlog()[0] and time.monotonic() < deadline:
        time.sleep(0.2)


def main() -> int:
    """Find the rate, hold it, count, and print a row for RESULTS.md; 1 when something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--find-seconds", type=float, default=30)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perennial-soak-", dir=Path.cwd()) as folder:
        with receiving(Path(folder), wanted.workers) as receiver:
            rate = find_rate(receiver, wanted.find_seconds)
            _drain(receiver)
            print(f"holding {rate:,.0f}/s for {wanted.minutes:g} minutes", flush=True)
            sent, watch = hold(receiver, rate, wanted.minutes * 60, "soak")
            peak = receiver.memory_mb()[0]
        log = LandingLog(str(Path(folder) / "home" / "landing"))
        landed = {
            record.source_key
            for record in log.read("partners", "events")
            if (record.source_key or "").startswith("acme:soak-")
        }
        lost = sent.acknowledged - len(landed)
        batches = log.last_seq()
    quarter = max(1, len(watch.memory_mb) // 4)
    waits = sorted(took * 1_000 for took in sent.latencies)
    print(
        "| workers | minutes | rate/s | acknowledged | lost | refused | p50, p95 ms "
        "| backlog MiB, max | oldest s, max | RSS MiB, first and last quarter, peak | batches |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| {wanted.workers} | {wanted.minutes:g} | {sent.rate:,.0f} | {sent.acknowledged:,} | {max(0, lost)} "
        f"| {sent.answers.total() - sent.answers[200]} "
        f"| {waits[len(waits) // 2]:.1f}, {waits[int(len(waits) * 0.95)]:.1f} "
        f"| {max(watch.backlog_mb):.1f} | {max(watch.oldest):.1f} "
        f"| {max(watch.memory_mb[:quarter])}, {max(watch.memory_mb[-quarter:])}, {peak} | {batches:,} |"
    )
    return 1 if lost > 0 else 0


if __name__ == "__main__":
    raise SystemExit(main())
