"""The clock and the process around the vendors."""

from pathlib import Path

import httpx
import pytest

from perennial.clock import sandbox_clock
from perennial.errors import PerennialError
from perennial.settings import Settings
from sandbox import demo
from sandbox.server import open_sandbox
from sandbox.world.spec import WorldSpec
from tests.sandbox.running import TINY, Running, free_port, run_sandbox


def _settings(home: Path, port: int) -> Settings:
    return Settings(
        _env_file=None, perennial_home=home, perennial_clock="sandbox", perennial_sandbox_port=port
    )


def test_the_clock_stands_until_it_is_set(sandbox: Running) -> None:
    """Every process of the demo reads the same instant from the file."""
    clock = sandbox_clock(_settings(sandbox.home, 1))
    assert clock.now() == sandbox.spec.window_start
    shown = sandbox.control("POST", "/clock", {"advance_minutes": 15}).json()
    assert shown["instant"] == clock.now().isoformat() == "2017-06-10T16:15:00+00:00"
    sandbox.control("POST", "/clock", {"instant": "2017-06-10T12:00:00-06:00"})
    assert clock.now().hour == 18


@pytest.mark.parametrize(
    "body", [{"instant": "2031-01-01T00:00:00Z"}, {"instant": "2017-06-10T18:00:00"}, {"instant": "noon"}]
)
def test_an_instant_outside_of_the_world_is_refused(sandbox: Running, body: dict[str, str]) -> None:
    """With the reason, and the clock stays."""
    answer = sandbox.control("POST", "/clock", body)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert sandbox.control("GET", "/clock").json()["instant"] == sandbox.spec.window_start.isoformat()


def test_a_running_clock_runs(sandbox: Running) -> None:
    """At the wall's pace."""
    shown = sandbox.control("POST", "/clock", {"running": True}).json()
    assert shown["running"] is True
    assert sandbox.control("GET", "/clock").json()["instant"] > shown["instant"]


def test_another_world_sets_the_clock_anew(tmp_path: Path, worlds: Path) -> None:
    """A clock that points outside of the world would serve nothing."""
    with run_sandbox(tmp_path, worlds=worlds) as running:
        running.control("POST", "/clock", {"advance_minutes": 60})
    later = WorldSpec(window_start=TINY.window_start.replace(month=9), households=20, history_days=7)
    runtime = open_sandbox(_settings(tmp_path, 1), later)
    runtime.received.close()
    assert runtime.clock.now() == later.window_start
    assert runtime.outbox.sent == 0


def test_a_process_of_its_own(tmp_path: Path, worlds: Path) -> None:
    """Started, answering, stopped; a second one on its port says what to do."""
    settings = _settings(tmp_path, free_port())
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "world").symlink_to(worlds)
    handle = demo.start(settings, TINY)
    try:
        assert httpx.get(f"{handle.url}/control/clock", trust_env=False).json()["running"] is False
        with pytest.raises(PerennialError, match="port"):
            demo.start(settings, TINY)
    finally:
        handle.stop()
    assert handle.process.poll() is not None
    with pytest.raises(httpx.TransportError):
        httpx.get(handle.url, trust_env=False)
