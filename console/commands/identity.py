"""``perennial identity``: who a person is taken to be, and why two records are one person's or two."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.homes import home_to_read
from console.output import out
from console.tables import show as show_table
from console.tables import table
from perennial.settings import load_settings

if TYPE_CHECKING:
    from warehouse.identity import Apart, Path, Shown
    from warehouse.profile import Profile

app = typer.Typer(no_args_is_help=True, help="Who a person is taken to be, and why.")
Who = Annotated[str, typer.Argument(metavar="PERSON", help="An e-mail, phone, record or customer_id.")]
RecordA = Annotated[str, typer.Argument(metavar="A", help="A record, such as flowhub_customer:c-1.")]
RecordB = Annotated[str, typer.Argument(metavar="B", help="The other record.")]
_TIME = "%Y-%m-%d %H:%M:%S"


@app.command()
def show(person: Who) -> None:
    """Show a person with each field's origin, her records, identifiers and former ids. Prints personal data."""
    from console.people import the_one_called
    from perennial.published import open_published
    from warehouse.profile import profile

    published = open_published(home_to_read(load_settings()))
    with published.connection:
        _show(profile(published, the_one_called(published, person)))


@app.command()
def why(a: RecordA, b: RecordB) -> None:
    """Explain two records: the steps that join them, or what they share and why it does not. Prints personal data."""
    from perennial.published import open_published
    from warehouse.identity import Path
    from warehouse.identity import why as explain

    published = open_published(home_to_read(load_settings()))
    with published.connection:
        found = explain(published, a, b)
    if isinstance(found, Path):
        _tell_path(found, a)
    else:
        _tell_apart(found)


def _show(person: "Profile") -> None:
    out.print(f"[bold]{person.customer_id}[/]: {len(person.records)} records")
    if person.has_conflict:
        out.print("  Her records contradict each other: she gets no marketing until they are mended.")
    if not person.fields:
        out.print("  Nobody knows who she is yet: a device, or a cart without a name.")
    fields = table("field", ".value", ".from", ".seen", ".won by")
    for field in person.fields:
        fields.add_row(field.name, field.value, field.node, f"{field.seen_at:{_TIME}}", field.rule)
    show_table(out, "Golden record", fields)
    records = table("record", ".source", ".name", ".born", ".last seen", ".hers since")
    for record in person.records:
        records.add_row(
            record.node,
            record.source,
            record.full_name or "",
            record.birth_date or "",
            f"{record.last_seen_at:{_TIME}}",
            f"{record.identified_at:{_TIME}}" if record.identified_at else "",
        )
    show_table(out, "Records", records)
    identifiers = table("identifier", ".value", ".source", ".first seen", ".last seen", ".")
    for known in person.identifiers:
        identifiers.add_row(
            known.identifier_type,
            known.identifier_value,
            known.source,
            f"{known.first_seen_at:{_TIME}}",
            f"{known.last_seen_at:{_TIME}}",
            "shared" if known.is_shared else "",
        )
    show_table(out, "Identifiers", identifiers)
    if person.former_ids:
        former = table("former id", ".until", ".reason")
        for one in person.former_ids:
            former.add_row(one.customer_id, f"{one.changed_at:{_TIME}}", one.reason)
        show_table(out, "Former ids", former)
    if len(person.records) > 1:
        out.print("[bold]Next:[/] perennial identity why A B, with two of the records, says what joins them")


def _tell_path(path: "Path", a: str) -> None:
    """Print the records one under the other, with what ties each to the next between them."""
    if not path.steps:
        out.print("That is one record.")
        return
    steps = f"{len(path.steps)} step{'' if len(path.steps) == 1 else 's'}"
    out.print(f"One person, [bold]{path.customer_id}[/]: {steps} from the one to the other.")
    if path.is_rebuilt:
        out.print(
            "Records around them contradicted each other, so only what agrees in all that is known joins."
        )
    out.print(a, style="bold", markup=False, soft_wrap=True)
    for step in path.steps:
        here = step.here
        out.print(f"  {here.identifier_type} {here.identifier_value}", markup=False, soft_wrap=True)
        out.print(f"    tier {here.tier}, {here.rule}: {here.why}", markup=False, soft_wrap=True)
        if here.verdict == "links_on_agreement":
            out.print(
                "    names or birth dates of those who show it differ: it joins who agree", soft_wrap=True
            )
        out.print(
            f"    on both since {step.since:{_TIME}}: {_seen(here)}, {_seen(step.there)}", soft_wrap=True
        )
        out.print(step.there.node, style="bold", markup=False, soft_wrap=True)
    out.print(
        "[bold]Next:[/] if they are two people, a row of the two in dbt/seeds/do_not_link.csv keeps them apart",
        soft_wrap=True,
    )


def _tell_apart(apart: "Apart") -> None:
    out.print(f"Two people: [bold]{apart.one}[/] and [bold]{apart.other}[/].")
    for one, other, reason in apart.kept_apart:
        out.print(f"do_not_link keeps {one} and {other} apart: {reason}", markup=False, soft_wrap=True)
    if not apart.shared:
        out.print("No record of the one shares a value with a record of the other.")
    for value in apart.shared:
        out.print(f"  {value.identifier_type} {value.identifier_value}", markup=False, soft_wrap=True)
        out.print(f"    {value.because}", markup=False, soft_wrap=True)
        out.print(f"    on {', '.join(value.ones)}; {', '.join(value.others)}", markup=False, soft_wrap=True)
    if apart.kept_apart:
        out.print(
            "[bold]Next:[/] if they are one person, take the row out of dbt/seeds/do_not_link.csv",
            soft_wrap=True,
        )
    else:
        out.print(
            "[bold]Next:[/] if they are one person, correct name, birth date or address of one of them at its source",
            soft_wrap=True,
        )


def _seen(shown: "Shown") -> str:
    return f"{shown.source} ({shown.first_seen_at:{_TIME}})"
