"""A deployed, empty warehouse that tests start from."""

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perennial.clock import sandbox_clock
from tests.scene import settings_in, tell_flows
from warehouse.builder import Builder

# What takes minutes, longest first: begun last, it would leave one of two processes waiting for the other.
LONG = ("tests/spine/", "tests/golden/", "tests/warehouse/", "tests/dbt/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""

    def place(item: pytest.Item) -> int:
        return next((at for at, folder in enumerate(LONG) if item.nodeid.startswith(folder)), len(LONG))

    items.sort(key=place)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the first moment, in which all flows become active, once for all tests and all of their processes."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all workers
    home = folder / "deployed" / "home"
    home.parent.mkdir(exist_ok=True)
    with (home.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home.parent / "is_ready").exists():
            deploy(home)
            (home.parent / "is_ready").touch()
    return home


def deploy(home: Path) -> None:
    """Build the first moment in a folder."""
    home.mkdir()
    settings = settings_in(home)
    sandbox_clock(settings).set(datetime(2026, 1, 1, tzinfo=UTC), running=False)
    (home / "flows.json").write_text(json.dumps({"*": {"status": "active"}}), encoding="utf-8")
    with Builder(settings) as builder:
        report = builder.build(lane="hot")
    assert report.ok, report.error
    tell_flows(home, {})
