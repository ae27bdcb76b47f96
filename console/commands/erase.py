"""``perennial erase``: a person is forgotten everywhere."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from console.asking import Yes, sure
from console.homes import own_home
from console.output import err, out
from console.progress import Progress
from console.tables import show, table
from perennial.clock import clock_of
from perennial.settings import load_settings

if TYPE_CHECKING:
    from erasure.erase import Outcome
    from erasure.person import Person
    from erasure.plan import Plan

Who = Annotated[str, typer.Argument(metavar="PERSON", help="An e-mail, phone, source id or customer_id.")]


def erase(person: Who, *, yes: Yes = False) -> None:
    """Forget a person everywhere: asks, keeps nothing but a salted hash that keeps her opt-out; can't be undone."""
    from erasure.erase import begin
    from erasure.erase import erase as forget
    from erasure.plan import Erased, Plan
    from erasure.plan import plan as look_for
    from warehouse.ownership import owned

    settings = load_settings()
    home = own_home(settings)
    clock = clock_of(settings)
    with owned(home):
        with Progress(err) as progress:
            progress.title("perennial erase")
            found = look_for(settings, clock, person, lambda node: progress.say(node.unique_id))
        if isinstance(found, Erased):
            out.print(f"She was erased on {found.erased_at}; nothing of her is here.")
            return
        if isinstance(found, Plan):
            _show(found)
            sure("Erase her? This can't be undone", is_sure=yes)
            work = begin(settings, clock, found.person, found.destinations)
            steps = _by_hand(found.person, work.to_tell)
        else:
            out.print(
                f"An erasure that began on {found.erased_at:%Y-%m-%d %H:%M} UTC is not over; it goes on."
            )
            steps = _by_hand(found.person, found.to_tell) if found.person is not None else []
            work = found
        with Progress(err) as progress:
            progress.title("perennial erase")
            outcome = forget(settings, clock, work, progress.say)
    _tell(outcome, steps)


def _show(plan: "Plan") -> None:
    """Show who is meant, with masked values, and what there is of her."""
    person = plan.person
    out.print(f"[bold]{person.customer_id}[/]: {len(person.nodes)} records")
    for email in sorted(person.emails):
        out.print(f"  {_masked(email)}", markup=False)
    for phone in sorted(person.phones):
        out.print(f"  {_masked(phone)}", markup=False)
    counted = table("of her", ".rows")
    for stream, rows in plan.rows.items():
        counted.add_row(stream, f"{rows:,}")
    counted.add_row("ledger", f"{plan.enrollments:,}")
    show(out, "Plan", counted)
    out.print(
        "  Sales stay in the books as a guest's; everything else of her rows goes. The warehouse is made anew."
    )
    if person.shared:
        out.print(
            f"  {len(person.shared)} of her addresses are other people's too: marketing to them stops until they "
            "opt in again.",
            soft_wrap=True,
        )
    if plan.mentions:
        out.print(
            f"  {_listed(plan.mentions)} of other people hold a value of hers and stay as they are.",
            soft_wrap=True,
        )
    for step in _by_hand(person, plan.destinations):
        out.print(f"  Before you go on, by hand: {step}", markup=False, soft_wrap=True)


def _by_hand(person: "Person", told: Collection[str]) -> list[str]:
    """Return what no documented interface does: the sources are asked by a person, and so is AIQ."""
    sources = {node.partition(":")[0] for node in person.nodes}
    steps = []
    if "flowhub_customer" in sources:
        steps.append("delete her in Flowhub, or her next purchase brings her back (opted out)")
    if sources & {"jane_user", "jane_contact"}:
        steps.append("ask Jane (support) to delete her account")
    if sources & {"shopify_customer", "omni_contact"}:
        steps.append("in Shopify: Customers → her record → Erase personal data; OMNI follows Shopify")
    if sources & {"partner_customer", "partner_contact", "device"}:
        steps.append("ask the partners that send events to delete her")
    unasked = sorted(person.emails & person.shared or (person.phones if not person.emails else ()))
    if "klaviyo" in told and unasked:
        steps.append(
            f"in Klaviyo: look for {', '.join(unasked)} and delete the profile if it is hers; it is asked by interface "
            "only for e-mails that nobody else uses"
        )
    addresses = ", ".join([*sorted(person.emails), *sorted(person.phones)])
    if "webhook" in told:
        steps.append("ask whoever receives the webhooks (WEBHOOK_URL) to delete what they keep of her")
    if "csv" in told:
        steps.append(
            "take her rows out of the files under CSV_DROP_URL, and ask whoever reads them to do the same"
        )
    steps.append(
        "write to AIQ (support): “Please delete the contact with the following identifiers from our account, with all "
        f"events and attributes, and keep it on the suppression list: {addresses}”"
    )
    return steps


def _tell(outcome: "Outcome", steps: list[str]) -> None:
    for step in steps:
        out.print(f"  By hand: {step}", markup=False, soft_wrap=True)
    if not outcome.open:
        out.print("[green]✓[/] Erased.")
        return
    for name, reason in outcome.open.items():
        out.print(f"[yellow]•[/] {name} was not told yet: ", end="")
        out.print(reason, markup=False, soft_wrap=True)
    out.print("  → ", end="", style="bold")
    out.print("everything here is erased; call the same command again until they are told")
    raise typer.Exit(1)


def _masked(value: str) -> str:
    """Show enough to recognise a value that one knows."""
    name, at, domain = value.partition("@")
    return f"{name[:1]}…{at}{domain}" if at else f"…{value[-2:]}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} rows of {stream}" for stream, count in counts.items())
