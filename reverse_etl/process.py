"""Who holds a claim: a process that can be told apart from every other, and found dead."""

import os
import secrets
import socket
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """One push in one process: ``host/pid/started/token`` as text."""

    host: str
    pid: int
    started: str
    token: str

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}/{self.started}/{self.token}"


def this_holder() -> Holder:
    """Return a new holder for a push of this process."""
    return Holder(machine(), os.getpid(), _started(os.getpid()) or "?", secrets.token_hex(4))


def is_dead(holder: str) -> bool:
    """Say whether a claim's process is known to live no longer; False where this host can't know."""
    host, pid, started, _ = holder.rsplit("/", 3)
    if host != machine() or not pid.isdecimal():
        return False
    return _started(int(pid)) != started


@cache
def machine() -> str:
    """Name the machine since it was started, and the process namespace: a pid means nothing outside them."""
    namespace = Path("/proc/self/ns/pid")
    boot = Path("/proc/sys/kernel/random/boot_id")
    parts = [socket.gethostname()]
    if namespace.exists():
        parts.append(str(namespace.stat().st_ino))
    if boot.exists():
        parts.append(boot.read_text(encoding="ascii").strip()[:8])
    return "-".join(parts).replace("/", "_")


def _started(pid: int) -> str | None:
    """Return when a process started, None when there is none: a pid is used again, a pair is not."""
    if Path("/proc/self/stat").exists():
        return _started_linux(pid)
    return _started_elsewhere(pid)


def _started_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold anything; after it comes the state, and 19 fields on the start, in ticks.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _started_elsewhere(pid: int) -> str | None:
    shown = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip().replace(" ", "_") or None
