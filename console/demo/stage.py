"""What ``make run`` and ``make dev`` have in common: the home, the vendors and the receiver."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

from console.demo.environment import DEFAULT_PORTS, Ports, demo_environment, enter, free_port
from console.demo.processes import Services, own_command
from console.demo.vendors import Vendors
from console.instance import prepare_instance
from console.logs import keep_log
from console.progress import Progress
from perennial.errors import PerennialError
from perennial.home import Home, open_home
from perennial.settings import Settings, load_settings

# Making the world the first time takes longest: a year of baskets is read and people are made of households.
VENDORS_SECONDS = 180.0
RECEIVER_SECONDS = 60.0


@contextmanager
def entered(folder: Path, *, fixed_ports: bool) -> Iterator[tuple[Settings, Home]]:
    """Become a process of the demo in a folder, alone; ``PerennialError`` where another one works there.

    With ``fixed_ports`` the servers listen where the docs say, if those ports are free; otherwise anywhere.
    """
    folder = folder.absolute()
    ports = Ports(*(free_port(port if fixed_ports else None) for port in astuple(DEFAULT_PORTS)))
    enter(folder, demo_environment(os.environ, folder, ports))
    settings = load_settings()
    home = open_home(settings, "demo")
    with (folder / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PerennialError(
                f"another make run or make dev works in {folder}", "end that one first (Ctrl-C in its window)"
            ) from None
        prepare_instance(home)
        keep_log(home, "console")
        # The shipped flows are drafts; the demo activates them all before its first build.
        flows = home.root / "flows.json"
        if not flows.exists():
            flows.write_text(json.dumps({"*": {"status": "active"}}), encoding="utf-8")
        yield settings, home


def start_vendors(
    services: Services, settings: Settings, progress: Progress, households: int | None = None
) -> Vendors:
    """Start the sandbox (with so many households, or all) and the receiver, and wait until both answer."""
    progress.say("starting the sandbox's vendors (the first time they make their world)")
    size = () if households is None else ("--households", str(households))
    sandbox = services.start("sandbox", own_command("sandbox", *size))
    receiver = services.start("receiver", own_command("serve"))
    base = f"http://127.0.0.1:{settings.perennial_sandbox_port}"
    services.wait_until_up(sandbox, f"{base}/control/clock", seconds=VENDORS_SECONDS)
    progress.say("starting the receiver")
    services.wait_until_up(
        receiver, f"http://127.0.0.1:{settings.perennial_receiver_port}/healthz", seconds=RECEIVER_SECONDS
    )
    return Vendors.at(settings.perennial_sandbox_port)
