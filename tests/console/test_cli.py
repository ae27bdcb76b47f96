"""The command line as people call it: in a process of its own, with an environment of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

HEAVY = {"dagster", "dbt", "duckdb", "great_expectations", "pyarrow", "sqlalchemy", "fastapi", "pandas"}


def perennial(
    *arguments: str, home: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder without ``.env``, with nothing set but what the test says."""
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "PERENNIAL_HOME": str(home),
        "COLUMNS": "200",
        **(settings or {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "console", *arguments],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    """Whoever types ``perennial`` sees what there is."""
    shown = perennial("--help", home=tmp_path)
    assert shown.returncode == 0
    for command in ("run", "serve", "worker", "sandbox", "check", "status", "push", "rebuild"):
        assert f" {command} " in shown.stdout, command


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """Help is instant because a command imports what it needs when it runs."""
    code = (
        "import console.cli, json, sys; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert HEAVY.isdisjoint(json.loads(loaded.stdout))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLOWHUB_ROOM_IDS", "the back room"),
        ("PERENNIAL_TIMEZONE", "Mountain"),
        ("PERENNIAL_RECEIVER_PORT", "http"),
        ("FLOWHUB_BASE_URL", "api.flowhub.co"),
        ("PARTNER_API_KEYS", "key-without-a-name"),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_is_not_shown(
    tmp_path: Path, name: str, value: str
) -> None:
    """Cause and fix on two lines, exit code 1, no traceback, and no value that may be a secret."""
    shown = perennial("check", home=tmp_path, settings={name: value})
    assert shown.returncode == 1
    assert name in shown.stderr
    assert "→" in shown.stderr
    assert value not in shown.stdout + shown.stderr
    assert "Traceback" not in shown.stderr


def test_check_says_what_is_missing_and_where_to_get_it(tmp_path: Path) -> None:
    """An installation without credentials gets the setting's name and the next step; a flow what it does not tell."""
    (tmp_path / "flows.json").write_text('{"price_drop_alert": {"status": "dry_run"}}', encoding="utf-8")
    shown = perennial("check", home=tmp_path)
    assert shown.returncode == 1
    assert "FLOWHUB_CLIENT_ID" in shown.stdout
    assert "https://flowhub.com/api-integration-request" in shown.stdout
    assert "! flows: flow price_drop_alert does not tell klaviyo product_id, product_name" in shown.stdout


def test_check_names_a_home_that_can_not_be_written(tmp_path: Path) -> None:
    """A file where the home should be is a cause with a fix, not a traceback."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    shown = perennial("check", home=tmp_path, settings={"PERENNIAL_HOME": str(blocked / "home")})
    assert shown.returncode == 1
    assert "PERENNIAL_HOME" in shown.stdout
    assert "Traceback" not in shown.stderr


def test_run_refuses_a_demo_home(tmp_path: Path) -> None:
    """Real data never enters the demo's home."""
    (tmp_path / "home.json").write_text('{"kind": "demo"}', encoding="utf-8")
    shown = perennial("run", home=tmp_path)
    assert shown.returncode == 1
    assert "belongs to a demo installation" in shown.stderr


@pytest.mark.parametrize("command", [("identity", "show", "ann@example.com"), ("quarantine", "list")])
def test_what_only_reads_also_looks_into_the_demo(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The demo is there to be looked at; nothing is published in this one."""
    (tmp_path / "home.json").write_text('{"kind": "demo"}', encoding="utf-8")
    shown = perennial(*command, home=tmp_path)
    assert "belongs to" not in shown.stderr
    assert "publish" in shown.stderr + shown.stdout


@pytest.mark.parametrize("command", ["run", "dev"])
def test_the_demo_refuses_a_real_home(tmp_path: Path, command: str) -> None:
    """The demo never enters a real home."""
    (tmp_path / "home.json").write_text('{"kind": "real"}', encoding="utf-8")
    shown = perennial("demo", command, "--home", str(tmp_path), home=tmp_path)
    assert shown.returncode == 1
    assert "belongs to a real installation" in shown.stderr


def test_clean_removes_a_demo_and_nothing_else(tmp_path: Path) -> None:
    """A real home survives ``make clean-demo``."""
    real, demo = tmp_path / "real", tmp_path / "demo"
    for folder, kind in ((real, "real"), (demo, "demo")):
        folder.mkdir()
        (folder / "home.json").write_text(json.dumps({"kind": kind}), encoding="utf-8")
    refused = perennial("demo", "clean", "--home", str(real), home=tmp_path / "cwd")
    removed = perennial("demo", "clean", "--home", str(demo), home=tmp_path / "cwd")
    assert (refused.returncode, removed.returncode) == (1, 0)
    assert real.exists()
    assert not demo.exists()


def test_status_of_a_new_home_says_what_to_type(tmp_path: Path) -> None:
    """Nothing landed yet is a state with a next step."""
    shown = perennial("status", home=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "Nothing has landed yet" in shown.stdout
    assert "perennial check" in shown.stdout
