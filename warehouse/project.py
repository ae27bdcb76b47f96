"""The dbt project: parsed once a process, invoked in process with the parsed manifest kept.

Parsing costs seconds and a kept manifest saves them in every later invocation (measured: 0.2 s instead of 6 s a
model), so a long-lived process parses once.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.resources.types import NodeType
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg

from perennial.errors import PerennialError
from warehouse.report import NodeResult, OnNode, ignore

PROJECT = Path(__file__).parents[1] / "dbt"
_QUIET = (
    "--no-write-json", "--log-level", "none", "--log-level-file", "none",
    "--no-send-anonymous-usage-stats", "--no-version-check",
)  # fmt: skip
_BROKEN_TOLD = 3  # of the nodes that broke

_parsed: dict[str, Manifest] = {}


class DbtProject:
    """The project with its manifest, for one warehouse file."""

    def __init__(self, warehouse: Path, target: Path) -> None:
        """``target`` is where dbt keeps what it parsed; the profile finds the warehouse through the environment."""
        self._warehouse = warehouse
        self._target = target
        self.fingerprint = fingerprint_of_files()

    @property
    def manifest(self) -> Manifest:
        """The parsed project, once a process and state of its files; ``PerennialError`` carries dbt's own words."""
        if self.fingerprint not in _parsed:
            _parsed[self.fingerprint] = self._parse()
        return _parsed[self.fingerprint]

    def refresh(self) -> None:
        """Look at the project's files again: a long-lived process takes up what an analyst has changed."""
        self.fingerprint = fingerprint_of_files()

    def invoke(
        self,
        arguments: Sequence[str],
        variables: Mapping[str, object],
        on_node: OnNode = ignore,
    ) -> dbtRunnerResult:
        """Run one dbt command in this process, with the kept manifest; ``on_node`` hears how each node went."""

        def listen(event: EventMsg) -> None:
            if event.info.name == "NodeFinished":
                on_node(_node_result(event))

        manifest = self.manifest  # parsed under another name of the warehouse
        os.environ["PERENNIAL_WAREHOUSE"] = str(self._warehouse)
        runner = dbtRunner(manifest=manifest, callbacks=[listen])
        return runner.invoke([*arguments, *self._common(), *_QUIET, "--vars", json.dumps(dict(variables))])

    def results_of(self, arguments: Sequence[str], variables: Mapping[str, object]) -> list[NodeResult]:
        """Run one dbt command that must succeed, let go of the file, and return how each node went."""
        nodes: list[NodeResult] = []
        outcome = self.invoke(arguments, variables, nodes.append)
        self.release()
        if not outcome.success:
            raise PerennialError(why_not(outcome, nodes), "mend what dbt names and try again")
        return nodes

    @staticmethod
    def release() -> None:
        """Let go of the warehouse file: dbt keeps it open after an invocation."""
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]  # of dbt-duckdb

    def write_manifest(self) -> Path:
        """Write ``manifest.json`` for those who read it from disk, and return its path."""
        path = self._target / "manifest.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        self.manifest.write(str(draft))  # type: ignore[no-untyped-call]  # of dbt-core
        draft.replace(path)
        return path

    def _common(self) -> list[str]:
        return [
            "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
            "--target-path", str(self._target), "--log-path", str(self._target),
        ]  # fmt: skip

    def _parse(self) -> Manifest:
        # A name that is the same in every home: dbt parses all anew where the connection is another, and only what has
        # changed where it is not. Parsing opens no warehouse.
        os.environ["PERENNIAL_WAREHOUSE"] = "warehouse.duckdb"
        os.environ["PERENNIAL_EXTERNAL"] = str(self._target.parent / "external")
        self._target.mkdir(parents=True, exist_ok=True)
        result = dbtRunner().invoke(["parse", *self._common(), *_QUIET])
        if not result.success or not isinstance(result.result, Manifest):
            raise PerennialError(
                f"the dbt project can't be parsed: {result.exception}",
                "mend the file that dbt names; dbt parse --project-dir dbt --profiles-dir dbt says the same",
            )
        return result.result


def _node_result(event: EventMsg) -> NodeResult:
    data: Any = event.data
    node = data.node_info
    return NodeResult(
        unique_id=node.unique_id,
        resource_type=node.resource_type,
        status=str(data.run_result.status or node.node_status),
        seconds=float(data.run_result.execution_time),
        message=str(data.run_result.message or ""),
    )


def why_not(outcome: dbtRunnerResult, nodes: Sequence[NodeResult]) -> str:
    """Say why an invocation did not succeed: by the first nodes that broke, else in dbt's own words."""
    failed = [node for node in nodes if not node.ok]
    if failed:
        told = [f"{node.unique_id}: {node.message}" for node in failed[:_BROKEN_TOLD]]
        more = len(failed) - len(told)
        return "; ".join([*told, *([f"and {more} more"] if more else [])])
    return str(outcome.exception or "dbt did not succeed and named no node")


def fingerprint_of_files() -> str:
    """Return a hash of every file of the project: it changes when the SQL, a seed or a setting does."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*")):
        if path.is_file() and path.suffix in {".sql", ".yml", ".csv", ".md"} and "target" not in path.parts:
            digest.update(str(path.relative_to(PROJECT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def manifest_path(home: Path) -> Path:
    """Return the path of an up-to-date ``manifest.json``: parsed when a file of the project has changed."""
    target = home / "dbt"
    project = DbtProject(home / "warehouse.duckdb", target)
    stamp = target / "manifest.fingerprint"
    path = target / "manifest.json"
    if path.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == project.fingerprint:
        return path
    written = project.write_manifest()
    stamp.write_text(project.fingerprint, encoding="utf-8")
    return written


def flow_nodes(manifest: Manifest) -> dict[str, Any]:
    """Return the models in ``models/flows`` by name."""
    return {
        node.name: node
        for node in manifest.nodes.values()
        if node.resource_type == NodeType.Model and node.fqn[1] == "flows"
    }
