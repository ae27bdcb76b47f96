"""``perennial demo``: what ``make run`` and ``make dev`` call."""

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from console.output import out
from perennial.errors import PerennialError

app = typer.Typer(help="The demo on the sandbox's vendors, in a home of its own.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--home", help="The demo's home.")]
Households = Annotated[
    int | None, typer.Option(min=1, help="Let only so many households exist: a smaller, faster world.")
]
DEFAULT_HOME = Path(".perennial") / "demo"


@app.command("run")
def run(home: Folder = DEFAULT_HOME, households: Households = None) -> None:
    """Run the main job end to end over the replayed window, and show what came of it."""
    from console.demo.run import run_demo

    run_demo(home, households)


@app.command("dev")
def dev(home: Folder = DEFAULT_HOME) -> None:
    """Start sandbox, receiver, worker and Dagster, and keep them until Ctrl-C."""
    from console.demo.dev import run_dev

    run_dev(home)


@app.command("clean")
def clean(home: Folder = DEFAULT_HOME) -> None:
    """Forget the demo: remove its home, and no other."""
    marker = home / "home.json"
    if not home.exists():
        out.print(f"{home} does not exist: nothing to remove.")
        return
    if not marker.exists() or json.loads(marker.read_text(encoding="utf-8"))["kind"] != "demo":
        raise PerennialError(f"{home} is not a demo's home", "remove it by hand if that is what you want")
    shutil.rmtree(home)
    out.print(f"Removed {home}.")
