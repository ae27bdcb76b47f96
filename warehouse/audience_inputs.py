"""What an audience is about, and whether anybody connected tells of it."""

import re
from collections.abc import Container, Iterator, Mapping
from functools import cache

import yaml

from extractors.receiver.taxonomy import event_types
from perennial.settings import Settings
from warehouse.project import PROJECT
from warehouse.senders import missing_senders

_AUDIENCES = PROJECT / "models" / "audiences"
_TRAITS = PROJECT / "models" / "traits" / "customer_traits.yml"


def audiences_without_sender(settings: Settings) -> list[str]:
    """Name the audiences that ask for what none of the connected integrations sends, with those that could.

    An audience asks for an event by its name, as ``has_done`` does, or for a trait whose YAML says which events bring
    it (``config.meta.events``).
    """
    types = event_types(PROJECT / "seeds")
    advice = []
    for name, asked in _asked(types):
        for trait, events in asked.items():
            senders = missing_senders(events, types, settings)
            if senders:
                advice.append(
                    f"audience {name} asks for {trait}, which nobody connected tells: "
                    f"connect {' or '.join(sorted(senders))} (perennial check), or expect nobody in it"
                )
    return advice


def _asked(types: Container[str]) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
    """Yield each audience with the traits and events that its SQL names, and the events behind each."""
    for path in sorted(_AUDIENCES.rglob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        asked = {
            trait: events for trait, events in _events_by_trait().items() if re.search(rf"\b{trait}\b", sql)
        }
        asked |= {event: [event] for event in re.findall(r"'([a-z_]+)'", sql) if event in types}
        yield path.stem, asked


@cache
def _events_by_trait() -> Mapping[str, list[str]]:
    [traits] = yaml.safe_load(_TRAITS.read_text(encoding="utf-8"))["models"]
    return {
        column["name"]: column["config"]["meta"]["events"]
        for column in traits["columns"]
        if "events" in column.get("config", {}).get("meta", {})
    }
