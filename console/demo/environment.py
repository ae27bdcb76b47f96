"""The demo's environment: the sandbox's credentials, and nothing of a real installation."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from perennial.settings import Settings
from sandbox.credentials import sandbox_environment

FOREIGN_PREFIXES = (
    "PERENNIAL_",
    "DAGSTER_",
    "DBT_",
    "FLOWHUB_",
    "JANE_",
    "OMNI_",
    "AIQ_",
    "KLAVIYO_",
    "WEBHOOK_",
    "CSV_",
)


@dataclass(frozen=True)
class Ports:
    """Where the demo's servers listen on 127.0.0.1."""

    sandbox: int
    receiver: int
    dagster: int


DEFAULT_PORTS = Ports(8700, 8800, 3333)


def demo_environment(inherited: Mapping[str, str], home: Path, ports: Ports) -> dict[str, str]:
    """Return the environment of every process of the demo.

    Settings and proxies of the caller's shell are left out; the demo talks to loopback only. It works in its
    own home as the current folder, so that no ``.env`` is read either.
    """
    settings = {name.upper() for name in Settings.model_fields}
    kept = {
        name: value
        for name, value in inherited.items()
        if name.upper() not in settings
        and not name.upper().startswith(FOREIGN_PREFIXES)
        and not name.upper().endswith("_PROXY")
    }
    return {
        **kept,
        **sandbox_environment(home, ports.sandbox, ports.receiver),
        "PERENNIAL_DAGSTER_PORT": str(ports.dagster),
        "NO_PROXY": "127.0.0.1,localhost",
    }


def free_port(preferred: int | None = None) -> int:
    """Return a port of 127.0.0.1 that nobody listens on: the preferred one if it is free."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("no port of 127.0.0.1 is free")


def enter(home: Path, environment: Mapping[str, str]) -> None:
    """Make this process one of the demo's: its environment, its folder."""
    home.mkdir(parents=True, exist_ok=True)
    os.chdir(home)
    os.environ.clear()
    os.environ.update(environment)
