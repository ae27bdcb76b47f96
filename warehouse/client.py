"""Asking for a build: from the worker of this home when one runs, else by hosting the builder in this process."""

import json
import socket
import time

from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings
from warehouse.builder import Builder
from warehouse.ownership import owning
from warehouse.report import BuildReport, Lane, NodeResult, OnNode, ignore
from warehouse.wire import read_line, report_of, request_line

_WAIT_SECONDS = 0.2


def build(settings: Settings, *, lane: Lane, on_node: OnNode = ignore) -> BuildReport:
    """Run a moment and return how it went, whoever owns the warehouse.

    Waits for another process that is building; never fails because the file is in use. A failed node is told in the
    report; ``PerennialError`` means that there was no build.
    """
    home = Home(settings.home)
    while True:
        with owning(home.root) as is_owner:
            if is_owner:
                with Builder(settings) as builder:
                    return builder.build(lane=lane, on_node=on_node)
        report = _ask_worker(home, lane, on_node)
        if report is not None:
            return report
        time.sleep(_WAIT_SECONDS)


def _ask_worker(home: Home, lane: Lane, on_node: OnNode) -> BuildReport | None:
    """Ask the worker; None where none answers (another process hosts the builder for a while, or it just ended)."""
    try:
        told = json.loads(home.worker_socket.read_text(encoding="utf-8"))
        connection = socket.create_connection(("127.0.0.1", told["port"]), timeout=5)
    except (OSError, ValueError, KeyError):
        return None
    with connection, connection.makefile("rb") as lines:
        connection.settimeout(None)
        connection.sendall(request_line(told["token"], lane))
        nodes: list[NodeResult] = []
        for line in lines:
            answer = read_line(line)
            if "node" in answer:
                nodes.append(NodeResult(**answer["node"]))
                on_node(nodes[-1])
            elif "report" in answer:
                return report_of(answer["report"], nodes)
            else:
                raise PerennialError(answer["error"]["cause"], answer["error"]["fix"])
    raise PerennialError(
        "the worker ended while it was building",
        "run the command again: the next build finishes the moment first",
    )
