"""What stands beside each model: its grain, its columns, its contract, its tests, as dbt reads them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from extractors.validation.rules import streams_read
from perennial.streams import KNOWN
from warehouse.project import manifest_path

ROOT = Path(__file__).parents[2]
DBT = ROOT / "dbt"
STEPS = ("base_", "stg_", "int_")
LISTS = ("audiences", "flows")  # folders of lists that are published through other models
KEY_TESTS = {"unique", "not_null"}
COMBINED_KEY_TEST = "unique_combination_of_columns"


def model_files() -> dict[str, Path]:
    """Return the models by name."""
    return {path.stem: path for path in (DBT / "models").rglob("*.sql")}


def marts() -> list[str]:
    """Return the models that consumers may rely on."""
    return sorted(
        name
        for name, path in model_files().items()
        if not name.startswith(STEPS) and path.relative_to(DBT / "models").parts[0] not in LISTS
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the parsed project, as dbt writes it."""
    path = manifest_path(tmp_path_factory.mktemp("properties"))
    parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


def models_of(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the project's models by name."""
    return {node["name"]: node for node in project["nodes"].values() if node["resource_type"] == "model"}


def attached_to(project: dict[str, Any], unique_id: str) -> list[dict[str, Any]]:
    """Return the generic tests attached to a node."""
    return [
        node
        for node in project["nodes"].values()
        if node["resource_type"] == "test" and node.get("attached_node") == unique_id
    ]


def test_every_description_begins_with_the_grain(project: dict[str, Any]) -> None:
    """A reader learns first what a row is."""
    nodes = [node for node in project["nodes"].values() if node["resource_type"] in {"model", "seed"}]
    assert nodes
    assert [node["name"] for node in nodes if not node["description"].startswith("One row per ")] == []


def test_every_column_that_is_named_is_described(project: dict[str, Any]) -> None:
    """A column without words is a question to somebody."""
    silent = [
        f"{node['name']}.{column['name']}"
        for node in project["nodes"].values()
        for column in node.get("columns", {}).values()
        if not column["description"].strip()
    ]
    assert silent == []


def test_every_macro_is_described(project: dict[str, Any]) -> None:
    """A macro is a function: its words and its arguments stand beside it."""
    macros = [macro for macro in project["macros"].values() if macro["package_name"] == "perennial"]
    assert macros
    assert [macro["name"] for macro in macros if not macro["description"].strip()] == []


def test_every_mart_is_public_under_an_enforced_contract(project: dict[str, Any]) -> None:
    """What others script against can't change its columns unseen."""
    models = models_of(project)
    assert marts()
    for name in marts():
        node = models[name]
        assert node["access"] == "public", name
        assert node["config"]["contract"]["enforced"], name
        assert [column for column in node["columns"].values() if not column["data_type"]] == [], name


def test_no_step_on_the_way_is_public(project: dict[str, Any]) -> None:
    """Steps may change: nobody outside relies on them."""
    public = {name for name, node in models_of(project).items() if node["access"] == "public"}
    assert public <= set(marts())


def test_every_model_has_its_key_tested(project: dict[str, Any]) -> None:
    """One column that is unique and never null, or columns that are so together.

    The columns of flows are those of ``flow_candidates``: they are documented, and their key is tested, once, where
    all candidates come together.
    """
    without = []
    for name, node in models_of(project).items():
        if node["fqn"][1] == "flows":
            assert not node["columns"], f"{name}: the columns of flows stand at int_flow_candidates"
            continue
        tests = attached_to(project, node["unique_id"])
        combined = [
            test for test in tests if test["test_metadata"]["name"] == "unique_combination_of_columns"
        ]
        by_column: dict[str, set[str]] = {}
        for test in tests:
            by_column.setdefault(test["column_name"] or "", set()).add(test["test_metadata"]["name"])
        if not combined and not any(names >= KEY_TESTS for names in by_column.values()):
            without.append(name)
    assert without == []


def test_every_base_model_is_accounted_for() -> None:
    """A base model outside of the list would refuse rows in silence, and its streams would miss them all."""
    listed = set(re.findall(r"'(base_\w+)'", (DBT / "macros/rules/judging_models.sql").read_text(encoding="utf-8")))
    assert listed == {path.stem for path in (DBT / "models/staging/base").glob("*.sql")}


def test_every_stream_is_judged_or_kept() -> None:
    """Landed = loaded + quarantined + duplicates needs to know where the rows of each stream are."""
    judged = [
        stream
        for path in (DBT / "models/staging/base").glob("*.sql")
        for stream in streams_read(path.read_text(encoding="utf-8"))
    ]
    kept = re.findall(
        r"'(perennial/\w+)'", (DBT / "macros/rules/own_rows_kept.sql").read_text(encoding="utf-8")
    )
    assert len(judged) == len(set(judged)), "one model judges a stream"
    assert {*judged, *kept} >= KNOWN
    assert set(judged).isdisjoint(kept)


def test_every_flow_has_a_unit_test(project: dict[str, Any]) -> None:
    """A flow decides who is written to: its candidates are proved on a fixed clock."""
    tested = {test["model"] for test in project["unit_tests"].values()}
    flows = {path.stem for path in (DBT / "models" / "flows").glob("*.sql")}
    assert flows
    assert flows <= tested


def test_scheduled_builds_test_little(project: dict[str, Any]) -> None:
    """What is tagged ``thorough`` waits for a deployment; the rest costs every scheduled build."""
    tests = [node for node in project["nodes"].values() if node["resource_type"] == "test"]
    regular = [node["name"] for node in tests if "thorough" not in node["tags"]]
    assert 0 < len(regular) <= 76  # each costs a scheduled build some 30 ms
