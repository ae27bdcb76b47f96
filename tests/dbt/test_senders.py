"""Who the taxonomy says can send an event is who can: each has a model that reads it under that name."""

import csv
import re

import pytest

from warehouse.project import PROJECT

EVENTS = PROJECT / "models" / "events"
SEEDS = PROJECT / "seeds"
# Beside `int_events__<source>.sql`: what else makes events of what the source sent, and the seeds that name them.
ELSEWHERE = {
    "flowhub": ("int_events__inventory.sql",),
    "jane": ("jane_statuses.csv",),
    "omni": ("omni_events.csv",),
    "perennial": (
        "int_audience_events.sql",
        "int_events__implied.sql",
        *sorted(p.name for p in EVENTS.glob("int_clock__*.sql")),
    ),
}


def _rows() -> list[dict[str, str]]:
    with (SEEDS / "event_types.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _named_by(source: str) -> set[str]:
    files = [EVENTS / f"int_events__{source}.sql"]
    files += [(SEEDS if name.endswith(".csv") else EVENTS) / name for name in ELSEWHERE.get(source, ())]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return set(re.findall(r"[a-z0-9_]+", text))


@pytest.mark.parametrize("source", ["flowhub", "jane", "omni", "shopify", "perennial"])
def test_an_integration_sends_what_the_taxonomy_says_it_does(source: str) -> None:
    """Who waits for an event of a source that never sends it waits for ever, and nothing tells her."""
    listed = {row["event_name"] for row in _rows() if source in row["available_from"].split()}
    assert listed
    assert listed <= _named_by(source)


def test_what_the_warehouse_derives_is_made_of_somebodys_words() -> None:
    """But for audiences, which it knows of itself; nothing else is made of anything."""
    derived = {row["event_name"] for row in _rows() if "perennial" in row["available_from"].split()}
    made = {row["event_name"] for row in _rows() if row["derived_from"]}
    assert derived - made == {"segment_entered", "segment_exited"}
    assert made <= derived
