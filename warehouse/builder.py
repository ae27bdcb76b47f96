"""The builder: the one class that opens the warehouse file, and runs moments on it.

A moment: land it, tell the models what they may read, run dbt in process, land what was decided, mark it finished. A
crash after any of these lines leaves an unfinished moment, which the next build finishes first, with its own instant
and reach; each step done twice is done once.
"""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from extractors.landing.log import LandingLog
from perennial.clock import clock_of
from perennial.crash import crash_point
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings
from warehouse import operations
from warehouse.audience_inputs import audiences_without_sender
from warehouse.audience_mirrors import check_mirrors
from warehouse.deployment import advice_on, columns_without_past
from warehouse.flow_settings import FlowSettings, read_flow_settings, told_overrides, without_sender
from warehouse.hot_lane import hot_models, views_of_the_moment
from warehouse.moments import Moment, active_since, land, land_end, landed, last_finished
from warehouse.outbox import closed_by_tills, export
from warehouse.project import DbtProject, flow_nodes, why_not
from warehouse.publish import publish, refresh
from warehouse.report import BuildReport, Lane, NodeResult, OnNode, ignore

# Between deployments no seed changes and no view but those that read the clock, and what is thorough about the steps
# was tested then. The tests of views run every time: what they read changes.
_SCHEDULED = ["config.materialized:incremental", "config.materialized:table", "resource_type:test"]
_NOT_SCHEDULED = ["--exclude", "tag:thorough", "path:seeds", "--exclude-resource-type", "unit_test"]
# What a shop asks between two scheduled builds: is there any left?
STOCK = ("marts.fct_inventory_levels", "products.int_order_holds")
_ROWS_TOLD = 20
_RUNNING = ("active", "dry_run")
_EVERYTHING = ["build", "--exclude-resource-type", "unit_test"]


