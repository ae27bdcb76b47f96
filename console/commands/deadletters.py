"""``perennial deadletters``: what was refused, or may have been sent, and what becomes of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.asking import Yes, sure
from console.homes import home_to_read, own_home
from console.listing import Every, Reason, cut, nothing_named, show_counts
from console.output import out
from console.tables import show, table
from perennial.errors import PerennialError
from perennial.settings import load_settings

if TYPE_CHECKING:
    from reverse_etl.dead_letters import Selection
    from reverse_etl.sync.refused import Refused

app = typer.Typer(
    no_args_is_help=True,
    help="Rows that a destination refused, or may have taken: look, send again after a fix, or close them.",
)
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="These, as `list` shows them.")]
Destination = Annotated[str | None, typer.Option("--destination", help="Only those to this one.")]
Flow = Annotated[str | None, typer.Option("--flow", help="Only those of this flow.")]


@app.command("list")
def list_letters(
    ids: Ids = None,
    destination: Destination = None,
    flow: Flow = None,
    reason: Reason = None,
    *,
    every: Every = False,
) -> None:
    """Show them by reason, then one by one: ids, the reason, and the vendor's pointer; no address."""
    from reverse_etl.dead_letters import dead_letters
    from reverse_etl.opening import open_desk
    from reverse_etl.sync.refused import refused

    settings = load_settings()
    home_to_read(settings)
    with open_desk(settings) as desk, desk.ledger.read() as connection:
        letters = dead_letters(connection, _selection(ids, destination, flow, reason))
        mirrored = [] if ids or flow or reason else refused(connection, destination)
    if mirrored:
        _show_mirrored(mirrored, every=every)
    if not letters and mirrored:
        return
    if not letters:
        out.print("There are no dead letters.")
        return
    kinds = ((one.destination, one.status, one.error or "") for one in letters)
    show_counts(f"{len(letters):,} dead letters", ("system", ".state", ".reason"), kinds)
    shown = table("enrollment", ".system", ".flow", ".state", "calls", ".at", ".expires")
    rows, title = cut(letters, every=every)
    for one in rows:
        expires = "" if one.expires_at is None else f"{one.expires_at:%Y-%m-%d %H:%M}"
        shown.add_row(
            one.enrollment_id,
            one.destination,
            one.flow_name,
            one.status,
            str(one.attempts),
            f"{one.at:%Y-%m-%d %H:%M:%S}",
            expires,
        )
    show(out, title, shown)
    if any(one.status == "rejected" for one in letters):
        out.print(
            "[bold]Next:[/] mend what the reason names, then perennial deadletters retry (or discard)",
            soft_wrap=True,
        )
    if any(one.status == "ambiguous" for one in letters):
        out.print(
            "[bold]Next:[/] look ambiguous ones up at the destination, then "
            "perennial deadletters resolve ID --sent (or --not-sent)",
            soft_wrap=True,
        )


def _show_mirrored(mirrored: "list[Refused]", *, every: bool) -> None:
    """Show of whom a destination refuses traits, or a place on a list: each sync tries them again by itself."""
    shown = table("kept equal", ".customer", "calls", ".reason")
    for one in cut(mirrored, every=every)[0]:
        shown.add_row(str(one.mirror), one.customer_id, str(one.attempts), one.error)
    show(out, f"{len(mirrored):,} refused in what is kept equal; each sync tries them again", shown)


@app.command()
def retry(ids: Ids = None, destination: Destination = None, flow: Flow = None, reason: Reason = None) -> None:
    """Send refused rows again, after a fix: a refusal had no effect. Expired ones end as expired."""
    _decide("retry", _selection(ids, destination, flow, reason), is_sure=True)


@app.command()
def discard(
    ids: Ids = None,
    destination: Destination = None,
    flow: Flow = None,
    reason: Reason = None,
    *,
    yes: Yes = False,
) -> None:
    """Close refused rows for good; a customer's id closes what is kept equal of her until something else is wanted."""
    left = _discard_mirrored(ids or [], is_sure=yes)
    if left or not ids:
        _decide("discard", _selection(left, destination, flow, reason), is_sure=yes)


@app.command()
def resolve(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ambiguous rows, as `list` shows them.")],
    *,
    sent: Annotated[
        bool | None, typer.Option("--sent/--not-sent", help="What you found at the destination.")
    ] = None,
) -> None:
    """Say what you found at the destination about rows whose outcome nobody knew."""
    from reverse_etl.dead_letters import Selection, dead_letters
    from reverse_etl.dead_letters import resolve as settle
    from reverse_etl.opening import open_desk

    if sent is None:
        raise PerennialError(
            "nothing says what was found",
            "look the rows up at the destination, then add --sent or --not-sent",
        )
    settings = load_settings()
    own_home(settings)
    with open_desk(settings) as desk:
        with desk.ledger.read() as connection:
            letters = dead_letters(connection, Selection(ids=tuple(ids)))
        done = settle(desk, letters, was_sent=sent)
    out.print(f"{done:,} rows: {'sent' if sent else 'not sent'}.")
    if not sent:
        out.print(
            "[bold]Next:[/] perennial deadletters retry ID sends one again; discard closes it", soft_wrap=True
        )


def _discard_mirrored(ids: list[str], *, is_sure: bool) -> list[str]:
    """Close what is refused in what is kept equal of some customers; return the ids that are others."""
    from reverse_etl.opening import open_desk
    from reverse_etl.sync.refused import discard as close
    from reverse_etl.sync.refused import refused

    if not ids:
        return []
    settings = load_settings()
    own_home(settings)
    with open_desk(settings) as desk:
        with desk.ledger.read() as connection:
            found = [one for one in refused(connection) if one.customer_id in ids]
        if found:
            sure(f"Close {len(found):,} refused in what is kept equal?", is_sure=is_sure)
        close(desk, found)
    if found:
        out.print(f"{len(found):,} discarded in what is kept equal.")
    return [one for one in ids if one not in {letter.customer_id for letter in found}]


def _decide(deed: str, selection: "Selection", *, is_sure: bool) -> None:
    from reverse_etl import dead_letters
    from reverse_etl.opening import open_desk

    if selection.is_everything:
        raise nothing_named(deed, "name rows, or use --destination, --flow or --reason")
    settings = load_settings()
    own_home(settings)
    with open_desk(settings) as desk:
        with desk.ledger.read() as connection:
            letters = dead_letters.refused(connection, selection)
        if letters:
            sure(f"Close {len(letters):,} rows for good?", is_sure=is_sure)
        act = dead_letters.retry if deed == "retry" else dead_letters.discard
        done = act(desk, letters)
    out.print(f"{done:,} rows {'are to be sent again' if deed == 'retry' else 'discarded'}.")
    if deed == "retry" and done:
        out.print("[bold]Next:[/] the worker sends them at once; without one: perennial push", soft_wrap=True)


def _selection(
    ids: list[str] | None, destination: str | None, flow: str | None, reason: str | None
) -> "Selection":
    from reverse_etl.dead_letters import Selection

    return Selection(destination, flow, reason, tuple(ids or ()))
