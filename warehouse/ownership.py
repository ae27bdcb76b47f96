"""Who owns the warehouse file: one process at a time, by a lock that ends with the process."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
