"""``perennial explain``: why somebody got a message, or did not."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from console.homes import home_to_read
from console.output import out
from console.tables import show as show_table
from console.tables import table
from perennial.errors import PerennialError
from perennial.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.explanation import Decision, Explanation, Near, Standing

FlowName = Annotated[str, typer.Option("--flow", metavar="FLOW", help="The flow's name.")]
Who = Annotated[
    str, typer.Option("--customer", metavar="PERSON", help="An e-mail, phone, source id or customer_id.")
]
At = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="An instant such as '2026-05-03 10:02', of the company's zone; now if left out."
    ),
]
# Why an event of hers was no candidate.
_NEAR = {
    "another_event": "is another event, of the same kind as the flow's trigger",
    "not_received_yet": "happened, but had not arrived by then",
    "before_activation": "happened before the flow became active",
    "was_there_before": "she was there when the audience was first looked at: nobody entered",
    "not_for_her": (
        "tells of a product that she cared for, but did not take her: viewed or carted more than 30 days before, "
        "bought more than 180, of a store that she does not use, medical, or within one message that is decided"
    ),
    "not_taken": (
        "was not taken by the flow's own SQL: of another status, reason or object than it asks for, or the same "
        "occurrence as one that is decided"
    ),
}
_SHOWN_BEFORE = 5
_FIRST_YEAR = 1970


def explain(flow: FlowName, customer: Who, at: At = None) -> None:
    """Explain a person and a flow: enrolled, which gate and values, or what came nearest. Prints personal data."""
    from console.people import the_one_called
    from perennial.published import open_published
    from warehouse.explanation import explain as explained

    settings = load_settings()
    zone = ZoneInfo(settings.perennial_timezone)
    instant = _read(at, zone)
    published = open_published(home_to_read(settings))
    with published.connection:
        found = explained(published, flow, the_one_called(published, customer), instant)
    _tell(found, published.build_no, zone)


def _read(text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read an instant, of the company's zone unless it says another."""
    if text is None:
        return None
    instant = None
    with suppress(ValueError, OverflowError):  # the first and last days of the calendar are none in UTC
        told = datetime.fromisoformat(text.strip())
        instant = (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)
    if instant is None or instant.year < _FIRST_YEAR:
        raise PerennialError(
            f"--at: {text} is no instant", "write it like '2026-05-03 10:02' or 2026-05-03T16:02:00Z"
        )
    return instant.replace(tzinfo=None)


def _tell(found: "Explanation", build_no: int, zone: ZoneInfo) -> None:
    flow = found.flow
    out.print(
        f"[bold]{flow.name}[/] ({flow.display_name}) and [bold]{found.customer_id}[/]", end="", soft_wrap=True
    )
    out.print(f", at {_time(found.at, zone)}, as of build {build_no}", soft_wrap=True)
    if flow.status != "active":
        out.print(f"The flow is set to {flow.status}.")
    for waiting in found.waiting:
        out.print(
            f"[bold]Waits[/] until {_time(waiting.window_ends_at, zone)}: {waiting.sentence}", soft_wrap=True
        )
        out.print(
            f"  gate {waiting.reason}; {waiting.trigger_key} of {_time(waiting.triggered_at, zone)}",
            soft_wrap=True,
        )
    for later in found.undecided:
        out.print(
            f"Undecided then: {later.trigger_key} of {_time(later.triggered_at, zone)} was decided "
            f"at {_time(later.decided_at, zone)} ({later.reason or later.outcome})",
            soft_wrap=True,
        )
    if found.decisions:
        _tell_decision(found.decisions[0], zone)
    elif not found.waiting and not found.undecided:
        _tell_nothing(found, zone)
    if len(found.decisions) > 1:
        before = table("decided", ".occasion", ".outcome", ".reason")
        for decision in found.decisions[1 : _SHOWN_BEFORE + 1]:
            before.add_row(
                _time(decision.decided_at, zone),
                decision.trigger_key,
                decision.outcome,
                decision.reason or "",
            )
        show_table(out, f"Before that ({len(found.decisions) - 1})", before)
    if found.decisions and found.near and found.near[0].why != "another_event":
        _tell_near(found.near[:1], zone)
    if found.standing is not None:
        _tell_standing(found.standing)
    _tell_values(found.decisions[0] if found.decisions else None, found.standing)


