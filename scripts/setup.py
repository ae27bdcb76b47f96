"""Make ``.venv`` from the hash-locked requirements; instant when it is already there.

Runs on the standard library alone, under whatever ``python3`` the machine has, so that a Python that is too
old gets a sentence and not a syntax error. ``requirements/bootstrap.lock`` brings the installer and
``requirements.lock`` everything else; nothing is installed whose hash is not in one of the two.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "perennial.stamp"
BOOTSTRAP = ROOT / "requirements" / "bootstrap.lock"
LOCK = ROOT / "requirements.lock"
OLDEST, NEWEST = (3, 11), (3, 13)
OFFLINE_WORDS = (
    "name resolution",
    "dns error",
    "connection refused",
    "connecterror",
    "failed to establish",
    "network is unreachable",
    "error sending request",
    "timed out",
    "no matching distribution",
    "no solution found",
    "client error (connect)",
)


class SetupError(Exception):
    """Something a person must mend: the cause and the next step."""

    def __init__(self, cause: str, fix: str) -> None:
        """Join the two."""
        super().__init__(f"{cause}\n  → {fix}")


def wanted_stamp() -> str:
    """Return what the environment's stamp says when nothing has changed since it was made."""
    digest = hashlib.sha256()
    for path in (BOOTSTRAP, LOCK, ROOT / "pyproject.toml", Path(__file__).resolve()):
        digest.update(path.read_bytes())
    digest.update(str(ROOT).encode())
    return digest.hexdigest()


def is_ready() -> bool:
    """Return whether ``.venv`` is the one that the locks describe."""
    return (
        (VENV / "bin" / "python").exists()
        and STAMP.exists()
        and STAMP.read_text(encoding="utf-8") == wanted_stamp()
    )


def run(command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder and keep what it says."""
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def find_python() -> str:
    """Return a Python that Perennial runs on: the running one if it fits, else one on PATH.

    Raises ``SetupError`` when there is none.
    """
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
        path = shutil.which(name)
        # A version manager's shim exists for versions that are not installed: ask it.
        if path and OLDEST <= version_of(path) <= NEWEST:
            return path
    raise SetupError(
        f"Perennial needs Python {dotted(OLDEST)} to {dotted(NEWEST)}; "
        f"this is {dotted(sys.version_info[:2])}, and no other was found",
        "install Python 3.12 (Debian, Ubuntu: apt-get install python3; macOS: brew install python@3.12), "
        "then call make again",
    )


def dotted(version: tuple[int, ...]) -> str:
    """Return a version as people write it."""
    return ".".join(str(part) for part in version)


def version_of(python: str) -> tuple[int, ...]:
    """Return the version of an interpreter; (0, 0) where it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    found = run([python, "-c", code])
    return tuple(int(part) for part in found.stdout.split()) if found.returncode == 0 else (0, 0)


def has_pip(python: str) -> bool:
    """Return whether an environment has pip, after giving it one where it has not (uv makes them without)."""
    return any(
        run([python, "-m", *module]).returncode == 0 for module in (["pip", "--version"], ["ensurepip"])
    )


def make_venv(python: str) -> None:
    """Make an empty environment with pip in it."""
    shutil.rmtree(VENV, ignore_errors=True)
    done = run([python, "-m", "venv", str(VENV)])
    if done.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    said = (done.stdout + done.stderr).strip()
    if "ensurepip" in said or "No module named venv" in said:
        raise SetupError(
            "this Python can't make virtual environments (Debian and Ubuntu ship that part separately)",
            f"apt-get install python3-venv (or python{dotted(version_of(python))}-venv), "
            "then call make again",
        )
    raise SetupError(
        "the environment could not be made: " + said, "mend what the line above names and call make again"
    )


def index_environment() -> dict[str, str]:
    """Return the environment for the installer, with the index and certificate that pip is configured to use.

    The second installer does not read pip's configuration, and whoever set a mirror for pip expects it used.
    """
    listed = run([str(VENV / "bin" / "python"), "-m", "pip", "config", "list"]).stdout
    options = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        options[name.rpartition(".")[2]] = value.strip("'\"")
    environment = dict(os.environ)
    for option, variable in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("find-links", "UV_FIND_LINKS"),
        ("cert", "SSL_CERT_FILE"),
    ):
        if options.get(option):
            environment.setdefault(variable, options[option])
    environment["VIRTUAL_ENV"] = str(VENV)
    return environment


def install(title: str, command: list[str], environment: dict[str, str]) -> None:
    """Run one installation step and show how long it took.

    Raises ``SetupError`` with the installer's last words.
    """
    say(f"  {title} …")
    started = time.monotonic()
    done = run(command, environment)
    if done.returncode == 0:
        say(f"  {title}: {time.monotonic() - started:.0f} s")
        return
    said = (done.stdout + done.stderr).strip()
    last_words = "\n".join(said.splitlines()[-15:])
    if "hash" in said.lower() and "mismatch" in said.lower():
        raise SetupError(
            "a package is not the one that the lock names\n" + last_words,
            "do not go on: the index served something else; ask whoever runs it, or recompile with make lock",
        )
    if any(word in said.lower() for word in OFFLINE_WORDS):
        raise SetupError(
            "the package index could not be reached or lacks a package\n" + last_words,
            "check the network, or point pip at your mirror (pip config set global.index-url …), "
            "then call make again",
        )
    raise SetupError(title + " failed\n" + last_words, "mend what the lines above name and call make again")


def say(text: str) -> None:
    """Tell the person in front of the screen."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def set_up() -> None:
    """Make the environment, or bring it up to the locks."""
    started = time.monotonic()
    python = str(VENV / "bin" / "python")
    say("Setting up .venv (once; the next call is instant)")
    if not (Path(python).exists() and OLDEST <= version_of(python) <= NEWEST and has_pip(python)):
        make_venv(find_python())
    STAMP.unlink(missing_ok=True)
    environment = dict(os.environ)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install("the installer", [*pip, "--require-hashes", "-r", str(BOOTSTRAP)], environment)
    environment = index_environment()
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", python]
    # As pip does, any index may bring a package: which one is decided by the hash, not by the index's rank.
    locked = ["--index-strategy", "unsafe-best-match", "--require-hashes", "-r", str(LOCK)]
    # Compiled now, once: otherwise every process compiles what it imports where bytecode may not be written.
    install("packages from requirements.lock", [*uv, "--compile-bytecode", *locked], environment)
    own = [*uv, "--no-deps", "--no-build-isolation", "-e", "."]
    install("Perennial itself", own, environment)
    STAMP.write_text(wanted_stamp(), encoding="utf-8")
    say(f"Ready after {time.monotonic() - started:.0f} s")


def main() -> int:
    """Set up what is missing; 1 when a person must mend something."""
    if is_ready():
        return 0
    try:
        set_up()
    except SetupError as error:
        say(f"\nSetting up failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
