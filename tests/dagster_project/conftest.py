"""The code location, loaded once."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from perennial.settings import load_settings


@pytest.fixture(scope="session", name="definitions")
def load_definitions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.Definitions]:
    """Load the code location as Dagster does; needs no secret, no network, and a home of its own."""
    home: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_HOME", str(home))
        load_settings.cache_clear()
        from dagster_project.definitions import defs  # noqa: PLC0415 - its import parses the project into the home

        yield defs()
    load_settings.cache_clear()


@pytest.fixture(name="home")
def enter_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run a test's steps in a home of its own, with the settings read anew."""
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    load_settings.cache_clear()
    yield tmp_path
    load_settings.cache_clear()
