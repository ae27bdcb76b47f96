"""Build one audience on what is published, and say who would be in it: nothing that is in use is opened or changed.

dbt runs in this process, on a scratch file whose views are the published tables, as of the moment that published them:
the audience's unit tests, its view, its data tests.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import duckdb  # noqa: E402 - the next lines are found by the line above

from perennial.errors import PerennialError  # noqa: E402
from perennial.home import Home  # noqa: E402
from perennial.published import open_published  # noqa: E402
from warehouse.project import PROJECT, DbtProject  # noqa: E402

_SHOWN = 10


def try_audience(home: Home, name: str) -> list[str]:
    """Return what there is to say of the audience, a line each; ``PerennialError`` where it can't be built."""
    if not (PROJECT / "models" / "audiences" / f"{name}.sql").exists():
        raise PerennialError(
            f"there is no audience {name}", f"write dbt/models/audiences/{name}.sql, or correct the name"
        )
    # kept between two calls, so that dbt parses only what has changed; the file is named as a parsed project knows it
    folder = home.root / "audience"
    folder.mkdir(exist_ok=True)
    scratch = folder / "warehouse.duckdb"
    for left in folder.glob("warehouse.duckdb*"):
        left.unlink()
    # what the last build parsed is a beginning
    parsed, kept = home.root / "dbt" / "partial_parse.msgpack", folder / "partial_parse.msgpack"
    if parsed.exists() and not kept.exists():
        shutil.copy(parsed, kept)
    published = open_published(home, scratch)
    published.connection.close()
    project = DbtProject(scratch, folder)
    variables = {"as_of": f"{published.as_of:%Y-%m-%d %H:%M:%S.%f}", "build_no": published.build_no}
    built = project.results_of(["build", "--select", name], variables)
    return [*(node.line for node in built), *_members(scratch, name)]


def _members(scratch: Path, name: str) -> list[str]:
    """Say who is in it, and who would enter or leave."""
    with duckdb.connect(str(scratch), read_only=True) as connection:
        rows = connection.execute(
            f"""
            select present.customer_id, known.customer_id
            from (select distinct customer_id from audiences."{name}") as present
            full outer join (
                select customer_id from marts.audience_members where audience_name = ?
            ) as known on present.customer_id = known.customer_id
            order by all
            """,  # noqa: S608 - the name of a file of ours
            [name],
        ).fetchall()
    members = [here for here, _ in rows if here]
    enter = [here for here, known in rows if here and not known]
    leave = [known for here, known in rows if known and not here]
    lines = [f"{len(members)} people are in {name}: {len(enter)} would enter, {len(leave)} would leave"]
    for word, people in (("in it", members), ("enter", enter), ("leave", leave)):
        more = f" and {len(people) - _SHOWN} more" if len(people) > _SHOWN else ""
        if people:
            lines.append(f"{word}: {', '.join(people[:_SHOWN])}{more}")
    return lines


def main() -> int:
    """Ask for a name and a home."""
    parser = argparse.ArgumentParser(description="Build one audience on what is published.")
    parser.add_argument("name", help="the audience: the name of its model")
    parser.add_argument("--home", type=Path, default=ROOT / ".perennial" / "demo", help="default: the demo's")
    asked = parser.parse_args()
    began = time.monotonic()
    try:
        print("\n".join(try_audience(Home(asked.home), asked.name)))
    except PerennialError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
