"""``perennial quarantine``: rows that were refused, and what becomes of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.asking import Yes, sure
from console.homes import home_to_read, own_home
from console.listing import Every, Reason, cut, nothing_named, show_counts
from console.output import out
from console.tables import show, table
from perennial.clock import clock_of
from perennial.settings import load_settings

if TYPE_CHECKING:
    from extractors.validation.quarantine import Done, Selection

app = typer.Typer(help="Rows that break a rule: look, take them up again after a fix, or set them aside.")
Places = Annotated[
    list[str] | None, typer.Argument(metavar="[SEQ/ROW]...", help="These rows, as `list` shows them.")
]
Stream = Annotated[
    str | None, typer.Option("--stream", help="Only rows of this stream, such as jane/cart_status.")
]
Status = Annotated[str, typer.Option("--status", help="open, retried, discarded, or all.")]
Show = Annotated[bool, typer.Option("--show", help="Print the payloads, personal data and all.")]


@app.command("list")
def list_rows(  # noqa: PLR0913 - the options of a command
    place: Places = None,
    stream: Stream = None,
    reason: Reason = None,
    status: Status = "open",
    *,
    show_payload: Show = False,
    every: Every = False,
) -> None:
    """Show which rows were refused and why, as of the newest published build."""
    from extractors.validation.quarantine import refused

    rows = refused(
        home_to_read(load_settings()), _selection(place, stream, reason), None if status == "all" else status
    )
    if not rows:
        out.print("Nothing is in quarantine." if status == "open" else f"No row is {status}.")
        return
    kinds = ((row.stream, row.reason) for row in rows)
    show_counts(f"{len(rows):,} rows in quarantine", ("stream", ".reason"), kinds)
    shown = table("row", ".stream", ".rule", ".received", ".status")
    some, title = cut(rows, every=every)
    for row in some:
        rule = row.reason.partition(":")[0]
        shown.add_row(str(row.place), row.stream, rule, f"{row.received_at:%Y-%m-%d %H:%M:%S}", row.status)
    show(out, title, shown)
    if show_payload:
        for row in some:
            out.print(f"[bold]{row.place}[/]")
            out.print(row.payload, markup=False, soft_wrap=True)
    if any(row.status == "open" for row in rows):
        out.print(
            "[bold]Next:[/] mend what the reason names, then perennial quarantine retry (or discard)",
            soft_wrap=True,
        )


@app.command()
def retry(place: Places = None, stream: Stream = None, reason: Reason = None) -> None:
    """Take open rows up again, after a fix: exactly those, each once."""
    from extractors.landing.log import LandingLog
    from extractors.validation.quarantine import refused
    from extractors.validation.quarantine import retry as take_up

    settings = load_settings()
    home = own_home(settings)
    clock = clock_of(settings)
    rows = refused(home, _selection(place, stream, reason))
    done = take_up(home, LandingLog(settings.landing_url, clock), clock, rows)
    _tell(done, "landed again")
    if done.places:
        out.print("[bold]Next:[/] the worker builds them at once; without one: perennial run", soft_wrap=True)


@app.command()
def discard(place: Places = None, stream: Stream = None, reason: Reason = None, *, yes: Yes = False) -> None:
    """Set open rows aside for good: say which, by place, stream or reason."""
    from extractors.landing.log import LandingLog
    from extractors.validation.quarantine import discard as set_aside
    from extractors.validation.quarantine import refused

    if not (place or stream or reason):
        raise nothing_named("discard", "name rows (41/2), or use --stream or --reason")
    settings = load_settings()
    home = own_home(settings)
    clock = clock_of(settings)
    rows = refused(home, _selection(place, stream, reason))
    if rows:
        sure(f"Discard {len(rows):,} rows for good?", is_sure=yes)
    _tell(set_aside(home, LandingLog(settings.landing_url, clock), clock, rows), "discarded")


def _selection(place: list[str] | None, stream: str | None, reason: str | None) -> "Selection":
    from extractors.validation.quarantine import Place, Selection

    return Selection(stream, reason, tuple(Place.of(text) for text in place or ()))


def _tell(done: "Done", what: str) -> None:
    """Say how many rows it was; that others had been closed before is no error: twice is once."""
    before = f" {done.before:,} had been closed before." if done.before else ""
    if done.places:
        out.print(f"{len(done.places):,} rows {what}.{before}")
    else:
        out.print(f"No open row to take.{before}")
