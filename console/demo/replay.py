"""Replaying the window of the demo: the clock moves in steps, and after each the job runs once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.demo.tally import Tally, sent
from console.demo.vendors import Vendors, Window
from console.job import JobResult, run_job, shorten
from console.progress import Progress
from dagster_project.lib.keys import DESTINATIONS
from perennial.clock import sandbox_clock
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings

# Shorter than the shortest window of a flow (half an hour), or what is triggered would be decided too late.
PULLED = ("locations", "inventory", "customers", "orders")
STEP = timedelta(minutes=20)


def instants(window: Window, now: datetime | None) -> Iterator[datetime]:
    """Yield the instants still to be lived through; where time stands now when the window is over.

    ``now`` is when the demo was last built, None before the first time.
    """
    if now is None:
        yield window.start
    instant = now or window.start
    if instant >= window.end:
        yield instant
    while instant < window.end:
        instant = min(instant + STEP, window.end)
        yield instant


def replay(settings: Settings, vendors: Vendors, progress: Progress, *, steps: int | None = None) -> Tally:
    """Live through the window from where the clock stands: move the clock, emit, run the job, again.

    ``steps`` ends it after so many. Returns what the runs did together.

    Raises ``PerennialError`` at the first run that fails; the clock stays there, and the next call goes on.
    """
    tally = Tally()
    home = Home(settings.home)
    todo = list(instants(vendors.window(), built_at(settings, home)))[:steps]
    for number, instant in enumerate(todo, start=1):
        local = instant.astimezone(settings.zone)
        progress.title(f"{number} of {len(todo)} · {local:%a %d %b %Y %H:%M}")
        progress.say("the vendors send their webhooks")
        vendors.set_clock(instant, running=False)
        webhooks = sum(vendors.emit().values())
        # Between the first and the last build nobody reads the tests' results or what is published.
        hot = 1 < number < len(todo)
        result = run_job(home, on_progress=progress.say, hot=hot)
        tally.add(result)
        stop_on_failure(result)
        progress.done(_line(number, len(todo), local, webhooks, result))
    return tally


def built_at(settings: Settings, home: Home) -> datetime | None:
    """Return what the demo's clock shows; None before the first build."""
    return sandbox_clock(settings).now() if (home.published / "current.json").exists() else None


def stop_on_failure(result: JobResult) -> None:
    """Raise what a run failed of; every failure is named, the first one's fix is the next step."""
    troubles = [*result.failed, *result.refused]
    if troubles:
        causes = "\n".join(f"{trouble.step}: {shorten(trouble.cause)}" for trouble in troubles)
        raise PerennialError(causes, troubles[0].fix)


def _line(number: int, total: int, local: datetime, webhooks: int, result: JobResult) -> str:
    pulled = sum(result.rows(f"flowhub/{stream}") for stream in PULLED)
    accepted = sum(sent(result, destination).get("accepted", 0) for destination in DESTINATIONS)
    return (
        f"[green]✓[/] {number:>2}/{total} {local:%a %H:%M}  pulled {pulled:>7,}  webhooks {webhooks:>6,}  "
        f"accepted {accepted:>4,}  {result.seconds:>5.1f} s"
    )
