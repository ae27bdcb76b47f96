"""A sandbox with a tiny world, served once for the tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world.cache import load_world
from tests.sandbox.running import TINY, Running, run_sandbox


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the tiny world, made once for the whole run."""
    folder = tmp_path_factory.mktemp("worlds")
    load_world(folder, TINY, lambda _: None)
    return folder / "world"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, worlds: Path) -> Iterator[Running]:
    """Return a running sandbox; its clock stands at the window's start."""
    with run_sandbox(tmp_path_factory.mktemp("home"), worlds=worlds) as running:
        yield running


@pytest.fixture
def sandbox(served: Running) -> Iterator[Running]:
    """Return the running sandbox, and leave clock, faults and switches as they were found."""
    switches = served.control("GET", "/flowhub").json()
    yield served
    served.control("POST", "/clock", {"instant": served.spec.window_start.isoformat()})
    served.control("DELETE", "/faults")
    served.control("POST", "/flowhub", switches)
