"""Run the unit tests of one flow: on a scratch warehouse that is empty but has every table, kept between two calls.

dbt asks the tables that a flow reads for their columns, so they are made once, and again when a file of the project
other than a flow's has changed.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from perennial.errors import PerennialError  # noqa: E402 - the next lines are found by the line above
from warehouse.project import PROJECT, DbtProject  # noqa: E402

_FLOWS = PROJECT / "models" / "flows"


def try_flow(name: str, folder: Path) -> list[str]:
    """Return what the tests say, a line each; ``PerennialError`` where one fails or there is none."""
    if not (_FLOWS / f"{name}.sql").exists():
        raise PerennialError(f"there is no flow {name}", "perennial flow library lists them")
    folder.mkdir(parents=True, exist_ok=True)
    project = DbtProject(folder / "warehouse.duckdb", folder / "dbt")
    _make_tables(project, folder)
    tested = project.results_of(["test", "--select", f"{name},test_type:unit"], {})
    if not tested:
        raise PerennialError(
            f"the flow {name} has no unit test",
            f"write one in dbt/models/flows/{name}.yml, with a fixed clock",
        )
    return [node.line for node in tested]


def _make_tables(project: DbtProject, folder: Path) -> None:
    """Make what flows read, without rows, unless it is there as the project says."""
    stamp, state = folder / "made_of", state_of_tables()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    print("making the tables that flows read; the next call finds them", flush=True)
    for left in folder.glob("warehouse.duckdb*"):
        left.unlink()
    for command in (["run-operation", "prepare_operations"], ["seed"], ["run", "--empty"]):
        project.results_of(command, {})
    stamp.write_text(state, encoding="utf-8")


def state_of_tables() -> str:
    """Return a hash of the models and seeds that are no flow's."""
    digest = hashlib.sha256()
    for path in sorted([*PROJECT.rglob("*.sql"), *PROJECT.rglob("*.csv")]):
        if _FLOWS not in path.parents and "target" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    """Ask for a name."""
    parser = argparse.ArgumentParser(description="Run the unit tests of one flow.")
    parser.add_argument("name", help="the flow: the name of its model")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".perennial" / "flow_tests", help="where tables are kept"
    )
    asked = parser.parse_args()
    began = time.monotonic()
    try:
        print("\n".join(try_flow(asked.name, asked.folder)))
    except PerennialError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
