"""Which models a moment runs: those that news can reach, and those that time alone can change."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from extractors.validation.rules import streams_read

# Facts change when something lands. What stands after them also changes by the clock, so it always runs.
_FACTS = ("staging", "identity", "products", "events")
# Time brings facts too: the models with this tag say which are due, so they and what is made of them always run.
_CLOCK = "clock"
_HOLDS_ROWS = {"incremental", "table"}
# The hook that every model has; for a view it does nothing.
_EVERYBODYS = {"macro.perennial.record_cursor"}
_MOMENT = {f"macro.perennial.{name}" for name in ("as_of", "last_as_of", "build_no", "running_flows")}
_FLOWS = "flows"
# What people look at and no decision needs is left to the scheduled lane, which reads all that it has missed.
_SCHEDULED_ONLY = "scheduled"


def hot_models(
    manifest: Manifest, streams_with_news: Iterable[str], running_flows: Collection[str]
) -> list[str]:
    """Return the names of the models that hold rows and may have something to do, and the views of the moment.

    A model of facts is left out when none of the streams it is made from has landed anything and the clock is none of
    them; its cursors stand still, so it reads all that it has missed when it runs again.
    """
    news = set(streams_with_news)
    models = _models(manifest)
    reached: dict[str, bool] = {}
    return [
        node.name
        for unique_id, node in models.items()
        if node.config.materialized in _HOLDS_ROWS
        and _SCHEDULED_ONLY not in node.tags
        and (node.fqn[1] not in _FACTS or _is_reached(unique_id, models, news, reached))
    ] + [
        name for name in views_of_the_moment(manifest, running_flows) if name not in _scheduled_only(manifest)
    ]


def views_of_the_moment(manifest: Manifest, running_flows: Collection[str]) -> list[str]:
    """Return the names of the views that read the clock, or which flows decide.

    Both are literals in their SQL: a view that was made in an earlier moment would go on living in it. Nobody reads the
    view of a flow that decides nothing.
    """
    return [
        node.name
        for node in _models(manifest).values()
        if node.config.materialized == "view"
        and (node.fqn[1] != _FLOWS or node.name in running_flows)
        and _reads_moment(node, manifest, set(_EVERYBODYS))
    ]


def _scheduled_only(manifest: Manifest) -> set[str]:
    return {node.name for node in _models(manifest).values() if _SCHEDULED_ONLY in node.tags}


def _models(manifest: Manifest) -> dict[str, Any]:
    return {
        unique_id: node for unique_id, node in manifest.nodes.items() if node.resource_type == NodeType.Model
    }


def _reads_moment(caller: Any, manifest: Manifest, seen: set[str]) -> bool:  # noqa: ANN401 -- a model or a macro
    called = set(caller.depends_on.macros)
    if called & _MOMENT:
        return True
    new = {name for name in called - seen if name.startswith("macro.perennial.")}
    seen |= new
    return any(_reads_moment(manifest.macros[name], manifest, seen) for name in new)


def _is_reached(unique_id: str, models: Mapping[str, Any], news: set[str], known: dict[str, bool]) -> bool:
    if unique_id not in known:
        node = models[unique_id]
        parents = [parent for parent in node.depends_on.nodes if parent in models]
        known[unique_id] = (
            _CLOCK in node.tags
            # not only the base models read landing by themselves
            or not news.isdisjoint(streams_read(node.raw_code))
            or any(_is_reached(parent, models, news, known) for parent in parents)
        )
    return known[unique_id]
