"""``perennial rebuild``: the warehouse from landing."""

import time

from console.asking import Yes, sure
from console.homes import own_home
from console.output import err, out
from console.progress import Progress
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.settings import load_settings


def rebuild(*, yes: Yes = False) -> None:
    """Make the warehouse anew from what landed: asks, restores every decision, sends nothing."""
    from extractors.landing.log import LandingLog
    from warehouse import rebuild as restoring
    from warehouse.moments import landed, last_finished

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
    out.print("[bold]Plan[/]")
    out.print(f"  read {rows:,} rows in {len(batches):,} batches of {settings.landing_url}", soft_wrap=True)
    out.print(f"  restore the state of build {moments[-1].build_no} with every decision as it was landed")
    out.print(
        f"  keep the present warehouse beside it ({home.warehouse.stem}.before-….duckdb) until you remove it"
    )
    out.print("  decide nothing anew and send nothing")
    sure("Go on?", is_sure=yes)
    began = time.monotonic()
    with Progress(err) as progress:
        progress.title("perennial rebuild")
        report = restoring.rebuild(
            settings, clock_of(settings).now(), lambda node: progress.say(node.unique_id)
        )
    out.print(f"Rebuilt as of build {report.build_no} in {time.monotonic() - began:.0f} s.")
