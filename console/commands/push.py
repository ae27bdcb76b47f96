"""``perennial push``: send what is due."""

from typing import Annotated

import typer

from console.homes import own_home
from console.output import err, out
from console.progress import Progress
from console.tables import show, table
from perennial.settings import load_settings

Destinations = Annotated[
    list[str] | None,
    typer.Option(
        "--destination", help="Only to this one (aiq, klaviyo, webhook, csv, flowhub); may be repeated."
    ),
]


def push(destination: Destinations = None) -> None:
    """Send the enrollments that landed decisions ask for; what was sent before is not sent again."""
    from reverse_etl.push import push as send

    settings = load_settings()
    own_home(settings)
    with Progress(err) as progress:
        progress.title("perennial push")
        report = send(settings, destinations=destination, on_progress=progress.say)
    outcomes = sorted({name for counts in report.by_destination.values() for name in counts})
    shown = table("system", *outcomes)
    for name, counts in report.by_destination.items():
        shown.add_row(name, *(f"{counts.get(outcome, 0):,}" for outcome in outcomes))
    show(out, f"Sent {report.sent:,} in {report.seconds:.1f} s", shown)
