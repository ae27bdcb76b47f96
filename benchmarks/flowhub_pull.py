"""Rows a second of the Flowhub pull, beside a bare loop of the same requests and dlt's REST source.

``python -m benchmarks.flowhub_pull [--rounds 3]`` starts the sandbox in a process of its own and takes turns:
the bare loop (httpx, nothing but reading the bodies), a first pull into an empty home (paced, parsed, hashed,
landed durably, cursors kept), and dlt into Parquet (in an environment of its own; its imports are not
counted). A second table does the same against a server that answers from memory, so that the sandbox's own
time of making a page does not hide the pull's.
"""

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.rivals import rivals_python
from extractors.flowhub.client import FlowhubClient
from extractors.flowhub.pulls import STREAMS, pull
from extractors.landing.log import LandingLog
from perennial.clock import sandbox_clock
from perennial.settings import Settings
from sandbox.credentials import FLOWHUB_API_KEY, FLOWHUB_CLIENT_ID
from sandbox.world.spec import WorldSpec, spec_to_json

_HEADERS = {"clientId": FLOWHUB_CLIENT_ID, "key": FLOWHUB_API_KEY, "Accept": "application/json"}
Request = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Round:
    """One turn: seconds of the bare loop, of the pull and of dlt, for so many rows."""

    rows: int
    bare: float
    pulled: float
    dlt: float


def settings_of(home: Path, **other: object) -> Settings:
    """Return settings that read no file."""
    values: dict[str, Any] = {
        "_env_file": None,
        "perennial_home": home,
        "perennial_clock": "sandbox",
        **other,
    }
    return Settings(**values)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(arguments: list[str], environment: Mapping[str, str], ready: str) -> Iterator[None]:
    """Run a server until the block ends; it is ready once ``ready`` answers."""
    with subprocess.Popen([sys.executable, *arguments], env=dict(environment)) as server:  # noqa: S603 - our own
        try:
            while True:
                try:
                    httpx.get(ready)
                    break
                except httpx.TransportError:
                    if server.poll() is not None:
                        sys.exit(f"{arguments} ended before it was ready")
                    time.sleep(0.1)
            yield
        finally:
            server.terminate()


def one_pull(base_url: str, clock_home: Path) -> tuple[float, int, list[Request]]:
    """Pull everything into an empty home; return seconds, rows and the requests it made."""
    made: list[Request] = []
    original = FlowhubClient.get

    def watched(self: FlowhubClient, path: str, params: Any = None, **other: Any) -> bytes:  # noqa: ANN401 - as given
        made.append((path, dict(params or {})))
        return original(self, path, params, **other)

    FlowhubClient.get = watched  # type: ignore[method-assign] # for the length of one pull
    try:
        with tempfile.TemporaryDirectory() as folder:
            settings = settings_of(
                Path(folder),
                flowhub_base_url=base_url,
                flowhub_client_id=FLOWHUB_CLIENT_ID,
                flowhub_api_key=FLOWHUB_API_KEY,
            )
            clock = sandbox_clock(settings_of(clock_home))
            log = LandingLog(settings.landing_url)
            began = time.monotonic()
            report = pull(settings, log, clock, STREAMS, lambda _text: None)
            seconds = time.monotonic() - began
    finally:
        FlowhubClient.get = original  # type: ignore[method-assign] # back to what it was
    return seconds, sum(one.records for one in report.streams), made


def bare_loop(base_url: str, requests: list[Request], keep: Callable[[Request, bytes], None]) -> float:
    """Make the same requests one after the other; return the seconds."""
    with httpx.Client(base_url=base_url, headers=_HEADERS, timeout=120, trust_env=False) as client:
        began = time.monotonic()
        for path, params in requests:
            response = client.get(path, params=dict(params))
            response.raise_for_status()
            keep((path, params), response.content)
        return time.monotonic() - began