class Builder:
    """Runs moments on one home's warehouse; a context manager that lets go of the file at the end."""

    def __init__(self, settings: Settings, warehouse: Path | None = None) -> None:
        """Open nothing yet: the file (the home's, unless another is named) is opened by the first build."""
        self._settings = settings
        self._home = Home(settings.home)
        self._clock = clock_of(settings)
        self._log = LandingLog(settings.landing_url, self._clock)
        self._warehouse_file = warehouse or self._home.warehouse
        self._project = DbtProject(self._warehouse_file, self._home.root / "dbt")
        self._one_at_a_time = threading.Lock()
        self._warehouse: duckdb.DuckDBPyConnection | None = None
        self._flows: tuple[str, dict[str, FlowSettings]] | None = None
        self._since: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the warehouse file."""
        if self._warehouse is not None:
            self._warehouse.close()
            self._warehouse = None
        self._project.release()

    def build(self, *, lane: Lane, on_node: OnNode = ignore) -> BuildReport:
        """Finish what an earlier build left, then run a new moment on all that has landed.

        A node that fails is told in the report, and nothing of its moment is exported; the next build takes the moment
        up again.
        """
        with self._one_at_a_time:
            self._project.refresh()
            warehouse = self._open()
            left = self._left_unfinished(warehouse)
            if left is not None:
                report = self._run(warehouse, left, on_node)
                if not report.ok:
                    return report
            return self._run(warehouse, self._next(warehouse, lane), on_node)

    def publish_stock(self, report: BuildReport) -> list[str]:
        """Publish what orders hold and what is left, as a hot moment saw it; return the tables whose rows changed.

        Cheap, and outside of the moment: whoever waited for it has its answer.
        """
        with self._one_at_a_time:
            return refresh(self._open(), self._home.published, STOCK, report.build_no, report.as_of)

    def restore(self, on_node: OnNode = ignore) -> BuildReport | None:
        """Fill an empty warehouse from landing: one build at the last landed moment, with its decisions as landed.

        Returns None where no moment has landed. Nothing is decided and nothing is exported.
        """
        with self._one_at_a_time:
            warehouse = self._open()
            if operations.last_moment(warehouse, finished=True) is not None:
                raise PerennialError("the warehouse is not empty", "restore into a file of its own")
            # a moment that never finished decided nothing that anybody has seen: it is no past to restore
            end = last_finished(self._log)
            moments = [moment for moment in landed(self._log) if moment.build_no <= end]
            if not moments:
                return None
            self._since = active_since(moments)
            return self._run(warehouse, moments[-1], on_node, restore=True)

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._warehouse is None:
            self._warehouse_file.parent.mkdir(parents=True, exist_ok=True)
            if not self._is_prepared():
                self._prepare()
            self._warehouse_file.chmod(0o600)
            self._warehouse = duckdb.connect(str(self._warehouse_file))
            self._warehouse.execute("set TimeZone = 'UTC'")
            self._since = active_since(landed(self._log))
        return self._warehouse

    def _is_prepared(self) -> bool:
        """Say whether this very project has made the tables of our own that are in the file: then dbt isn't asked."""
        if not self._warehouse_file.exists():
            return False
        try:
            with duckdb.connect(str(self._warehouse_file)) as warehouse:
                return operations.fingerprint(warehouse) == self._deployment()
        except duckdb.Error:
            return False

    def _prepare(self) -> None:
        result = self._project.invoke(["run-operation", "prepare_operations"], {})
        if not result.success:
            raise PerennialError(
                f"the warehouse file can't be opened: {result.exception or result.result}",
                "one process owns it: ask the running worker (perennial status), or end what holds the file",
            )

    def _settings_of_flows(self) -> dict[str, FlowSettings]:
        if self._flows is None or self._flows[0] != self._project.fingerprint:
            check_mirrors()
            told = told_overrides(self._home.root)
            self._flows = (self._project.fingerprint, read_flow_settings(told))
        return self._flows[1]

    def _left_unfinished(self, warehouse: duckdb.DuckDBPyConnection) -> Moment | None:
        """Return the moment that landed and never finished: the log knows it, whatever else a crash took."""
        last = operations.last_moment(warehouse, finished=True)
        never_began = operations.last_moment(warehouse, finished=False) is None
        if last is None and never_began and last_finished(self._log):
            raise PerennialError(
                f"{self._warehouse_file} is empty, but the log has finished moments",
                "run perennial rebuild: it restores the warehouse from landing and decides nothing anew",
            )
        number, after = (last[0], last[2]) if last else (0, 0)
        return next((moment for moment in landed(self._log, after=after) if moment.build_no > number), None)

    def _next(self, warehouse: duckdb.DuckDBPyConnection, lane: Lane) -> Moment:
        last = operations.last_moment(warehouse, finished=True)
        now = self._clock.now()
        statuses = {name: flow.status for name, flow in self._settings_of_flows().items()}
        return Moment(
            build_no=last[0] + 1 if last else 1,
            as_of=max(now, last[1]) if last else now,
            upto_seq=self._log.last_seq(),
            lane=lane,
            flows=statuses,
            switches={"FLOWHUB_SYNC_ORDERS": "on" if self._settings.flowhub_sync_orders else "off"},
        )

    def _run(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        moment: Moment,
        on_node: OnNode,
        *,
        restore: bool = False,
    ) -> BuildReport:
        began = time.monotonic()
        before = operations.last_moment(warehouse, finished=True)
        if not restore:
            land(self._log, moment)
            crash_point("moment_landed")
            self._since = active_since([moment], self._since)
        operations.set_salt(warehouse, salt_of(self._settings))
        operations.begin_moment(warehouse, moment)
        operations.list_new_files(warehouse, self._log, self._log.last_seq() if restore else moment.upto_seq)
        # a moment that is taken up again decides with the statuses that it had when it landed
        flows = {
            name: flow.model_copy(update={"status": moment.flows.get(name, "draft")})
            for name, flow in self._settings_of_flows().items()
        }
        checksums = {
            name: node.checksum.checksum for name, node in flow_nodes(self._project.manifest).items()
        }
        since = since_when(flows, self._since, moment.as_of)
        operations.set_flow_settings(warehouse, flows, operations.versions_of(flows, checksums), since)
        operations.set_switches(warehouse, moment.switches, self._since)
        running = sorted(name for name, flow in flows.items() if flow.status in _RUNNING)
        deployment = self._deployment()
        is_deployed = operations.fingerprint(warehouse) == deployment
        advice = None
        if not is_deployed:
            command = _EVERYTHING
            told = [advice_on(columns_without_past(warehouse, self._project.manifest))]
            if not restore:
                told += without_sender(flows, self._settings) + audiences_without_sender(self._settings)
            advice = "; ".join(filter(None, told)) or None
        elif moment.lane == "hot":
            streams = operations.streams_after(warehouse, before[2] if before else 0)
            command = ["run", "--select", *hot_models(self._project.manifest, streams, running)]
        else:
            views = views_of_the_moment(self._project.manifest, running)
            command = ["build", "--select", *_SCHEDULED, *views, *_NOT_SCHEDULED]
        nodes: list[NodeResult] = []
        variables = self._variables(moment, before, restore=restore) | {
            "deploying": not is_deployed,
            "running_flows": running,
            "recount": is_deployed and moment.lane == "scheduled" and not restore,
            "flow_renames": {
                previous: name for name, flow in flows.items() for previous in flow.previous_names
            },
            "cursors": operations.cursors(warehouse, moment.build_no),
        }
        problem = self._dbt(command, variables, nodes, on_node)
        decisions = 0
        if problem is None:
            if not is_deployed:
                operations.note_deployment(warehouse, deployment, moment.as_of)
            crash_point("models_committed")
            if not restore:
                decisions = export(warehouse, self._log, moment)
                crash_point("exported")
                land_end(self._log, moment, closed_by_tills(warehouse, moment))
                crash_point("end_landed")
            operations.finish_moment(warehouse, moment)
            if moment.lane == "scheduled":
                publish(warehouse, self._home.published, moment.build_no, moment.as_of)
        return BuildReport(
            moment.build_no,
            moment.as_of,
            moment.upto_seq,
            moment.lane,
            time.monotonic() - began,
            decisions,
            nodes,
            problem,
            advice,
        )

    def _variables(
        self, moment: Moment, before: tuple[int, Any, int] | None, *, restore: bool
    ) -> dict[str, object]:
        last_as_of = before[1] if before else moment.as_of
        return settings_of_models(self._settings) | {
            "as_of": f"{operations.naive(moment.as_of):%Y-%m-%d %H:%M:%S.%f}",
            "last_as_of": f"{operations.naive(last_as_of):%Y-%m-%d %H:%M:%S.%f}",
            "build_no": moment.build_no,
            "upto_seq": moment.upto_seq,
            "restore": restore,
            "landed_seq": self._log.last_seq(),
        }

    def _deployment(self) -> str:
        """Return what the views are made of: the project's files, and the settings that are written into them."""
        told = json.dumps(settings_of_models(self._settings), sort_keys=True)
        return hashlib.sha256(f"{self._project.fingerprint}{told}".encode()).hexdigest()

    def _dbt(
        self,
        command: list[str],
        variables: dict[str, object],
        nodes: list[NodeResult],
        on_node: OnNode,
    ) -> str | None:
        def listen(node: NodeResult) -> None:
            result = self._with_what_it_found(node)
            nodes.append(result)
            on_node(result)

        outcome = self._project.invoke(command, variables, listen)
        return None if outcome.success else why_not(outcome, nodes)

    def _with_what_it_found(self, result: NodeResult) -> NodeResult:
        """Add the rows of a failed test whose YAML says that they may be told (``meta.tells``)."""
        node = self._project.manifest.nodes.get(result.unique_id)
        if result.ok or self._warehouse is None or node is None or not node.config.meta.get("tells"):
            return result
        query = getattr(node, "compiled_code", None)
        with self._warehouse.cursor() as cursor:
            found = cursor.execute(f"select * from ({query}\n) limit {_ROWS_TOLD}")  # noqa: S608 -- our own test
            names = [column[0] for column in found.description or []]
            rows = [
                ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
                for row in found.fetchall()
            ]
        return replace(result, message="; ".join([result.message, *rows]))


