"""``perennial erase`` in processes of their own, for tests that kill it."""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from console.cli import app

# A process that has imported everything and parsed the project once, and forks for each call.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.erasure.erasing", "tests.erasure.parsed"])


def erase(
    environment: Mapping[str, str],
    person: str,
    said: Path,
    crash_at: str = "",
    *,
    yes: bool = True,
    **changes: str,
) -> int | None:
    """Call the command; returns its exit code, and leaves what it said in a file. Nobody is there to answer it."""
    settings = {**environment, **changes, "PERENNIAL_CRASH_AT": crash_at}
    process = _CONTEXT.Process(target=_erase, args=(settings, [person, *(["--yes"] if yes else [])], said))
    process.start()
    process.join(300)
    return process.exitcode


def _erase(environment: Mapping[str, str], arguments: Sequence[str], said: Path) -> None:
    os.environ.update(environment)
    os.chdir(environment["PERENNIAL_HOME"])  # no .env there
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    app(["erase", *arguments])
