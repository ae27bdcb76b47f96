"""The product's own identity models on given observations, in a warehouse file of their own.

A table stands where the staging models would have shown who was seen; from there on the project's seeds and models run
as the builder runs them, up to the map that says who is who.
"""

import time
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa
from dbt.contracts.graph.manifest import Manifest

from warehouse.project import DbtProject
from warehouse.report import NodeResult

OBSERVATIONS = "int_identity__observations"
MAP = "int_identity__map"
_FIRST_MOMENT = datetime(2026, 1, 1)  # noqa: DTZ001 - the warehouse keeps UTC without a zone


class Resolver:
    """Resolves what it is shown, one moment after another; a context manager that lets go of the file at the end."""

    def __init__(self, folder: Path) -> None:
        """Make an empty warehouse in a folder; ``seconds`` will hold what each model took in the last moment."""
        self.file = folder / "warehouse.duckdb"
        self.seconds: dict[str, float] = {}
        self._project = DbtProject(self.file, folder / "dbt")
        self._build_no = 0
        self._nodes = nodes_up_to_map(self._project.manifest)
        self._invoke("run-operation", "prepare_operations")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._project.release()

    def observe(self, observations: pa.Table | duckdb.DuckDBPyRelation) -> None:
        """Add rows in the columns of ``int_identity__observations``; their ``seq`` continues those before them."""
        with self.warehouse() as warehouse:
            warehouse.register("shown", observations)
            warehouse.execute("create schema if not exists identity")
            warehouse.execute(f"create table if not exists identity.{OBSERVATIONS} as from shown limit 0")
            warehouse.execute(f"insert into identity.{OBSERVATIONS} by name from shown")

    def resolve(self, *, full_refresh: bool = False, again: bool = False, **settings: object) -> float:
        """Run one moment over what is new, or over everything again; return the seconds from call to answer.

        Seeds are loaded in the first moment only, as the builder loads them when the project has changed. With
        ``again`` it is the moment before, which failed, that is taken up; ``settings`` are variables of the project.
        """
        with self.warehouse() as warehouse:
            [[upto_seq]] = warehouse.execute(
                f"select max(seq) from identity.{OBSERVATIONS}"  # noqa: S608 - a constant
            ).fetchall()
        command = "run" if self._build_no else "build"
        self._build_no += not again
        self.seconds = {}
        began = time.monotonic()
        self._invoke(
            command, *(["--exclude-resource-type", "test", "unit_test"] if command == "build" else []),
            *(["--full-refresh"] if full_refresh else []), "--select", *self._nodes,
            upto_seq=upto_seq, **settings,
        )  # fmt: skip
        return time.monotonic() - began

    def map(self) -> pa.Table:
        """Return ``node`` and ``customer_id`` of every record."""
        with self.warehouse() as warehouse:
            return warehouse.sql(f"select node, customer_id from identity.{MAP}").to_arrow_table()  # noqa: S608

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """Return a connection to the file, whom dbt has let go of it."""
        self._project.release()
        return duckdb.connect(str(self.file))

    def _invoke(self, *words: str, upto_seq: int = 0, **settings: object) -> None:
        moment = _FIRST_MOMENT + timedelta(hours=self._build_no)
        variables = {
            "as_of": str(moment),
            "last_as_of": str(moment - timedelta(hours=1)),
            "build_no": self._build_no,
            "upto_seq": upto_seq,
            "landed_seq": upto_seq,
            **settings,
        }
        outcome = self._project.invoke(words, variables, self._listen)
        if not outcome.success:
            failed = [
                f"{result.node.name}: {result.message}"
                for result in getattr(outcome.result, "results", ())
                if str(result.status) in {"error", "fail"}
            ]
            raise RuntimeError("; ".join(failed) or str(outcome.exception))

    def _listen(self, node: NodeResult) -> None:
        self.seconds[node.name] = node.seconds


def nodes_up_to_map(manifest: Manifest) -> list[str]:
    """Return the names of the seeds and models that the map is made of, but for those that the observations are."""
    ids = {node.name: unique_id for unique_id, node in manifest.nodes.items()}
    found: list[str] = []
    waiting = [ids[MAP]]
    while waiting:
        node = manifest.nodes[waiting.pop()]
        if node.name not in found:
            found.append(node.name)
            waiting += [
                parent
                for parent in node.depends_on_nodes
                if parent in manifest.nodes and parent != ids[OBSERVATIONS]
            ]
    return found


def resolve(observations: pa.Table, folder: Path) -> pa.Table:
    """Return ``node`` and ``customer_id`` as the product's models say from these observations alone."""
    with Resolver(folder) as resolver:
        resolver.observe(observations)
        resolver.resolve()
        return resolver.map()
