"""A receiver in processes of its own and a load on it, for the benchmarks of acknowledgements and of endurance."""

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

_SERVER = """
import sys
from console.cli import app
from extractors.landing.journal import Journal

async def acknowledge_without_storing(self, records):
    pass

# workers load this file too
if "--without-storing" in sys.argv:
    Journal.append = acknowledge_without_storing
if __name__ == "__main__":
    app(["serve"])
"""
# A cart as Jane's webhooks carry one: about a kilobyte.
_PROPERTIES = {
    "products": [{"id": number, "name": f"Product {number}", "price": 41.8} for number in range(12)]
}
_LOADER = "benchmarks.receiving"


@dataclass
class Receiver:
    """A running receiver."""

    process: subprocess.Popen[bytes]
    port: int
    home: Path

    def pids(self) -> list[int]:
        """Return the ids of its processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *(int(child) for child in children.read_text(encoding="ascii").split())]

    def memory_mb(self, key: str = "VmHWM") -> list[int]:
        """Return each process's peak of memory (``VmRSS``: what it holds now), the largest first."""
        found = []
        for pid in self.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
                [line] = [line for line in status.splitlines() if line.startswith(key)]
                found.append(int(line.split()[1]) // 1024)
        return sorted(found, reverse=True)

    def cpu_seconds(self) -> float:
        """Return the processor time that its processes have used."""
        ticks = 0
        for pid in self.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def backlog(self) -> tuple[int, float]:
        """Return the bytes in the journal, and the age of its oldest segment in seconds."""
        size, oldest = 0, time.time()
        for segment in (self.home / "journal").glob("*/*.segment"):
            with contextlib.suppress(FileNotFoundError):
                found = segment.stat()
                size, oldest = size + found.st_size, min(oldest, found.st_mtime)
        return size, time.time() - oldest if size else 0.0


@contextmanager
def receiving(folder: Path, workers: int, *, stores: bool = True) -> Iterator[Receiver]:
    """Run a receiver until the block ends; then everything it acknowledged has been sealed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = folder / "receiver.py"
    script.write_text(_SERVER, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PERENNIAL_HOME": str(folder / "home"),
        "PERENNIAL_RECEIVER_PORT": str(port),
        "PERENNIAL_RECEIVER_WORKERS": str(workers),
        "PERENNIAL_RECEIVER_REQUESTS_PER_SECOND": "1000000",
        "PARTNER_API_KEYS": "acme:key-of-acme",
    }
    arguments = [sys.executable, str(script), *([] if stores else ["--without-storing"])]
    with subprocess.Popen(arguments, env=environment) as process:  # noqa: S603 - our own
        receiver = Receiver(process, port, folder / "home")
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                _until_up(client, process, workers)
            yield receiver
        finally:
            process.terminate()
            process.wait()


def _until_up(client: httpx.Client, process: subprocess.Popen[bytes], workers: int) -> None:
    while True:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/healthz").json()["workers"] == workers:
                return
        if process.poll() is not None:
            sys.exit("the receiver ended before it was ready")
        time.sleep(0.1)


@dataclass
class Sent:
    """What a load came to."""

    acknowledged: int = 0
    seconds: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return acknowledgements a second."""
        return self.acknowledged / self.seconds


def send(  # noqa: PLR0913 - each says what load it is
    port: int, seconds: float, *, name: str, connections: int = 64, processes: int = 1, rate: float = 0.0
) -> Sent:
    """Send from processes of their own for so long; with a rate, no faster than that."""
    command = [
        *(sys.executable, "-m", _LOADER, str(port), str(seconds)),
        *(str(connections // processes), str(rate / processes)),
    ]
    loaders = [
        subprocess.Popen([*command, f"{name}-{number}"], stdout=subprocess.PIPE)  # noqa: S603 - our own
        for number in range(processes)
    ]
    total = Sent()
    for loader in loaders:
        told = json.loads(loader.communicate()[0])
        total.acknowledged += told["acknowledged"]
        total.seconds = max(total.seconds, told["seconds"])
        total.answers.update({int(status): times for status, times in told["answers"].items()})
        total.latencies += told["latencies"]
    return total


def _load(port: int, seconds: float, connections: int, rate: float, name: str) -> Sent:
    """Post on raw keep-alive connections, one thread each: the loader must cost less than the server."""
    sent, began = Sent(), time.monotonic()
    numbers, guard = itertools.count(), threading.Lock()

    def work() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while (now := time.monotonic()) < began + seconds:
                with guard:
                    number = next(numbers)
                if rate and (early := began + number / rate - now) > 0:
                    time.sleep(early)
                status, took = _post(connection, f"{name}-{number}")
                with guard:
                    sent.answers[status] += 1
                    sent.acknowledged += status == 200
                    sent.latencies.append(took)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.seconds = time.monotonic() - began
    return sent


_BODY = json.dumps(
    {
        "event_id": "%s",
        "event_name": "shelf_looked_at",
        "occurred_at": "2017-06-10T12:00:00Z",
        "customer": {"email": "someone@example.com"},
        "properties": _PROPERTIES,
    },
)
_HEAD = (
    "POST /v1/events HTTP/1.1\r\nHost: x\r\nX-API-Key: key-of-acme\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


def _post(connection: socket.socket, event_id: str) -> tuple[int, float]:
    body = _BODY % event_id
    began = time.monotonic()
    connection.sendall((_HEAD % len(body) + body).encode())
    answer = b""
    while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
        got = connection.recv(65_536)
        if not got:
            raise ConnectionError("the receiver closed the connection")
        answer += got
    return int(answer[9:12]), time.monotonic() - began


if __name__ == "__main__":
    found = _load(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
    told = {"acknowledged": found.acknowledged, "seconds": found.seconds, "answers": found.answers}
    print(json.dumps({**told, "latencies": found.latencies[:: max(1, len(found.latencies) // 5_000)]}))
