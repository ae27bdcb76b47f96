"""A machine on which something is missing gets a cause and a fix."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="setup")
def load_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script as a module that would set up a folder of the test."""
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "perennial.stamp")
    return module


def program(folder: Path, name: str, body: str) -> str:
    """Write a program that behaves as a test needs it."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_an_old_python_is_told_what_to_install(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the running Python nor one on PATH fits; a version manager's broken shim is no Python."""
    program(tmp_path, "python3.12", "exit 127")
    program(tmp_path, "python3", "echo 3 9")
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(setup.SetupError, match=r"needs Python 3\.11 to 3\.13; this is 3\.9") as caught:
        setup.find_python()
    assert "→ install Python 3.12" in str(caught.value)


def test_a_fitting_python_beside_an_old_one_is_found(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's default may be old while a newer one is there."""
    newer = program(tmp_path, "python3.12", "echo 3 12")
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup.find_python() == newer


def test_a_python_without_venv_is_told_which_package(setup: ModuleType, tmp_path: Path) -> None:
    """Debian ships that part separately; nothing half-made stays behind."""
    python = program(
        tmp_path,
        "python",
        'case "$*" in *venv*) echo "ensurepip is not available" >&2; exit 1;; *) echo 3 11;; esac',
    )
    with pytest.raises(setup.SetupError, match="virtual environments") as caught:
        setup.make_venv(python)
    assert "python3.11-venv" in str(caught.value)
    assert not setup.VENV.exists()


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("error: Failed to fetch: dns error: failed to lookup address", "check the network"),
        ("Temporary failure in name resolution", "check the network"),
        ("Hash mismatch for alembic", "do not go on"),
        ("error: No space left on device", "mend what the lines above name"),
    ],
)
def test_a_failed_installation_names_cause_and_fix(
    setup: ModuleType, tmp_path: Path, said: str, fix: str
) -> None:
    """The installer's last words are shown, and what they mean."""
    installer = program(tmp_path, "installer", f'echo "{said}" >&2; exit 2')
    with pytest.raises(setup.SetupError) as caught:
        setup.install("packages", [installer], dict(os.environ))
    assert said in str(caught.value)
    assert fix in str(caught.value)


def test_the_next_call_is_instant(setup: ModuleType) -> None:
    """With the stamp of these locks there is nothing to do; any change of them undoes it."""
    (setup.VENV / "bin").mkdir(parents=True)
    (setup.VENV / "bin" / "python").touch()
    assert not setup.is_ready()
    setup.STAMP.write_text(setup.wanted_stamp(), encoding="utf-8")
    began = time.monotonic()
    assert setup.main() == 0
    assert time.monotonic() - began < 1
    setup.STAMP.write_text("of other locks", encoding="utf-8")
    assert not setup.is_ready()


def test_the_script_needs_nothing_installed() -> None:
    """It runs before there is an environment: the standard library is all it imports."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            "import runpy, sys; runpy.run_path(sys.argv[1])",
            "scripts/setup.py",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
