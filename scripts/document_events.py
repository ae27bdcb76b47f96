"""Write the tables of docs/events.md and docs/sources/partners.md anew from the seeds of the taxonomy."""

import csv
import re
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from extractors.receiver.taxonomy import SEEDS, EventType, event_types  # noqa: E402 - found by the line above

EVENTS = ROOT / "docs" / "events.md"
PARTNERS = ROOT / "docs" / "sources" / "partners.md"
_TABLE = re.compile(r"(?<=<!-- events -->\n).*?(?=<!-- /events -->)", re.DOTALL)


def taxonomy_table() -> str:
    """Return every event of the taxonomy, by category."""
    with (SEEDS / "event_types.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = []
    for category, events in groupby(rows, key=lambda row: row["category"]):
        lines += [
            f"\n### {category.replace('_', ' ').capitalize()}\n",
            "| event | what happened | object | trigger key | comes from |",
            "| --- | --- | --- | --- | --- |",
        ]
        for row in events:
            said = row["description"] + (f" The same as `{row['same_as']}`." if row["same_as"] else "")
            lines.append(
                f"| `{row['event_name']}` | {said} | {row['object']} | `{row['trigger_key']}` "
                f"| {_senders(row)} |"
            )
    return "\n".join(lines).lstrip("\n") + "\n"


def _senders(row: dict[str, str]) -> str:
    made_of = f" (of {', '.join(row['derived_from'].split())})" if row["derived_from"] else ""
    return ", ".join(
        source + made_of if source == "perennial" else source for source in row["available_from"].split()
    )


def partner_table() -> str:
    """Return every event that partners may send, with its properties; what must be there is in bold."""
    lines = ["| event | what happened | properties |", "| --- | --- | --- |"]
    lines += [
        f"| `{event.name}` | {event.description} | {_properties(event)} |"
        for event in event_types().values()
        if event.ingestible
    ]
    return "\n".join(lines) + "\n"


def with_table(page: Path, table: str) -> str:
    """Return a page with its table in the place that its comments mark."""
    return _TABLE.sub(lambda _: table, page.read_text(encoding="utf-8"))


def _properties(event: EventType) -> str:
    outer = [prop for prop in event.properties if "[]." not in prop.path]
    return ", ".join(
        f"**`{prop.path}`**" if prop.required else f"`{prop.path}`"
        for prop in sorted(outer, key=lambda prop: not prop.required)
    )


if __name__ == "__main__":
    EVENTS.write_text(with_table(EVENTS, taxonomy_table()), encoding="utf-8")
    PARTNERS.write_text(with_table(PARTNERS, partner_table()), encoding="utf-8")
