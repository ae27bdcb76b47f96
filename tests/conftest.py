"""A deployed, empty warehouse that tests start from."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perennial.clock import sandbox_clock
from tests.scene import settings_in
from warehouse.builder import Builder


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the first moment, in which all flows become active, once for all tests."""
    home = tmp_path_factory.mktemp("deployed") / "home"
    home.mkdir()
    settings = settings_in(home)
    sandbox_clock(settings).set(datetime(2026, 1, 1, tzinfo=UTC), running=False)
    (home / "flows.json").write_text(json.dumps({"*": {"status": "active"}}), encoding="utf-8")
    with Builder(settings) as builder:
        report = builder.build(lane="hot")
    assert report.ok, report.error
    return home
