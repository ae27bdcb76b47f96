"""What travels between the worker and those who ask it to build: one JSON object a line, on loopback."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from warehouse.report import BuildReport, NodeResult


def node_line(node: NodeResult) -> bytes:
    """Return a node's result as a line."""
    return _line({"node": asdict(node)})


def report_line(report: BuildReport) -> bytes:
    """Return a report as a line; its nodes have been sent before."""
    told = asdict(report) | {"as_of": report.as_of.isoformat()}
    told.pop("nodes")
    return _line({"report": told})


def error_line(cause: str, fix: str) -> bytes:
    """Return an error as a line."""
    return _line({"error": {"cause": cause, "fix": fix}})


def request_line(token: str, lane: str) -> bytes:
    """Return the request for a build."""
    return _line({"token": token, "lane": lane})


def read_line(line: bytes) -> dict[str, Any]:
    """Read one line."""
    told: dict[str, Any] = json.loads(line)
    return told


def report_of(told: dict[str, Any], nodes: list[NodeResult]) -> BuildReport:
    """Rebuild a report from its line and the nodes that came before it."""
    return BuildReport(**{**told, "as_of": datetime.fromisoformat(told["as_of"]), "nodes": nodes})


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode() + b"\n"
