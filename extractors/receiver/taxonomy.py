"""Which events there are and what partners may send of each: read from the two seeds that dbt reads too."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from perennial.errors import PerennialError

SEEDS = Path(__file__).parents[2] / "dbt" / "seeds"
Kind = Literal["text", "id", "amount", "number", "integer", "boolean", "list"]
_EVERY = "*"
_FORMS = (
    "",
    "date",
    "date-time",
    "text",
)  # beside choices such as sms|email; a list of text has the form text


@dataclass(frozen=True)
class Property:
    """What one property of an event holds; ``lines[].sku`` is the SKU of each of its lines."""

    path: str
    kind: Kind
    required: bool
    form: str
    description: str


@dataclass(frozen=True)
class EventType:
    """An event of the taxonomy, with the properties that partners may send."""

    name: str
    category: str
    ingestible: bool
    available_from: tuple[str, ...]
    derived_from: tuple[str, ...]
    description: str
    properties: tuple[Property, ...]


def event_types(seeds: Path = SEEDS) -> Mapping[str, EventType]:
    """Read the events by name, in the order of the seed; an error names file and line."""
    properties = list(_properties(seeds / "event_properties.csv"))
    found = {}
    for _, row in _rows(seeds / "event_types.csv"):
        name, category = row["event_name"], row["category"]
        found[name] = EventType(
            name=name,
            category=category,
            ingestible=row["ingestible"] == "true",
            available_from=tuple(row["available_from"].split()),
            derived_from=tuple(row["derived_from"].split()),
            description=row["description"],
            properties=tuple(_most_specific(properties, category, name)),
        )
    return found


def _most_specific(
    properties: list[tuple[str, str, Property]], category: str, name: str
) -> Iterator[Property]:
    """Give an event's properties: its own row wins over its category's, and that over the row for all."""
    chosen: dict[str, Property] = {}
    for scope in ((_EVERY, _EVERY), (category, _EVERY), (category, name)):
        chosen |= {prop.path: prop for *of, prop in properties if tuple(of) == scope}
    yield from chosen.values()


def _properties(path: Path) -> Iterator[tuple[str, str, Property]]:
    for line, row in _rows(path):
        for column, allowed in (
            ("type", get_args(Kind)),
            ("format", _FORMS),
            ("required", ("true", "false")),
        ):
            if row[column] not in allowed and not (column == "format" and "|" in row[column]):
                words = ", ".join(word or "nothing" for word in allowed)
                raise PerennialError(
                    f"{path.name}, line {line}: {column} is none of {words}", f"correct it in {path}"
                )
        kind: Kind = row["type"]  # type: ignore[assignment]  # one of them, as was just asked
        yield (
            row["category"],
            row["event_name"],
            Property(row["property"], kind, row["required"] == "true", row["format"], row["description"]),
        )


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from enumerate(csv.DictReader(file), start=2)
