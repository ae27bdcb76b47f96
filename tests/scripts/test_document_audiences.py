"""The tables of docs/audiences.md are those of the models."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
AUDIENCES = sorted((ROOT / "dbt" / "models" / "audiences").glob("*.sql"))


@pytest.fixture(name="script", scope="module")
def load_script() -> ModuleType:
    """Return the script that writes them, as a module."""
    spec = importlib.util.spec_from_file_location(
        "document_audiences", ROOT / "scripts" / "document_audiences.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_in_the_docs_are_those_of_the_models(script: ModuleType) -> None:
    """``python scripts/document_audiences.py`` writes them anew."""
    made = script.audience_table()
    assert made.count("\n| `") == len(AUDIENCES)
    assert "| `engagement_score` | 0 to 100" in script.trait_table()
    assert script.PAGE.read_text(encoding="utf-8") == script.with_tables(script.PAGE)


@pytest.mark.parametrize("path", AUDIENCES, ids=lambda path: path.stem)
def test_every_audience_says_who_is_in_it(script: ModuleType, path: Path) -> None:
    """Its description begins with its grain, and a date in its SQL has a unit test with a fixed clock."""
    told = path.with_suffix(".yml").read_text(encoding="utf-8")
    assert "One row per person who " in " ".join(told.split())
    assert f"| `{path.stem}` | Who " in script.audience_table()
    if "in_last" in (sql := path.read_text(encoding="utf-8")) or "in_next" in sql or "as_of()" in sql:
        assert "as_of:" in told
