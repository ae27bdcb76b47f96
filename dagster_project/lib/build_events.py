"""What the builder reports about a dbt node, as Dagster's events."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from dagster_project.lib.dbt import manifest, translator
from warehouse.report import BuildReport, NodeResult

BuildEvent = dg.MaterializeResult[None] | dg.AssetCheckResult
TABLES = frozenset({"model", "seed", "snapshot"})


def table_key(result: NodeResult) -> dg.AssetKey | None:
    """Return the asset key of a table that the builder made; None for tests and what is no asset."""
    if result.resource_type not in TABLES or result.unique_id not in manifest()["nodes"]:
        return None
    return translator().get_asset_spec(manifest(), result.unique_id, None).key


class BuildEvents:
    """Translate the results of one build; events come only for what the run selected.

    Dagster wants a table after all tables it is made from. A build that leaves out tables without news breaks
    that order, so a result waits until everything it is made from is reported.
    """

    def __init__(
        self,
        parents: Mapping[dg.AssetKey, AbstractSet[dg.AssetKey]],
        checks: AbstractSet[dg.AssetCheckKey],
    ) -> None:
        self._parents = {key: set(above) & parents.keys() for key, above in parents.items()}
        self._checks = checks
        self._made: set[dg.AssetKey] = set()
        self._checked: set[dg.AssetCheckKey] = set()
        self._waiting: dict[dg.AssetKey, dg.MaterializeResult[None]] = {}
        self.broken: list[NodeResult] = []

    def of(self, result: NodeResult) -> Iterator[BuildEvent]:
        """Yield the event of one node: a materialisation for a table, a check's result for a test."""
        if result.resource_type in TABLES:
            yield from self._of_table(result)
        elif result.resource_type == "test":
            yield from self._of_test(result)
        elif result.status in {"fail", "error"}:
            self.broken.append(result)

    def rest(self) -> Iterator[BuildEvent]:
        """Yield the tables that a successful build had no reason to touch: they are as fresh as the build."""
        for key in TopologicalSorter(self._parents).static_order():
            if key not in self._made:
                untouched = dg.MaterializeResult[None](asset_key=key, metadata={"state": "no news"})
                yield self._waiting.pop(key, untouched)
                self._made.add(key)

    def _of_table(self, result: NodeResult) -> Iterator[BuildEvent]:
        if result.status in {"error", "fail"}:
            self.broken.append(result)
        key = table_key(result)
        # A build that first finishes an earlier moment makes a table twice: one run reports it once.
        if result.status != "success" or key not in self._parents or key in {*self._made, *self._waiting}:
            return
        metadata: dict[str, Any] = {"seconds": round(result.seconds, 3)}
        if result.rows is not None:
            metadata["rows"] = result.rows
        self._waiting[key] = dg.MaterializeResult(asset_key=key, metadata=metadata)
        yield from self._ready()

    def _ready(self) -> Iterator[BuildEvent]:
        """Yield what waited for the tables that are now reported."""
        while ready := [key for key in self._waiting if self._parents[key] <= self._made]:
            for key in ready:
                yield self._waiting.pop(key)
                self._made.add(key)

    def _of_test(self, result: NodeResult) -> Iterator[BuildEvent]:
        if result.status == "skipped" or result.unique_id not in manifest()["nodes"]:
            return
        key = get_asset_check_key_for_test(manifest(), translator(), result.unique_id, project=None)
        if key is None or key not in self._checks:
            # A test of several models belongs to no single asset: it still counts.
            if result.status in {"fail", "error"}:
                self.broken.append(result)
            return
        if key in self._checked:
            return
        self._checked.add(key)
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=result.status == "pass",
            severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
            metadata={"seconds": round(result.seconds, 3), "status": result.status},
            description=result.message or None,
        )


def why_broken(report: BuildReport | None, broken: Sequence[NodeResult]) -> str:
    """Say what stopped a build: the nodes by name with dbt's words, else the builder's own."""
    if broken:
        return ", ".join(f"{node.unique_id}: {node.message}" for node in broken)
    if report is not None and report.error is not None:
        return report.error
    return "the build ended without a report"
