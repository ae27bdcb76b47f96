"""Where the log's files lie: the few things the log needs of a file system."""

from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from extractors.landing.fsspec_store import FsspecStore
from extractors.landing.local_store import LocalStore


class Store(Protocol):
    """Files under one root, named by paths relative to it.

    Every write is atomic (a reader sees all of it or nothing) and durable when it returns. Failures are
    ``OSError``s and leave nothing visible.
    """

    def read(self, path: str) -> bytes:
        """Return a file's bytes; ``FileNotFoundError`` when there is none."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open a file to read parts of it."""
        ...

    def version(self, path: str) -> str | None:
        """Return something that changes when the file is replaced; None when there is no file."""
        ...

    def create(self, path: str, content: bytes) -> bool:
        """Write a new file; False, and nothing written, where the path is taken."""
        ...

    def replace(self, path: str, content: bytes) -> None:
        """Write a file, in place of an earlier one if there is one."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; no error when there is none."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; empty when there is no folder."""
        ...

    def settle(self, folder: str) -> None:
        """Make durable whatever names can be seen in a folder now, whoever wrote them."""
        ...

    def exclusively(self) -> AbstractContextManager[bool]:
        """Keep other writers out; gives whether it could, or whether ``create`` alone decides."""
        ...

    def address(self, path: str) -> str:
        """Return the absolute path or the URL by which DuckDB's ``read_parquet`` finds the file."""
        ...


def store_of(url: str) -> Store:
    """Return the store at a path, a ``file://`` URL or any other fsspec URL."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return LocalStore(url)
    if scheme in ("file", "local"):
        return LocalStore(rest)
    return FsspecStore(url)
