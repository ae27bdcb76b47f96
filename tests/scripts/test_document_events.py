"""The pages about events say what the seeds say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="script", scope="module")
def load_script() -> ModuleType:
    """Return the script that writes the tables, as a module."""
    spec = importlib.util.spec_from_file_location("document_events", ROOT / "scripts" / "document_events.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("page", "table"), [("EVENTS", "taxonomy_table"), ("PARTNERS", "partner_table")])
def test_the_tables_in_the_docs_are_those_of_the_seeds(script: ModuleType, page: str, table: str) -> None:
    """After a change of a seed, ``python scripts/document_events.py`` writes them anew."""
    path: Path = getattr(script, page)
    text = path.read_text(encoding="utf-8")
    made = getattr(script, table)()
    assert made.count("\n| `") > 50
    assert text == script.with_table(path, made)
    assert made in text


def test_every_trigger_key_is_explained(script: ModuleType) -> None:
    """A key that the seed uses has a line in the table above it."""
    text = script.EVENTS.read_text(encoding="utf-8")
    explained = text[: text.index("## The taxonomy")]
    keys = {
        line.split("|")[4].strip() for line in script.taxonomy_table().splitlines() if line.startswith("| `")
    }
    assert keys
    assert [key for key in keys if key not in explained] == []
