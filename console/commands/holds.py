"""``perennial holds``: what a guard holds back, and what becomes of it."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from console.asking import Yes, sure
from console.homes import home_to_read, own_home
from console.listing import Every, cut
from console.output import out
from console.tables import show as show_table
from console.tables import table
from perennial.settings import load_settings

if TYPE_CHECKING:
    from reverse_etl.holds import Deed, Hold

app = typer.Typer(
    no_args_is_help=True, help="What is too much to be sent unseen: look, release it, or cancel it."
)
HoldId = Annotated[str, typer.Argument(metavar="ID", help="A hold, as `list` shows it.")]
All = Annotated[bool, typer.Option("--all", help="Those that are over, too.")]


@app.command("list")
def list_holds(*, every: All = False) -> None:
    """Show what waits for a person, and which clause it tripped."""
    from reverse_etl.holds import all_holds
    from reverse_etl.opening import open_desk

    settings = load_settings()
    home_to_read(settings)
    with open_desk(settings) as desk, desk.ledger.read() as connection:
        found = all_holds(connection, only_open=not every)
    if not found:
        out.print("Nothing is held.")
        return
    shown = table("hold", ".system", ".flow or list", "rows", ".clause", ".since", ".state")
    for hold in found:
        shown.add_row(
            hold.hold_id,
            hold.destination,
            hold.flow_name,
            f"{hold.rows:,}",
            hold.clause,
            f"{hold.since:%Y-%m-%d %H:%M:%S}",
            _state(hold),
        )
    show_table(out, f"{len(found):,} holds", shown)
    if waiting := next((hold for hold in found if hold.is_open), None):
        out.print(f"[bold]Next:[/] perennial holds show {waiting.hold_id}", soft_wrap=True)


@app.command()
def show(hold_id: HoldId, *, every: Every = False) -> None:
    """Show one hold: the clause with its values, how many, and who, by ids only."""
    from reverse_etl.holds import held_rows, the_hold
    from reverse_etl.opening import open_desk

    settings = load_settings()
    home_to_read(settings)
    with open_desk(settings) as desk, desk.ledger.read() as connection:
        hold = the_hold(connection, hold_id)
        rows = held_rows(connection, hold_id)
    out.print(
        f"[bold]{hold.hold_id}[/] {hold.flow_name} to {hold.destination}: {_state(hold)}", soft_wrap=True
    )
    out.print(f"{hold.clause}: {hold.reason}", markup=False, soft_wrap=True)
    measured = table("measured", "value")
    for name, value in hold.measured.items():
        measured.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    show_table(out, f"Since {hold.since:%Y-%m-%d %H:%M:%S} UTC", measured)
    if rows:
        states = ", ".join(
            f"{count:,} {state}" for state, count in Counter(row.status for row in rows).most_common()
        )
        who = table("enrollment", ".customer", ".state", ".decided", ".expires")
        some, title = cut(rows, every=every)
        for row in some:
            expires = "" if row.expires_at is None else f"{row.expires_at:%Y-%m-%d %H:%M}"
            who.add_row(
                row.enrollment_id, row.customer_id, row.status, f"{row.enrolled_at:%Y-%m-%d %H:%M}", expires
            )
        of_rows = "" if len(some) == len(rows) else f"; {title.lower()}"
        show_table(out, f"Who: {states}{of_rows}", who)
    if hold.is_open:
        out.print(
            f"[bold]Next:[/] perennial holds release {hold_id} (send it), or perennial holds cancel {hold_id}",
            soft_wrap=True,
        )


@app.command()
def release(hold_id: HoldId) -> None:
    """Let what is held go on to the gates: it is right."""
    _decide("release", hold_id)


@app.command()
def cancel(hold_id: HoldId, *, yes: Yes = False) -> None:
    """End what is held for good: none of it is sent."""
    _decide("cancel", hold_id, is_sure=yes)


def _decide(deed: "Deed", hold_id: str, *, is_sure: bool = True) -> None:
    from reverse_etl.holds import decide, the_hold
    from reverse_etl.opening import open_desk

    settings = load_settings()
    own_home(settings)
    with open_desk(settings) as desk:
        if not is_sure:
            with desk.ledger.read() as connection:
                hold = the_hold(connection, hold_id)
            if hold.is_open:
                sure(f"End {hold.rows:,} of {hold.flow_name} for good?")
        done = decide(desk, deed, hold_id)
    said = "released" if deed == "release" else "canceled"
    if done.hold.is_open:
        out.print(f"{done.rows:,} rows {said}; {done.hold.rows:,} joined meanwhile and still wait.")
    else:
        out.print(
            f"{done.rows:,} rows {said}." if done.rows else f"{hold_id} is {done.hold.ended or 'empty'}."
        )
    if deed == "release" and done.rows:
        out.print("[bold]Next:[/] the worker sends them at once; without one: perennial push", soft_wrap=True)


def _state(hold: "Hold") -> str:
    if hold.is_open:
        return "waits for a person"
    return f"{hold.ended} by {hold.ended_by or '?'}" if hold.ended else "nothing waits any more"