def dlt_pull(base_url: str, requests: list[Request], python: str, rows: int) -> float:
    """Let dlt read the same paths, pages and windows; return its seconds. It must bring the same rows."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requests.json"
        listed.write_text(json.dumps(requests), encoding="utf-8")
        script = str(Path(__file__).with_name("dlt_pull.py"))
        done = subprocess.run(  # noqa: S603 - our own script
            [python, script, base_url, str(listed), folder],
            env={"PATH": os.environ["PATH"], "HOME": folder, "FLOWHUB_HEADERS": json.dumps(_HEADERS)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"dlt failed: {done.stderr[-2_000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["rows"] != rows:
        sys.exit(f"dlt brought {told['rows']} rows, the pull {rows}: they are not comparable")
    return float(told["seconds"])


def rounds_against(
    base_url: str, clock_home: Path, requests: list[Request], count: int, python: str
) -> list[Round]:
    """Take turns."""
    done = []
    for _ in range(count):
        bare = bare_loop(base_url, requests, lambda _request, _body: None)
        pulled, rows, _ = one_pull(base_url, clock_home)
        done.append(Round(rows, bare, pulled, dlt_pull(base_url, requests, python, rows)))
    return done


def show(title: str, rounds: list[Round]) -> None:
    """Print a table of medians."""
    rows = rounds[0].rows
    bare = statistics.median(one.bare for one in rounds)
    pulled = statistics.median(one.pulled for one in rounds)
    table = Table(title=f"{title}: {rows:,} rows, median of {len(rounds)}")
    for column in ("", "seconds", "rows/s", "of the bare loop"):
        table.add_column(column, justify="right" if column else "left")
    dlt = statistics.median(one.dlt for one in rounds)
    for name, seconds in (("bare httpx loop", bare), ("pull", pulled), ("dlt REST source", dlt)):
        table.add_row(name, f"{seconds:.2f}", f"{rows / seconds:,.0f}", f"{100 * bare / seconds:.0f} %")
    Console().print(table)


def serve_from_memory(folder: Path, port: int) -> None:
    """Answer the recorded requests from memory, until ended."""
    bodies = {
        _name(path, params): (folder / f"{number}").read_bytes()
        for number, (path, params) in enumerate(
            json.loads((folder / "index.json").read_text(encoding="utf-8"))
        )
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = httpx.URL(self.path)
            # a page behind the last one, which dlt asks for, is empty as the vendor's would be
            body = bodies.get(_name(url.path, dict(url.params)), b'{"orders": [], "data": [], "total": 0}')
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def _name(path: str, params: Mapping[str, Any]) -> str:
    return f"{path}?{sorted((name, str(value)) for name, value in params.items())}"


def main() -> None:
    """Run both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_from_memory(Path(options.serve[0]), int(options.serve[1]))
        return
    pa.array([0])  # loads a library, once in a process
    with tempfile.TemporaryDirectory() as folder:
        python = rivals_python(Path(folder) / "rivals")
        home, recorded = Path(folder) / "sandbox", Path(folder) / "recorded"
        recorded.mkdir()
        port, second = free_port(), free_port()
        environment = {
            "PATH": "",
            "PERENNIAL_HOME": str(home),
            "PERENNIAL_CLOCK": "sandbox",
            "PERENNIAL_SANDBOX_PORT": str(port),
        }
        url = f"http://127.0.0.1:{port}/flowhub"
        bodies: list[tuple[Request, bytes]] = []
        spec = spec_to_json(WorldSpec())
        with process(["-m", "sandbox", spec], environment, f"http://127.0.0.1:{port}/control/clock"):
            _, _, requests = one_pull(url, home)
            bare_loop(url, requests, lambda request, body: bodies.append((request, body)))
            show("sandbox", rounds_against(url, home, requests, options.rounds, python))
        for number, (_, body) in enumerate(bodies):
            (recorded / f"{number}").write_bytes(body)
        (recorded / "index.json").write_text(json.dumps([request for request, _ in bodies]), encoding="utf-8")
        url = f"http://127.0.0.1:{second}"
        with process(
            ["-m", "benchmarks.flowhub_pull", "--serve", str(recorded), str(second)],
            environment,
            f"{url}/ready",
        ):
            show("answers from memory", rounds_against(url, home, requests, options.rounds, python))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Console().print(f"peak memory of this process: {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
