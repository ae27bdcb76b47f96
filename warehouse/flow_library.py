"""The flows of the project as a list to choose from, and a copy of one of them to edit."""

import re
from dataclasses import dataclass
from pathlib import Path

from extractors.receiver.taxonomy import event_types
from perennial.errors import PerennialError
from perennial.settings import Settings
from warehouse.flow_settings import FlowSettings, lacking_senders, read_flow_settings, told_overrides
from warehouse.project import PROJECT

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# PostgreSQL cuts longer names.
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Shipped:
    """A flow with its settings; ``is_heard`` tells whether a connected integration sends what it waits for."""

    name: str
    settings: FlowSettings
    is_heard: bool


def library(settings: Settings) -> list[Shipped]:
    """Return every flow: those about orders and payments first, then by rank."""
    flows = read_flow_settings(told_overrides(settings.home))
    types = event_types(PROJECT / "seeds")
    listed = [Shipped(name, flow, not lacking_senders(flow, types, settings)) for name, flow in flows.items()]
    return sorted(listed, key=lambda one: (one.settings.kind == "marketing", one.settings.rank, one.name))


def copy_flow(name: str, source: str) -> tuple[Path, Path]:
    """Write a draft that is ``source`` under another name, and return its SQL and its YAML.

    The copy is validated as a build would; where it is not right nothing is left behind.
    """
    folder = PROJECT / "models" / "flows"
    if _NAME.fullmatch(name) is None:
        raise PerennialError(
            f"{name} can't be the name of a flow", "use small letters, digits and _, such as weekend_offer"
        )
    if len(name) > _LONGEST_NAME:
        raise PerennialError(f"{name} is longer than {_LONGEST_NAME} letters", "choose a shorter name")
    for kind, suffix in (("model", "sql"), ("seed", "csv")):
        if any((PROJECT / f"{kind}s").rglob(f"{name}.{suffix}")):
            raise PerennialError(f"there is a {kind} {name} already", "choose another name")
    originals = [folder / f"{source}.sql", folder / f"{source}.yml"]
    if not all(path.exists() for path in originals):
        raise PerennialError(f"there is no flow {source}", "perennial flow library lists them")
    copies = folder / f"{name}.sql", folder / f"{name}.yml"
    try:
        for original, copy in zip(originals, copies, strict=True):
            text = original.read_text(encoding="utf-8")
            # the SQL names events, keys and columns, and never itself
            copy.write_text(_renamed(text, source, name) if copy.suffix == ".yml" else text, encoding="utf-8")
        read_flow_settings()
    except PerennialError:
        for copy in copies:
            copy.unlink(missing_ok=True)
        raise
    return copies


def _renamed(text: str, source: str, name: str) -> str:
    """Rename the model and its tests, and begin as a draft with a name of its own for customers."""
    text = re.sub(rf"^( *(?:- )?(?:name|model): ){source}(?=_|$)", rf"\g<1>{name}", text, flags=re.MULTILINE)
    text = re.sub(r"^( +status: ).*$", r"\1draft", text, count=1, flags=re.MULTILINE)
    words = name.replace("_", " ").capitalize()
    text = re.sub(r"^( +display_name: ).*$", rf"\1{words}", text, count=1, flags=re.MULTILINE)
    return re.sub(r"^ +previous_names: .*\n", "", text, count=1, flags=re.MULTILINE)