def settings_of_models(settings: Settings) -> dict[str, object]:
    """Return the settings that models read, as their variables."""
    return {
        "time_zone": settings.perennial_timezone,
        "points_expiring_days": settings.points_expiring_days,
        "cart_abandoned_after_minutes": settings.cart_abandoned_after_minutes,
        "flowhub_order_amount_unit": settings.flowhub_order_amount_unit,
        "flowhub_room_ids": list(settings.flowhub_room_ids),
        "flowhub_purchase_categories": list(settings.flowhub_purchase_categories),
        "flowhub_map_custom_category_to_sub_category": settings.flowhub_map_custom_category_to_sub_category,
        "flowhub_maui": settings.flowhub_maui,
        "jane_time_zone": settings.jane_timezone,
        "identity_devices_merge": settings.identity_devices_merge,
        "identity_max_records": settings.identity_max_records,
        "identity_max_absorbed": settings.identity_max_absorbed,
    }


def since_when(
    flows: Mapping[str, FlowSettings], known: Mapping[str, tuple[str, datetime]], now: datetime
) -> dict[str, tuple[str, datetime]]:
    """Return the status of each flow and since when it has it; a new name goes on where the former one was."""
    since = {}
    for name, flow in flows.items():
        own = known.get(name, (flow.status, now))
        former = [known[previous] for previous in flow.previous_names if previous in known]
        since[name] = min([own, *(one for one in former if one[0] == own[0])], key=lambda one: one[1])
    return since