def _tell_decision(decision: "Decision", zone: ZoneInfo) -> None:
    mode = " (dry run: nothing is sent)" if decision.mode == "dry_run" else ""
    if decision.outcome == "enrolled":
        out.print(f"[bold green]Enrolled[/]{mode} by {decision.channels.replace(',', ' and ')}.")
    else:
        named = f" ({decision.reason})"
        out.print(f"[bold yellow]Skipped[/]{mode}: {decision.sentence or ''}{named}", soft_wrap=True)
    out.print(
        f"  {decision.trigger_key} of {_time(decision.triggered_at, zone)}, decided at "
        f"{_time(decision.decided_at, zone)} in build {decision.build_no}",
        soft_wrap=True,
    )
    if decision.outcome == "enrolled" and decision.mode == "live":
        out.print(f"  {_became(decision, zone)}", soft_wrap=True)


def _became(decision: "Decision", zone: ZoneInfo) -> str:
    """Say what became of an enrollment."""
    ended = (
        f"; ended at {_time(decision.exited_at, zone)}: {decision.exit_reason}" if decision.exited_at else ""
    )
    if decision.receipt == "accepted":
        at = f" at {_time(decision.accepted_at, zone)}" if decision.accepted_at else ""
        return f"accepted by the messaging system{at}{ended}"
    if decision.receipt is not None:
        why = f" ({decision.error})" if decision.error else ""
        return f"{decision.receipt}{why}{ended}"
    until = f", until {_time(decision.expires_at, zone)}" if decision.expires_at else ""
    start = f"not before {_time(decision.not_before, zone)}" if decision.not_before else "at once"
    return f"to be sent {start}{until}{ended}" if not ended else f"not sent{ended}"


def _tell_nothing(found: "Explanation", zone: ZoneInfo) -> None:
    out.print("[bold]No trigger:[/] the flow never looked at her.")
    if found.near:
        _tell_near(found.near[:1], zone)
    elif found.flow.is_about_products:
        out.print("  In 400 days there was no news of a product that she viewed, put into a cart or bought.")
    else:
        out.print("  Nothing of the kind is known of her in the last 400 days.")


def _tell_near(near: "Sequence[Near]", zone: ZoneInfo) -> None:
    for one in near:
        why = _NEAR.get(one.why) or f"the flow is {one.why.removeprefix('flow_is_')}: it decides nothing"
        said = "".join(f", {word}" for word in (one.status, one.reason) if word)
        out.print(
            f"Nearest: {one.event_name}{said} ({one.source}), {_time(one.occurred_at, zone)}", soft_wrap=True
        )
        out.print(f"  {why}", soft_wrap=True)


def _tell_standing(standing: "Standing") -> None:
    if standing.reason is None:
        out.print("As she stands now she passes each gate that needs no trigger.")
    else:
        out.print(
            f"As she stands now she would be skipped: {standing.sentence} ({standing.reason})", soft_wrap=True
        )


def _tell_values(decision: "Decision | None", standing: "Standing | None") -> None:
    """Print what the gates looked at, when it was decided and now."""
    then = decision.detail if decision else {}
    now = standing.detail if standing else {}
    names = [name for name in {**then, **now} if then.get(name) is not None or now.get(name) is not None]
    if names:
        made = table("value", *([".when decided"] if then else []), *([".now"] if now else []))
        for name in names:
            cells = [_word(values.get(name)) for values in (then, now) if values]
            made.add_row(name.replace("_", " "), *cells)
        show_table(out, "What the gates look at (times in UTC, but for the local one)", made)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _time(instant: datetime, zone: ZoneInfo) -> str:
    return instant.replace(tzinfo=UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
