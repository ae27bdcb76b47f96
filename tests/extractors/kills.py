"""Kills whatever takes things in, at random moments under load, and then counts.

Senders post events and send each again under its name until it is acknowledged; a Flowhub that gains orders is pulled
over and over; a compaction merges and removes all the while. Each of these processes is killed again and again, with
SIGKILL, once it has done something since the last time. ``run`` is a test and, with more kills, a benchmark.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from extractors.flowhub.pulls import pull
from extractors.landing.log import LandingLog
from extractors.landing.sealer import seal_orphans
from perennial.clock import clock_of, sandbox_clock
from perennial.errors import LandingError
from perennial.settings import Settings
from tests.extractors.flowhub.vendor import Vendor, running

_PROCESSES = {
    "receiver": """
from console.cli import app
if __name__ == "__main__":
    app(["serve"])
""",
    "extractor": """
from extractors.flowhub.pulls import pull
from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.settings import load_settings
settings = load_settings()
while True:
    pull(settings, LandingLog(settings.landing_url), clock_of(settings), ["orders"], lambda text: None)
""",
    "compaction": """
import time
from datetime import timedelta
from extractors.landing.compaction import compact
from extractors.landing.log import LandingLog
from perennial.settings import load_settings
log = LandingLog(load_settings().landing_url)
while True:
    compact(log, upto=log.last_seq(), keep_old_for=timedelta(0))
    time.sleep(0.05)
