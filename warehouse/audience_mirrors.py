"""Which audiences are mirrored to lists: ``config.meta.mirror`` in the YAML beside an audience's SQL.

``mirror: {klaviyo: XyZ123}`` names the list, by the id that it has at the destination. The model
``destination_list_members`` reads the same words; here they are checked before anything is built, so that a typo is an
error that names file and key.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from perennial.errors import PerennialError
from warehouse.project import PROJECT

# Destinations whose lists can be changed from outside; AIQ documents no way to put somebody on one.
WITH_LISTS = ("klaviyo",)
_LIST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIX = "write it as in docs/audiences.md: mirror: {klaviyo: XyZ123}"


def check_mirrors(folder: Path = PROJECT / "models" / "audiences") -> dict[tuple[str, str], str]:
    """Return the audience behind each list, by destination and list id.

    Raises ``PerennialError`` at the first mirror that can't be: another shape, a destination without lists, an id that
    is none, or a list of two audiences, whose members would push each other out.
    """
    lists: dict[tuple[str, str], str] = {}
    for path in sorted(folder.rglob("*.yml")):
        file = f"dbt/models/audiences/{path.relative_to(folder)}"
        for audience, mirror in _told(path):
            if not isinstance(mirror, dict) or not mirror:
                raise PerennialError(f"{file}: config.meta.mirror is no mapping of destination to list", _FIX)
            for destination, list_id in mirror.items():
                key = f"config.meta.mirror.{destination}"
                if destination not in WITH_LISTS:
                    raise PerennialError(
                        f"{file}: {key}: {destination} is no destination with lists",
                        f"choose from {', '.join(WITH_LISTS)}",
                    )
                if not isinstance(list_id, str) or not _LIST_ID.fullmatch(list_id):
                    raise PerennialError(
                        f"{file}: {key}: {list_id} is no list id",
                        "take it from the list's address at the destination, in quotes where it is a number",
                    )
                other = lists.setdefault((destination, list_id), audience)
                if other != audience:
                    raise PerennialError(
                        f"{file}: {key}: the list {list_id} mirrors the audience {other} already",
                        "give each audience a list of its own",
                    )
    return lists


def _told(path: Path) -> list[tuple[str, Any]]:
    """Return each model of a YAML that has the key, with what it says."""
    document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    found = []
    for model in document.get("models") or []:
        meta = (model.get("config") or {}).get("meta") or {}
        if "mirror" in meta:
            found.append((model["name"], meta["mirror"]))
    return found
