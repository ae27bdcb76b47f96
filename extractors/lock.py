"""One pull of a stream at a time: a scheduled and a manual one would undo each other's cursors."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from perennial.errors import PerennialError

_WAIT_SECONDS = 600.0
_LOOK_AGAIN_SECONDS = 0.2


@contextmanager
def one_pull_of(stream: str, state: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Wait for a running pull of ``source/stream``, then hold it; the system frees it when the process ends."""
    with state.with_suffix(f".{stream.replace('/', '-')}.lock").open("a") as file:
        given_up_at = time.monotonic() + _WAIT_SECONDS
        waiting = False
        while not _taken(file.fileno()):
            if time.monotonic() > given_up_at:
                raise PerennialError(
                    f"another pull of {stream} has been running for {_WAIT_SECONDS / 60:.0f} minutes",
                    "let it finish, or end that process; the next pull goes on where it stopped",
                )
            if not waiting:
                say(f"{stream}: waiting for another pull of it")
                waiting = True
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
