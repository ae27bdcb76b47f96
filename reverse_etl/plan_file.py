"""A plan as a file: sealed with the home's salt, so that what was edited, or comes from elsewhere, is refused."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from perennial.home import Home
from perennial.salt import Salt
from reverse_etl.plan import Plan, PlanError, Planned
from reverse_etl.planned import canonical

_FORMAT = 1


def write_plan(plan: Plan, path: Path, salt: Salt) -> None:
    """Write a plan down, sealed."""
    content: dict[str, Any] = {
        "perennial_plan": _FORMAT,
        "plan_id": plan.plan_id,
        "ledger": plan.ledger,
        "home": salt.salt_id,
        "made_at": plan.made_at.isoformat(),
        "counts": {
            f"{destination}/{flow}": count for (destination, flow), count in sorted(plan.counts.items())
        },
        "rows": [asdict(row) for row in plan.rows],
    }
    content["seal"] = salt.hash("seal", canonical(content))
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise PlanError(
            f"the plan can't be written to {path}: {error.strerror}", "name a file in a folder that is yours"
        ) from None


def file_named(home: Home, named: str) -> Path:
    """Return the file that a plan's id, or a path, names: what is kept under its id is in the home."""
    kept = home.plans / f"{named}.json"
    return kept if named == Path(named).name and kept.exists() else Path(named)


def keep_plan(plan: Plan, home: Home, salt: Salt) -> Path:
    """Write a plan down in the home, under its id; return the file."""
    home.plans.mkdir(parents=True, exist_ok=True)
    path = home.plans / f"{plan.plan_id}.json"
    write_plan(plan, path, salt)
    return path


def read_plan(path: Path, salt: Salt) -> Plan:
    """Read a plan as it was written; ``PlanError`` where it was edited, or comes from another home."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        home, seal = content["home"], content.pop("seal")
        is_ours = content["perennial_plan"] == _FORMAT
    except OSError as error:
        raise PlanError(
            f"the plan {path} can't be read: {error.strerror}", "make one: perennial push --plan FILE"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_ours, home, seal = False, "", ""
    if not is_ours:
        raise PlanError(f"{path} is no plan of a push", "make one: perennial push --plan FILE")
    if home != salt.salt_id:
        raise PlanError(
            f"the plan {path} is of another home",
            "apply it where it was made, or make one here: perennial push --plan FILE",
        )
    if seal != salt.hash("seal", canonical(content)):
        raise PlanError(f"the plan {path} was edited", "make it anew: perennial push --plan FILE")
    rows = tuple(Planned(**row) for row in content["rows"])
    return Plan(content["plan_id"], content["ledger"], datetime.fromisoformat(content["made_at"]), rows)
