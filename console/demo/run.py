"""``make run``: the main job, end to end, on the sandbox's vendors."""

import json
import time
from pathlib import Path

from console.demo.processes import Services
from console.demo.replay import replay
from console.demo.stage import entered, start_vendors
from console.demo.summary import show_summary
from console.output import err, out
from console.progress import Progress
from perennial.home import Home


def run_demo(folder: Path, households: int | None = None) -> None:
    """Replay what is left of the window, then show what came of it; ``PerennialError`` at a failure."""
    began = time.monotonic()
    with entered(folder, fixed_ports=False) as (settings, home):
        err.print(f"[bold]Perennial[/] on its sandbox, in {home.root} · loopback only", soft_wrap=True)
        with Services(home.root / "logs") as services, Progress(err) as progress:
            progress.title("starting")
            vendors = start_vendors(services, settings, progress, households)
            progress.done(f"[green]✓[/] vendors and receiver are up  {time.monotonic() - began:.1f} s")
            since_build = last_build(home)
            tally = replay(settings, vendors, progress)
        show_summary(out, home, tally, since_build=since_build, seconds=time.monotonic() - began)


def last_build(home: Home) -> int:
    """Return the number of the build that is published; 0 before the first."""
    pointer = home.published / "current.json"
    return int(json.loads(pointer.read_text(encoding="utf-8"))["build_no"]) if pointer.exists() else 0
