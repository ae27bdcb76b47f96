"""Pushes and syncs in processes of their own, for tests that kill them or run several."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.context import ForkServerProcess

from perennial.crash import EXIT_CODE, VARIABLE
from perennial.settings import load_settings
from reverse_etl.push import push
from reverse_etl.sync.drift import repair_with
from reverse_etl.sync.sync import Parts, open_parts, sync_with

# A process that has imported the push once and forks for each one: as real as any, and sooner there.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.reverse_etl.pushing"])


def start_push(environment: Mapping[str, str], crash_at: str = "") -> ForkServerProcess:
    """Start a push with the settings of an environment; it may be told where to die."""
    process = _CONTEXT.Process(target=_push, args=({**environment, "PERENNIAL_CRASH_AT": crash_at},))
    process.start()
    return process


def killed(crash_at: str, work: Callable[..., object], *arguments: object) -> None:
    """Do something in a process of its own, which dies at a named place."""
    process = _CONTEXT.Process(target=_work, args=(crash_at, work, arguments))
    process.start()
    process.join(60)
    assert process.exitcode == EXIT_CODE


def _work(crash_at: str, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    os.environ[VARIABLE] = crash_at
    work(*arguments)


def start_sync(environment: Mapping[str, str], crash_at: str = "") -> ForkServerProcess:
    """Start a sync of what is kept equal; it may be told where to die."""
    process = _CONTEXT.Process(target=_sync, args=({**environment, "PERENNIAL_CRASH_AT": crash_at},))
    process.start()
    return process


def start_repair(environment: Mapping[str, str], crash_at: str = "") -> ForkServerProcess:
    """Start a read-back that repairs what it finds; it may be told where to die."""
    process = _CONTEXT.Process(target=_repair, args=({**environment, "PERENNIAL_CRASH_AT": crash_at},))
    process.start()
    return process


def _sync(environment: Mapping[str, str]) -> None:
    with _parts(environment) as parts:
        sync_with(parts)


def _repair(environment: Mapping[str, str]) -> None:
    with _parts(environment) as parts:
        repair_with(parts)


@contextmanager
def _parts(environment: Mapping[str, str]) -> Iterator[Parts]:
    os.environ.update(environment)
    os.chdir(environment["PERENNIAL_HOME"])  # no .env there
    with open_parts(load_settings()) as parts:
        assert parts is not None
        parts.longest = timedelta(minutes=1)  # a busy machine takes its time
        yield parts


def _push(environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    os.chdir(environment["PERENNIAL_HOME"])  # no .env there
    push(load_settings())
