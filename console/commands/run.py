"""``perennial run``: extract, build, push, once."""

import time
from typing import Annotated

import typer

from console.output import err, out, show_error
from console.progress import Progress
from perennial.errors import PerennialError
from perennial.home import open_home
from perennial.settings import load_settings

Select = Annotated[
    str | None,
    typer.Option(
        "--select", help='Only these assets, as Dagster selects: "group:extraction" or "key:marts/*".'
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Extract and build, but send nothing.")]


def run(select: Select = None, *, dry_run: DryRun = False) -> None:
    """Extract, build and push once, through the same Dagster definitions as the schedules."""
    home = open_home(load_settings(), "real")
    with Progress(err) as progress:
        progress.title("perennial run")
        progress.say("loading Dagster")
        from console.instance import prepare_instance
        from console.job import run_job, shorten
        from console.logs import keep_log

        prepare_instance(home)
        keep_log(home, "run")
        began = time.monotonic()
        result = run_job(home, on_progress=progress.say, select=select, push=not dry_run)
    for asset, metadata in result.assets.items():
        counted = {
            name: value
            for name, value in metadata.items()
            if name in {"rows", "read", "accepted", "rejected", "ambiguous"} and value
        }
        if counted and not asset.startswith("landing/"):
            out.print(f"  {asset}: " + ", ".join(f"{name} {value:,}" for name, value in counted.items()))
    for trouble in [*result.failed, *result.refused]:
        show_error(PerennialError(f"{trouble.step}: {shorten(trouble.cause)}", trouble.fix))
    if not result.ok:
        raise typer.Exit(1)
    out.print(
        f"Done in {time.monotonic() - began:.0f} s; nothing was sent."
        if dry_run
        else f"Done in {time.monotonic() - began:.0f} s."
    )
