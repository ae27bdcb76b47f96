"""``perennial rebuild``: the warehouse from landing."""

import time
from typing import Annotated

import typer

from console.homes import own_home
from console.output import err, out
from console.progress import Progress
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.settings import load_settings

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def rebuild(*, yes: Yes = False) -> None:
    """Make the warehouse anew from what landed: asks, restores every decision, sends nothing."""
    from extractors.landing.log import LandingLog
    from warehouse.builder import Builder
    from warehouse.moments import landed, last_finished
    from warehouse.ownership import owning

    settings = load_settings()
    home = own_home(settings)
    log = LandingLog(settings.landing_url)
    batches = log.batches()
    moments = [moment for moment in landed(log) if moment.build_no <= last_finished(log)]
    if not moments:
        raise PerennialError(
            "nothing was ever built from this log", "perennial run builds for the first time"
        )
    rows = sum(batch.rows for batch in batches)
    aside = home.warehouse.with_name(f"warehouse.before-{clock_of(settings).now():%Y%m%dT%H%M%S}.duckdb")
    out.print("[bold]Plan[/]")
    out.print(f"  read {rows:,} rows in {len(batches):,} batches of {settings.landing_url}", soft_wrap=True)
    out.print(f"  restore the state of build {moments[-1].build_no} with every decision as it was landed")
    out.print(f"  keep the present warehouse as {aside.name} until you remove it")
    out.print("  decide nothing anew and send nothing")
    if not yes and not typer.confirm("Go on?"):
        raise typer.Exit(1)
    with owning(home.root) as is_owner, Progress(err) as progress:
        if not is_owner:
            raise PerennialError(
                "another process owns the warehouse",
                "end perennial worker (or make dev), then call this again",
            )
        began = time.monotonic()
        progress.title("perennial rebuild")
        files = [
            (path, aside.with_name(path.name.replace(home.warehouse.stem, aside.stem, 1)))
            for path in home.root.glob("warehouse.duckdb*")
        ]
        for path, kept in files:
            path.rename(kept)
        with Builder(settings) as builder:
            report = builder.restore(lambda node: progress.say(node.unique_id))
    if report is None or not report.ok:
        raise PerennialError(
            f"the rebuild stopped: {report.error if report else 'no moment was found'}",
            f"the warehouse from before is kept as {aside.name}; mend what is named and call this again",
        )
    out.print(f"Rebuilt as of build {report.build_no} in {time.monotonic() - began:.0f} s.")
