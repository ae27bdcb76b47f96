"""Which models a hot moment runs: those that news can reach, and those that time alone can change."""

from collections.abc import Iterable, Mapping
from typing import Any

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

# Facts change when something lands. What stands after them also changes by the clock, so it always runs.
_FACTS = ("staging", "identity", "events")
_HOLDS_ROWS = {"incremental", "table"}


def hot_models(manifest: Manifest, streams_with_news: Iterable[str]) -> list[str]:
    """Return the names of the models that hold rows and may have something to do.

    A model of facts is left out when none of the sources it is made from has landed anything; its cursors stand still,
    so it reads all that it has missed when it runs again.
    """
    sources = {stream.partition("/")[0] for stream in streams_with_news}
    models = {
        unique_id: node for unique_id, node in manifest.nodes.items() if node.resource_type == NodeType.Model
    }
    reached: dict[str, bool] = {}
    return [
        node.name
        for unique_id, node in models.items()
        if node.config.materialized in _HOLDS_ROWS
        and (node.fqn[1] not in _FACTS or _is_reached(unique_id, models, sources, reached))
    ]


def _is_reached(unique_id: str, models: Mapping[str, Any], sources: set[str], known: dict[str, bool]) -> bool:
    if unique_id not in known:
        node = models[unique_id]
        if node.name.startswith("base_"):
            known[unique_id] = node.name.removeprefix("base_").partition("__")[0] in sources
        else:
            parents = [parent for parent in node.depends_on.nodes if parent in models]
            known[unique_id] = any(_is_reached(parent, models, sources, known) for parent in parents)
    return known[unique_id]
