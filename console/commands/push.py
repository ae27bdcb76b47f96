"""``perennial push``: send what is due; or say what that is, and send exactly that; or read back what is there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.asking import sure
from console.homes import own_home
from console.output import err, out
from console.progress import Progress
from console.tables import show, table
from perennial.errors import PerennialError
from perennial.settings import load_settings

if TYPE_CHECKING:
    from perennial.settings import Settings
    from reverse_etl.plan import Plan
    from reverse_etl.push import PushReport
    from reverse_etl.sync.sync import SyncReport

Destinations = Annotated[
    list[str] | None,
    typer.Option(
        "--destination", help="Only to this one (aiq, klaviyo, webhook, csv, flowhub); may be repeated."
    ),
]

_IDS = 3  # of a call that are named


def push(  # noqa: PLR0913 - the options of a command
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="With --plan: where to write the plan.", show_default=False),
    ] = None,
    destination: Destinations = None,
    *,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say exactly what would be sent; send and write nothing.")
    ] = False,
    apply: Annotated[
        str | None,
        typer.Option(
            "--apply",
            metavar="PLAN",
            help="Send what this plan (file, or id) says and nothing else, or refuse.",
        ),
    ] = None,
    read_back: Annotated[
        bool, typer.Option("--read-back", help="Read the mirrored lists there, show drift, and repair it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --read-back: repair without asking.")] = False,
) -> None:
    """Send the enrollments that landed decisions ask for, and what differs of what is kept equal; nothing twice."""
    from reverse_etl import push as pushing
    from reverse_etl.sync import sync as syncing

    if (plan + bool(apply) + read_back > 1) or (file and not plan) or (apply and destination):
        raise PerennialError(
            "these options do not go together",
            "perennial push [--destination D], perennial push --plan [FILE], perennial push --apply PLAN, or "
            "perennial push --read-back [--destination D] [--yes]",
        )
    settings = load_settings()
    own_home(settings)
    if read_back:
        _read_back(settings, destination, is_sure=yes)
        return
    if plan:
        _plan(pushing.plan(settings, destinations=destination), file)
        return
    with Progress(err) as progress:
        progress.title("perennial push")
        if apply:
            report = pushing.apply(settings, apply, on_progress=progress.say)
        else:
            report = pushing.push(settings, destinations=destination, on_progress=progress.say)
    _report(report)
    if not apply:
        with Progress(err) as progress:
            progress.title("keeping destinations equal")
            kept = syncing.sync(settings, destinations=destination, on_progress=progress.say)
        _mirrors(kept)


def _report(report: "PushReport") -> None:
    outcomes = sorted({name for counts in report.by_destination.values() for name in counts})
    shown = table("system", *outcomes)
    for name, counts in report.by_destination.items():
        shown.add_row(name, *(f"{counts.get(outcome, 0):,}" for outcome in outcomes))
    if report.by_destination:
        show(out, f"Sent {report.sent:,} in {report.seconds:.1f} s", shown)
    else:
        out.print("Nothing was due.")
    for hold in report.holds:
        out.print(
            f"Held: {hold.rows:,} of {hold.flow_name} to {hold.destination} ({hold.clause}). "
            f"[bold]Next:[/] perennial holds show {hold.hold_id}",
            soft_wrap=True,
        )


def _mirrors(report: "SyncReport") -> None:
    """Show how each mirror stands."""
    if not report.mirrors:
        return
    shown = table("kept equal", "accepted", "removed", "refused", "waiting", "in flight", ".says")
    for one in report.mirrors:
        counts = (one.accepted, one.removed, one.refused, one.waiting, one.in_flight)
        says = f"held: {one.held}" if one.held else one.stopped or ""
        shown.add_row(str(one.mirror), *(f"{count:,}" for count in counts), says)
    show(out, f"Build {report.build_no}", shown)


def _read_back(settings: "Settings", destinations: list[str] | None, *, is_sure: bool) -> None:
    """Show how lists differ from what was confirmed, and mend it once somebody says so."""
    from reverse_etl.sync import drift

    with Progress(err) as progress:
        progress.title("perennial push --read-back")
        found = drift.read_back(settings, destinations=destinations, on_progress=progress.say)
    if not found:
        out.print("No audience is mirrored to a list: mirror: in its YAML does that (docs/audiences.md).")
        return
    shown = table("list", "there", "missing", "unexpected", ".says")
    for one in found:
        says = one.problem or ", ".join(one.sample)
        shown.add_row(str(one.mirror), f"{one.there:,}", f"{one.missing:,}", f"{one.unexpected:,}", says)
    show(out, "Drift", shown)
    if not any(one.missing or one.unexpected for one in found):
        if any(one.problem for one in found):
            raise typer.Exit(1)
        out.print("[green]✓[/] The lists hold what was confirmed.")
        return
    sure("Put the missing on, and take the unexpected off?", is_sure=is_sure)
    with Progress(err) as progress:
        progress.title("perennial push --read-back")
        _mirrors(drift.repair(settings, destinations=destinations, on_progress=progress.say))


def _plan(made: "Plan", file: Path | None) -> None:
    from perennial.salt import salt_of
    from reverse_etl.plan_file import write_plan

    rows = table("system", ".flow", "rows")
    for (destination, flow), count in sorted(made.counts.items()):
        rows.add_row(destination, flow, f"{count:,}")
    show(out, f"{len(made.rows):,} rows would be sent now", rows)
    calls = table("system", ".first calls", ".of", ".says")
    for call in made.first_calls:
        ids = ", ".join(call.enrollment_ids[:_IDS]) + (" …" if len(call.enrollment_ids) > _IDS else "")
        calls.add_row(call.destination, f"{len(call.enrollment_ids):,} rows", ids, ", ".join(call.fields))
    if made.first_calls:
        show(out, "First calls (no values are shown)", calls)
    for destination, others in sorted(made.others.items()):
        told = ", ".join(f"{count:,} {why}" for why, count in sorted(others.items()))
        out.print(f"{destination}, not now: {told}", markup=False, soft_wrap=True)
    if file is not None:
        write_plan(made, file, salt_of(load_settings()))
        out.print(f"[bold]Next:[/] perennial push --apply {file}", soft_wrap=True)
