"""Who owns the warehouse file: one process at a time, by a lock that ends with the process."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perennial.errors import PerennialError
from perennial.home import Home


@contextmanager
def owning(home: Path) -> Iterator[bool]:
    """Try to own the home's warehouse: yields whether it worked, and lets go at the end."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "builder.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def owned(home: Home) -> Iterator[None]:
    """Own the home's warehouse for the block; ``PerennialError`` when another process does."""
    with owning(home.root) as is_owner:
        if not is_owner:
            raise PerennialError(
                "another process owns the warehouse",
                "end perennial worker (or make dev), then call this again",
            )
        yield
