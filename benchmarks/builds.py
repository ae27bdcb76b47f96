"""How long a build takes with 0, 1,000 and 100,000 new events: ``python benchmarks/builds.py HOME``.

HOME is a demo's home after ``make run``; it is copied, never changed. The events are partner events (views of products
by people and devices that the warehouse knows in part), landed as the receiver lands them.
"""

import json
import random
import resource
import shutil
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import sandbox_clock
from perennial.settings import Settings
from warehouse.builder import Builder

SIZES = (0, 1_000, 100_000)
BATCH = 5_000


def main(home: Path) -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("dagster", "logs", "data_docs", "sandbox"))
        clock_file = home / "sandbox" / "clock.json"
        (copy / "sandbox").mkdir()
        shutil.copy(clock_file, copy / "sandbox")
        settings = Settings(_env_file=None, perennial_home=copy, perennial_clock="sandbox")
        clock = sandbox_clock(settings)
        log = LandingLog(settings.landing_url, clock)
        print("| new events | lane | build s | models |\n| --- | --- | --- | --- |")
        with Builder(settings) as builder:
            builder.build(lane="scheduled")
            for size in SIZES:
                for lane in ("hot", "scheduled"):
                    clock.advance(timedelta(minutes=1))
                    land(log, clock.now(), size)
                    began = time.monotonic()
                    report = builder.build(lane=lane)
                    assert report.ok, report.error
                    models = sum(node.resource_type == "model" for node in report.nodes)
                    print(f"| {size:,} | {lane} | {time.monotonic() - began:.2f} | {models} |", flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\npeak memory {peak:,.0f} MiB")


def land(log: LandingLog, now: datetime, size: int) -> None:
    """Land events of the last minute."""
    dice = random.Random(size)
    for start in range(0, size, BATCH):
        records = []
        for number in range(start, min(start + BATCH, size)):
            event_id = f"bench-{now.isoformat()}-{number}"
            customer = {"device_id": f"bench-{dice.randrange(20_000)}"}
            if dice.random() < 0.3:
                customer["email"] = f"bench{dice.randrange(5_000)}@example.com"
            payload = {
                "event_id": event_id,
                "event_name": "viewed_product",
                "occurred_at": (now - timedelta(seconds=dice.random() * 60)).isoformat(),
                "customer": customer,
                "properties": {"product_id": str(dice.randrange(600))},
            }
            records.append(
                Record(
                    "partners", "events", f"bench:{event_id}", now, json.dumps(payload), {"partner": "bench"}
                )
            )
        log.append(f"bench/{now.timestamp():.0f}/{start}", records)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
