"""``perennial push``: send what is due; or say what that is, and send exactly that."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.homes import own_home
from console.output import err, out
from console.progress import Progress
from console.tables import show, table
from perennial.errors import PerennialError
from perennial.settings import load_settings

if TYPE_CHECKING:
    from reverse_etl.plan import Plan
    from reverse_etl.push import PushReport

Destinations = Annotated[
    list[str] | None,
    typer.Option(
        "--destination", help="Only to this one (aiq, klaviyo, webhook, csv, flowhub); may be repeated."
    ),
]

_IDS = 3  # of a call that are named


def push(
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
        Path | None,
        typer.Option("--apply", metavar="PLAN", help="Send what this plan says and nothing else, or refuse."),
    ] = None,
) -> None:
    """Send the enrollments that landed decisions ask for; what was sent before is not sent again."""
    from reverse_etl import push as pushing

    if (plan and apply) or (file and not plan) or (apply and destination):
        raise PerennialError(
            "these options do not go together",
            "perennial push [--destination D], perennial push --plan [FILE], or perennial push --apply PLAN",
        )
    settings = load_settings()
    own_home(settings)
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


def _report(report: "PushReport") -> None:
    outcomes = sorted({name for counts in report.by_destination.values() for name in counts})
    shown = table("system", *outcomes)
    for name, counts in report.by_destination.items():
        shown.add_row(name, *(f"{counts.get(outcome, 0):,}" for outcome in outcomes))
    show(out, f"Sent {report.sent:,} in {report.seconds:.1f} s", shown)
    for hold in report.holds:
        out.print(
            f"Held: {hold.rows:,} of {hold.flow_name} to {hold.destination} ({hold.clause}). "
            f"[bold]Next:[/] perennial holds show {hold.hold_id}",
            soft_wrap=True,
        )


def _plan(made: "Plan", file: Path | None) -> None:
    from perennial.salt import salt_of
    from reverse_etl.plan import write_plan

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