""",
}
_EVENT = {
    "event_name": "viewed_product",
    "occurred_at": "2017-06-10T12:00:00Z",
    "customer": {},
    "properties": {},
}
_PATIENCE = 180.0
_SENDERS = 4


@dataclass(frozen=True)
class Counts:
    """What came of it."""

    kills: Counter[str]
    acknowledged: int
    landed: int
    landed_again: int
    orders: int
    orders_landed: int
    batches: int
    rewrites: int
    lost: list[str]
    problems: list[str]


def run(home: Path, kills: int, seed: int) -> Counts:
    """Kill so many times, let everybody finish, and count."""
    chance = random.Random(seed)  # noqa: S311 -- luck, no secret
    vendor = Vendor(longest_page=20)
    with running(vendor):
        stage = _Stage(home, vendor)
        with stage.playing():
            for number in range(kills):
                # the receiver's processes are killed most: they acknowledge
                stage.kill(
                    ("worker", "extractor", "worker", "compaction", "worker", "receiver")[number % 6], chance
                )
        return stage.count()


@dataclass
class _Stage:
    home: Path
    vendor: Vendor
    acknowledged: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    _ends: threading.Event = field(default_factory=threading.Event)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.settings = Settings(
            _env_file=None,
            perennial_home=self.home,
            perennial_clock="sandbox",
            flowhub_base_url=self.vendor.url,
            flowhub_client_id="client-1",
            flowhub_api_key="the-secret-key",
        )
        sandbox_clock(self.settings).set(datetime(2017, 6, 10, 16, tzinfo=UTC), running=False)
        self.log = LandingLog(self.settings.landing_url)

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Run the processes and the load; in the end everybody finishes what was begun."""
        threads = [threading.Thread(target=self._send, args=(sender,)) for sender in range(_SENDERS)]
        threads.append(threading.Thread(target=self._sell))
        for name in _PROCESSES:
            self._start(name)
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ends.set()
            for thread in threads:  # each event that was begun is sent until it is acknowledged
                while thread.is_alive():
                    thread.join(0.2)
                    self._revive()
            for process in self._running.values():
                process.terminate()
            for process in self._running.values():
                process.wait()

    def kill(self, victim: str, chance: random.Random) -> None:
        """Kill one of a kind, at a random moment after it has done something since the last time."""
        before, deadline = self._done(victim), time.monotonic() + _PATIENCE
        while self._done(victim) <= before:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{victim} has done nothing for {_PATIENCE:.0f} s")
            self._revive()
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.3))
        pids = self._workers() if victim == "worker" else [self._running[victim].pid]
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(pids), signal.SIGKILL)
                self.kills[victim] += 1

    def count(self) -> Counts:
        """Seal and pull what is left, then compare what was told with what landed."""
        deadline = time.monotonic() + _PATIENCE
        seal_orphans(self.home / "journal", self.log)
        # a worker that was killed a moment ago may not be gone yet, and what the living hold is left to them
        while any((self.home / "journal").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)
            seal_orphans(self.home / "journal", self.log)
        pull(self.settings, self.log, clock_of(self.settings), ["orders"], lambda _: None)
        self.log.sweep()
        keys = Counter(record.source_key for record in self.log.read("partners", "events"))
        orders = Counter(json.loads(record.payload)["id"] for record in self.log.read("flowhub", "orders"))
        wanted = {order["id"] for order in self.vendor.orders}
        problems = [str(found) for found in self.log.verify() if isinstance(found, LandingError)]
        seqs = [batch.seq for batch in self.log.batches()]
        if seqs != list(range(1, len(seqs) + 1)):
            problems.append("the numbers of the batches have gaps")
        if left := [path.name for path in (self.home / "journal").iterdir()]:
            problems.append(f"the journal still holds {left}")
        if strangers := len(set(orders) - wanted):
            problems.append(f"{strangers} orders landed that nobody sold")
        return Counts(
            kills=self.kills,
            acknowledged=len(self.acknowledged),
            landed=len(keys),
            landed_again=keys.total() - len(keys),
            orders=len(wanted),
            orders_landed=len(orders),
            batches=len(seqs),
            rewrites=len(self.log.rewrites()),
            lost=sorted({*(set(self.acknowledged) - set(keys)), *(wanted - set(orders))}),
            problems=problems,
        )

    def _done(self, victim: str) -> int:
        """Return a number that grows as a process works."""
        if victim == "extractor":
            return sum("flowhub/orders" in batch.streams for batch in self.log.batches())
        if victim == "compaction":
            return len(self.log.rewrites())
        return len(self.acknowledged) // 20 if self._workers() else -1

    def _start(self, name: str) -> None:
        script = self.home.parent / f"{name}.py"
        script.write_text(_PROCESSES[name], encoding="utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PERENNIAL_HOME": str(self.home),
            "PERENNIAL_CLOCK": "sandbox",
            "PERENNIAL_RECEIVER_PORT": str(self.port),
            "PARTNER_API_KEYS": "acme:key-of-acme",
            "FLOWHUB_BASE_URL": self.vendor.url,
            "FLOWHUB_CLIENT_ID": "client-1",
            "FLOWHUB_API_KEY": "the-secret-key",
        }
        with (self.home.parent / f"{name}.log").open("ab") as output:
            self._running[name] = subprocess.Popen(
                [sys.executable, str(script)], env=environment, stdout=output, stderr=output
            )

    def _revive(self) -> None:
        """Start again what was killed; a receiver also where the workers of the one before hold the port yet."""
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                self._start(name)

    def _workers(self) -> list[int]:
        supervisor = self._running["receiver"].pid
        try:
            children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="ascii")
            return [
                int(child)
                for child in children.split()
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
            ]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def _send(self, sender: int) -> None:
        for number in itertools.count():
            if self._ends.is_set():
                return
            event = {**_EVENT, "event_id": f"{sender}-{number}"}
            _until_acknowledged(f"http://127.0.0.1:{self.port}/v1/events", event)
            self.acknowledged.append(f"acme:{sender}-{number}")

    def _sell(self) -> None:
        while not self._ends.wait(0.05):
            self.vendor.orders = [*self.vendor.orders, {"id": f"o{len(self.vendor.orders)}", "total": 1}]


_clients = threading.local()


def _until_acknowledged(url: str, event: Mapping[str, object]) -> None:
    while True:
        client: httpx.Client | None = getattr(_clients, "client", None)
        if client is None:
            client = _clients.client = httpx.Client(timeout=20, trust_env=False)
        with contextlib.suppress(httpx.TransportError):
            if client.post(url, json=event, headers={"X-API-Key": "key-of-acme"}).is_success:
                return
        client.close()
        _clients.client = None
        time.sleep(0.05)
