"""How a run of the job behaves towards the person and the disk."""

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from sqlalchemy import create_engine, text

from console.history import quick_history
from console.job import LONGEST_CAUSE, shorten
from console.progress import Progress
from perennial.home import Home

NORMAL, FULL = 1, 2
INTERRUPTED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored in what it starts aside
from pathlib import Path
import dagster as dg
from console.instance import prepare_instance
from console.job import _interruptible
from perennial.home import Home

home = Home(Path(sys.argv[1]))
prepare_instance(home)

@dg.op(retry_policy=dg.RetryPolicy(max_retries=5))
def slow():
    print("started", flush=True)
    time.sleep(600)

@dg.job
def job():
    slow()

with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
    run_id = "8c0f2f0a-6a53-4b46-9b1e-5a8f0a9d7c11"
    try:
        _interruptible(lambda instance: job.execute_in_process(instance=instance, run_id=run_id), instance, run_id)
    finally:
        print(instance.get_run_by_id(run_id).status.value, flush=True)
"""


def test_ctrl_c_ends_a_run_and_is_not_taken_for_an_error_to_retry(tmp_path: Path) -> None:
    """The call ends at once, and the history says that the run was canceled."""
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "CANCELED\n"
        process.wait(timeout=20)
        assert time.monotonic() - began < 20
        assert process.returncode != 0


def synchronous(path: Path) -> int:
    """Return how a new connection of SQLAlchemy to a file waits for the disk."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        level: int = connection.execute(text("pragma synchronous")).scalar_one()
    engine.dispose()
    return level


def test_only_the_history_waits_less_for_the_disk(tmp_path: Path) -> None:
    """The ledger beside it keeps its promise, and afterwards the history does too."""
    home = Home(tmp_path)
    home.dagster.mkdir()
    history, ledger = home.dagster / "runs.db", tmp_path / "ledger.sqlite"
    with quick_history(home):
        assert (synchronous(history), synchronous(ledger)) == (NORMAL, FULL)
    assert synchronous(history) == FULL


def test_the_history_is_whole_for_others(tmp_path: Path) -> None:
    """What was written within is there for the web server, during and after."""
    home = Home(tmp_path)
    home.dagster.mkdir()
    file = home.dagster / "runs.db"
    engine = create_engine(f"sqlite:///{file}")
    with quick_history(home):
        with engine.begin() as connection:
            connection.execute(text("pragma journal_mode = wal"))
            connection.execute(text("create table runs (id integer)"))
            connection.execute(text("insert into runs values (1)"))
        with sqlite3.connect(file) as other:
            assert other.execute("select count(*) from runs").fetchone() == (1,)
    with sqlite3.connect(file) as other:
        assert other.execute("select count(*) from runs").fetchone() == (1,)


def test_a_long_cause_fits_a_screen() -> None:
    """The whole text is in Dagster."""
    assert shorten("short") == "short"
    assert len(shorten("x" * 10_000)) < LONGEST_CAUSE + 10


def test_progress_in_a_file_is_lines_and_few() -> None:
    """A log of CI shows what is finished, and no escape codes."""
    file = io.StringIO()
    with Progress(Console(file=file, width=100)) as progress:
        progress.title("extracting")
        for number in range(1_000):
            progress.say(f"page {number} [not markup]")
        progress.done("[green]✓[/] extracted")
    written = file.getvalue()
    assert "✓ extracted" in written
    assert len(written.splitlines()) < 5
    assert "\x1b" not in written
