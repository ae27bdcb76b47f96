"""What is made of the flows' settings is made anew when they change."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from dbt.jsonschemas.jsonschemas import CustomDraft7Validator

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "dbt" / "models" / "flows").glob("*.yml"))


@pytest.fixture(name="script", scope="module")
def load_script() -> ModuleType:
    """Return the script that writes them, as a module."""
    spec = importlib.util.spec_from_file_location("document_flows", ROOT / "scripts" / "document_flows.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_in_the_docs_is_that_of_the_flows(script: ModuleType) -> None:
    """``python scripts/document_flows.py`` writes it anew."""
    made = script.table()
    assert made.count("\n| `") == len(FLOWS)
    assert made in script.PAGE.read_text(encoding="utf-8")


def test_every_setting_is_explained(script: ModuleType) -> None:
    """A key that a flow may say has a line in the docs."""
    text = script.PAGE.read_text(encoding="utf-8")
    assert [key for key in script.FlowSettings.model_fields if f"| `{key}` |" not in text] == []


def test_the_schema_is_that_of_the_settings(script: ModuleType) -> None:
    """The same script writes it; an editor and the build agree on what is a typo."""
    assert script.SCHEMA.read_text(encoding="utf-8") == script.schema()


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_an_editor_finds_no_typo_in_a_shipped_flow(script: ModuleType, path: Path) -> None:
    """Each file names the schema, keeps it, and breaks it with one wrong letter."""
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=../../flow.schema.json"
    judge = CustomDraft7Validator(json.loads(script.schema()))
    written = yaml.safe_load(text)
    assert [error.message for error in judge.iter_errors(written)] == []
    written["models"][0]["config"]["meta"]["flow"]["chanels"] = ["sms"]
    assert not judge.is_valid(written)
