"""``perennial flow``: the shipped flows, a copy of one to edit, and who would enter one."""

from typing import Annotated

import typer

from console.output import out
from console.tables import show as show_table
from console.tables import table
from perennial.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The shipped flows, a copy to edit, and who would enter one.")
_STATUS_STYLE = {"active": "green", "dry_run": "yellow", "paused": "red"}


@app.command()
def library() -> None:
    """List the flows with what each gives, what triggers it, and its status."""
    from warehouse.flow_library import library as listed

    flows = listed(load_settings())
    made = table("flow", ".gives", ".triggered by", ".status")
    for flow in flows:
        status = flow.settings.status
        style = _STATUS_STYLE.get(status, "dim")
        heard = "" if flow.is_heard else " [red](not connected)[/]"
        made.add_row(
            flow.name, flow.settings.gives, "\n".join(flow.settings.trigger) + heard, f"[{style}]{status}[/]"
        )
    running = sum(flow.settings.status in {"active", "dry_run"} for flow in flows)
    show_table(out, f"{len(flows)} flows, {running} of them running", made)
    out.print(
        "[bold]Next:[/] perennial flow new NAME --from FLOW copies one to edit; "
        "status: active in its YAML activates it",
        soft_wrap=True,
    )


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What the flow is called, such as weekend_offer.")],
    source: Annotated[
        str, typer.Option("--from", metavar="FLOW", help="The flow to begin with.")
    ] = "cart_abandoned_recovery",
) -> None:
    """Write a draft to edit: another flow's SQL, settings and unit tests under a new name."""
    from warehouse.flow_library import copy_flow

    for path in copy_flow(name, source):
        out.print(f"[green]✓[/] {path}", soft_wrap=True)
    out.print(
        "[bold]Next:[/] say in the SQL who enters and what the message needs, in the YAML when and how; docs/flows.md\n"
        f"has every key. dbt test --select {name},test_type:unit runs its unit tests.",
        soft_wrap=True,
    )


@app.command()
def review(
    flow: Annotated[str, typer.Argument(help="The flow, whatever its status.", metavar="FLOW")],
    days: Annotated[int, typer.Option(min=1, max=35, help="How many days to look back.")] = 7,
) -> None:
    """Show who would have entered a flow in the last days, by reason; asked in a copy, nobody is enrolled."""
    from console.homes import home_to_read
    from warehouse.flow_review import review as ask

    settings = load_settings()
    home_to_read(settings)
    found = ask(settings, flow, days)
    made = table("answer", "occurrences", "people", ".why")
    for answer in found.answers:
        made.add_row(
            answer.reason or "[green]enrolled[/]",
            f"{answer.occurrences:,}",
            f"{answer.people:,}",
            answer.sentence,
        )
    show_table(out, f"{flow}, {found.since:%Y-%m-%d %H:%M} to {found.as_of:%Y-%m-%d %H:%M} UTC", made)
    if not found.answers:
        out.print("Nothing that triggers it happened in these days.")
    if found.advice is not None:
        out.print(f"[yellow]![/] {found.advice}.", soft_wrap=True)
    out.print(
        "Asked as of the last build, with what is known by now: what has moved on since its trigger is superseded.",
        soft_wrap=True,
    )
