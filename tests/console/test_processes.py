"""The demo's processes end with it, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.demo.environment import free_port
from console.demo.processes import Service, Services
from perennial.errors import PerennialError

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def lives(pid: int) -> bool:
    """Return whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def started(service: Service) -> None:
    """Wait until the service wrote its first line."""
    while not service.log.read_text(encoding="utf-8"):
        time.sleep(0.02)


def test_an_error_ends_every_process(tmp_path: Path) -> None:
    """What was started is gone when the block is left."""
    pids: list[int] = []

    def start_and_break() -> None:
        with Services(tmp_path) as services:
            pids.extend(services.start(name, SLEEPER).process.pid for name in ("one", "two"))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        start_and_break()
    assert not any(lives(pid) for pid in pids)


def test_a_process_that_ignores_the_request_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ending waits, then insists."""
    monkeypatch.setattr("console.demo.processes.STOP_SECONDS", 0.3)
    with Services(tmp_path) as services:
        service = services.start("stubborn", STUBBORN)
        started(service)
    assert not lives(service.process.pid)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_demo_ends_its_children(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C and TERM leave nothing behind."""
    code = f"""
import sys, time
from pathlib import Path
from console.demo.processes import Services
with Services(Path({str(tmp_path)!r})) as services:
    child = services.start("child", {SLEEPER!r})
    print(child.process.pid, flush=True)
    time.sleep(600)
"""
    # As a shell starts what runs in the background: with Ctrl-C ignored.
    ignoring = ["sh", "-c", 'trap \'\' INT; exec "$0" "$@"', sys.executable, "-c", code]
    parent = subprocess.Popen(ignoring, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(how)
        parent.wait(timeout=20)
    assert not lives(child)


def test_a_process_that_dies_while_starting_shows_its_last_words(tmp_path: Path) -> None:
    """The log's end is part of the error, and its path the fix."""
    with Services(tmp_path) as services:
        service = services.start("broken", [sys.executable, "-c", "raise SystemExit('the port is taken')"])
        with pytest.raises(PerennialError, match="the port is taken") as caught:
            services.wait_until_up(service, f"http://127.0.0.1:{free_port()}/", seconds=20)
    assert str(tmp_path / "broken.log") in caught.value.fix


def test_a_process_that_ends_later_is_noticed(tmp_path: Path) -> None:
    """``make dev`` says which one it was."""
    with Services(tmp_path) as services:
        services.start("lasting", SLEEPER)
        short = services.start("short", [sys.executable, "-c", ""])
        short.process.wait(timeout=20)
        ended = services.ended()
    assert ended is not None
    assert ended.name == "short"
