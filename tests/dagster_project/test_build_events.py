"""A build's results as Dagster's events, on the project's own manifest."""

from typing import Any

import dagster as dg
import pytest

from dagster_project.lib.build_events import BuildEvents, why_broken
from dagster_project.lib.dbt import manifest, model_key
from warehouse.report import NodeResult

pytestmark = pytest.mark.usefixtures("definitions")
PEOPLE, TRAITS = "model.perennial.dim_customers", "model.perennial.customer_traits"


def result(unique_id: str, status: str = "success", kind: str = "model", message: str = "") -> NodeResult:
    """Return what the builder says about a node."""
    return NodeResult(unique_id, kind, status, 0.5, None, message)


def a_test_of(model: str) -> dict[str, Any]:
    """Return a test that belongs to a model."""
    nodes = manifest()["nodes"].values()
    return next(node for node in nodes if node.get("attached_node") == f"model.perennial.{model}")


def events(*models: str, checks: set[dg.AssetCheckKey] | None = None) -> BuildEvents:
    """Return the translation for a run that selected models, each made from the one before it."""
    keys = [model_key(name) for name in models]
    parents = {key: set(keys[:place]) for place, key in enumerate(keys)}
    return BuildEvents(parents, checks or set())


def keys_of(yielded: list[Any]) -> list[dg.AssetKey]:
    """Return the assets that were reported."""
    return [event.asset_key for event in yielded]


def test_a_table_is_reported_after_those_it_is_made_from(definitions: dg.Definitions) -> None:
    """Whatever the order in which the builder tells, Dagster hears it in the order of the graph."""
    assert definitions
    translation = events("dim_customers", "customer_traits")
    assert list(translation.of(result(TRAITS))) == []
    assert keys_of(list(translation.of(result(PEOPLE)))) == [
        model_key("dim_customers"),
        model_key("customer_traits"),
    ]


def test_what_the_build_did_not_touch_is_reported_at_its_end() -> None:
    """A build without news leaves tables out; they are as fresh as the build."""
    translation = events("dim_customers", "customer_traits")
    list(translation.of(result(TRAITS)))
    rest = list(translation.rest())
    assert keys_of(rest) == [model_key("dim_customers"), model_key("customer_traits")]
    assert list(translation.rest()) == []


def test_a_table_made_twice_is_reported_once() -> None:
    """A build that first finishes an earlier moment makes each table again."""
    translation = events("dim_customers")
    assert len(list(translation.of(result(PEOPLE)))) == 1
    assert list(translation.of(result(PEOPLE))) == []


def test_a_broken_table_is_named_with_its_words() -> None:
    """No materialisation, and the failure says which and why."""
    translation = events("dim_customers")
    assert list(translation.of(result(PEOPLE, "error", message="Binder Error: no such column"))) == []
    assert [node.unique_id for node in translation.broken] == [PEOPLE]
    assert "Binder Error: no such column" in why_broken(None, translation.broken)


@pytest.mark.parametrize(
    ("status", "passed", "severity"),
    [
        ("pass", True, dg.AssetCheckSeverity.ERROR),
        ("warn", False, dg.AssetCheckSeverity.WARN),
        ("fail", False, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_a_test_is_the_check_that_dagster_expects(
    definitions: dg.Definitions, status: str, *, passed: bool, severity: dg.AssetCheckSeverity
) -> None:
    """The names are those of the graph's checks, or Dagster would refuse the result."""
    node = a_test_of("dim_customers")
    graph = definitions.resolve_asset_graph()
    [key] = [
        key
        for key in graph.get_check_keys_for_assets({model_key("dim_customers")})
        if key.name == node["name"]
    ]
    [event] = list(events("dim_customers", checks={key}).of(result(node["unique_id"], status, "test")))
    assert isinstance(event, dg.AssetCheckResult)
    assert (event.asset_key, event.check_name) == (key.asset_key, key.name)
    assert (event.passed, event.severity) == (passed, severity)


def test_a_failed_test_that_is_no_check_breaks_the_build() -> None:
    """A test of several models has no asset; its failure is not lost."""
    translation = events("dim_customers")
    list(translation.of(result(a_test_of("dim_customers")["unique_id"], "fail", "test")))
    assert translation.broken
