"""``make dev``: everything running, until Ctrl-C."""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import yaml

from console.demo.processes import Services, own_command, tail
from console.demo.replay import built_at, replay
from console.demo.stage import entered, start_vendors
from console.demo.vendors import Vendors
from console.output import err, out
from console.progress import Progress
from console.tables import show, table
from perennial.clock import sandbox_clock
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings

# How late a webhook of the running clock may be sent; well under what a person waits for.
EMIT_EVERY_SECONDS = 3.0
DAGSTER_SECONDS = 180.0


def run_dev(folder: Path) -> None:
    """Start everything and keep it until Ctrl-C; raises ``PerennialError`` when a process ends by itself."""
    with (
        contextlib.suppress(KeyboardInterrupt),
        entered(folder, fixed_ports=True) as (settings, home),
        Services(home.root / "logs") as services,
    ):
        with Progress(err) as progress:
            progress.title("starting")
            vendors = start_vendors(services, settings, progress)
            if built_at(settings, home) is None:
                replay(settings, vendors, progress, steps=1)
            progress.title("starting")
            _start_engine(services, settings, home, progress)
        try:
            vendors.set_clock(sandbox_clock(settings).now(), running=True)
            _show_where(settings, home)
            _keep(services, vendors)
        finally:
            # The demo's time stands still while nobody looks; make run goes on from there.
            with contextlib.suppress(PerennialError):
                vendors.set_clock(sandbox_clock(settings).now(), running=False)
            err.print("Ending everything …")


def _start_engine(services: Services, settings: Settings, home: Home, progress: Progress) -> None:
    """Start the worker and Dagster: the code server, the daemon, the web server."""
    progress.say("starting the worker")
    services.start("worker", own_command("worker"))
    progress.say("starting Dagster (half a minute)")
    address = ("--host", "127.0.0.1", "--port")
    # A socket and not a port: while the code server loads, another process may take a port that was free.
    socket = Path(tempfile.mkdtemp(prefix="perennial-")) / "code"
    workspace = home.dagster / "workspace.yaml"
    server = {"grpc_server": {"socket": str(socket), "location_name": "perennial"}}
    workspace.write_text(yaml.safe_dump({"load_from": [server]}), encoding="utf-8")
    module = ("--module-name", "dagster_project.definitions")
    services.start("dagster-code", [*_script("dagster"), "api", "grpc", "--socket", str(socket), *module])
    services.start("dagster-daemon", [*_script("dagster-daemon"), "run", "--workspace", str(workspace)])
    port = str(settings.perennial_dagster_port)
    web = services.start(
        "dagster-webserver", [*_script("dagster-webserver"), *address, port, "--workspace", str(workspace)]
    )
    services.wait_until_up(web, f"http://127.0.0.1:{port}/server_info", seconds=DAGSTER_SECONDS)


def _script(name: str) -> list[str]:
    """Return a script of this environment, run by its own Python."""
    return [sys.executable, str(Path(sys.executable).with_name(name))]


def _show_where(settings: Settings, home: Home) -> None:
    """Print where everything is, on one screen."""
    shown = table("what", ".where")
    shown.add_row(
        "Dagster: assets, runs, checks, schedules", f"http://127.0.0.1:{settings.perennial_dagster_port}"
    )
    sandbox = f"http://127.0.0.1:{settings.perennial_sandbox_port}"
    shown.add_row("what AIQ and Klaviyo received", f"{sandbox}/")
    shown.add_row("the sandbox's clock", f"{sandbox}/control/clock")
    receiver = f"http://127.0.0.1:{settings.perennial_receiver_port}"
    shown.add_row("the receiver's API", f"{receiver}/openapi.json")
    shown.add_row("the receiver's metrics", f"{receiver}/metrics")
    shown.add_row("logs of each process", str(home.root / "logs"))
    shown.add_row("the home", str(home.root))
    show(out, "Perennial runs; Ctrl-C ends all of it", shown)


def _keep(services: Services, vendors: Vendors) -> None:
    """Let the vendors send as their clock runs, and watch over the processes."""
    while True:
        ended = services.ended()
        if ended is not None:
            raise PerennialError(
                f"{ended.name} ended with code {ended.process.returncode}:\n{tail(ended.log)}",
                f"read {ended.log}, then make dev again",
            )
        vendors.emit()
        time.sleep(EMIT_EVERY_SECONDS)
