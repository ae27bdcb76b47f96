"""The dbt project, and how its nodes become assets."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from dagster_project.lib.keys import LANDING_LOG
from dagster_project.lib.streams import stream_key
from extractors.validation.rules import streams_read
from perennial.settings import load_settings
from warehouse.project import manifest_path

# What the push, its check and the published set wait for.
AWAITED = ("dim_customers", "flow_decisions", "flow_enrollments")
# Folders of models that belong to another stage's group in the graph.
STAGE_OF_FOLDER = {"memberships": "audiences", "decisions": "flows", "quality": "landing"}


@cache
def manifest() -> Mapping[str, Any]:
    """Return dbt's manifest; the project is parsed when there is none or it is older than the models."""
    path = manifest_path(load_settings().home)
    loaded: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


class StageTranslator(DagsterDbtTranslator):
    """Group every node by its stage; let the models that read landing wait for its check.

    Tests on sources stay out of the graph (``enable_source_tests_as_checks``): turned on, they silently
    unblock the blocking checks upstream of dbt.
    """

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Add the stage's group, and the landing log where a model reads a source."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if node["resource_type"] == "source":
            return spec
        if node["resource_type"] == "seed":
            return spec.replace_attributes(group_name="seeds")
        folder: str = node["fqn"][1]
        spec = spec.replace_attributes(group_name=STAGE_OF_FOLDER.get(folder, folder))
        streams = streams_read(node["raw_code"])
        if not streams:
            return spec
        return spec.merge_attributes(deps=[LANDING_LOG, *(stream_key(stream) for stream in streams)])


@cache
def translator() -> StageTranslator:
    """Return the one translator."""
    return StageTranslator()


def hot_keys() -> list[dg.AssetKey]:
    """Return the models that hold rows, and those that later stages wait for: what the hot lane reports."""
    nodes: Mapping[str, Any] = manifest()["nodes"]
    return [
        translator().get_asset_spec(manifest(), unique_id, None).key
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model"
        and (node["config"]["materialized"] in {"incremental", "table"} or node["name"] in AWAITED)
    ]


def model_key(name: str) -> dg.AssetKey:
    """Return the asset key of a model; ``KeyError`` when the project has none of that name."""
    nodes: Mapping[str, Any] = manifest()["nodes"]
    for unique_id, node in nodes.items():
        if node["resource_type"] == "model" and node["name"] == name:
            return translator().get_asset_spec(manifest(), unique_id, None).key
    raise KeyError(name)
