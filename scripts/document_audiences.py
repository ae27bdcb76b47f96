"""Write the tables of docs/audiences.md anew: the shipped audiences, and the traits that conditions may read."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "audiences.md"
MODELS = ROOT / "dbt" / "models"
_DOC = re.compile(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", re.DOTALL)
_DOC_NAME = re.compile(r"doc\('(\w+)'\)")


def audience_table() -> str:
    """Return every audience with who is in it."""
    lines = ["| audience | who is in it |", "| --- | --- |"]
    for path in sorted((MODELS / "audiences").glob("*.yml")):
        [model] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        who = model["description"].strip().removeprefix("One row per person ")
        lines.append(f"| `{model['name']}` | {who[0].upper()}{who[1:]} |")
    return "\n".join(lines) + "\n"


def trait_table() -> str:
    """Return every trait of a person."""
    docs = dict(_DOC.findall((MODELS / "_columns.md").read_text(encoding="utf-8")))
    [model] = yaml.safe_load((MODELS / "traits" / "customer_traits.yml").read_text(encoding="utf-8"))[
        "models"
    ]
    lines = ["| trait | what it says |", "| --- | --- |"]
    for column in model["columns"]:
        named = _DOC_NAME.search(column["description"])
        said = docs[named[1]] if named else column["description"]
        lines.append(f"| `{column['name']}` | {' '.join(said.split())} |")
    return "\n".join(lines) + "\n"


def with_tables(page: Path) -> str:
    """Return the page with its tables in the places that its comments mark."""
    text = page.read_text(encoding="utf-8")
    for name, table in (("audiences", audience_table()), ("traits", trait_table())):
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = before + mark + table + end + after
    return text


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE), encoding="utf-8")
