"""The log's files on an fsspec file system that creates a file only where none is, as object storage can."""

import inspect
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO, cast

from fsspec.asyn import AsyncFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.spec import AbstractFileSystem

from perennial.errors import LandingError


class FsspecStore:
    """A prefix of a file system whose puts are whole and durable, and can be made conditional.

    No lock spans machines here: the conditional create of a manifest entry alone decides who takes a ``seq``.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        # A cached listing would hide the entries of other writers.
        self._files, self._root = url_to_fs(self._url, use_listings_cache=False)
        self._root = self._root.rstrip("/")
        if not creates_conditionally(self._files):
            raise LandingError(
                f"PERENNIAL_LANDING_URL: {_scheme(url)} can't create a file only where none is, "
                "so two writers could take the same place in the log",
                "use a local path, or object storage with conditional writes (s3://, gs://)",
            )

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return cast("bytes", self._files.cat_file(self._at(path)))

    def open(self, path: str) -> BinaryIO:
        """Open a file to read parts of it."""
        return cast("BinaryIO", self._files.open(self._at(path), "rb"))

    def version(self, path: str) -> str | None:
        """Return what the file system knows a file's version by."""
        try:
            return str(self._files.ukey(self._at(path)))
        except FileNotFoundError:
            return None

    def create(self, path: str, content: bytes) -> bool:
        """Write a new file; False, and nothing written, where the path is taken."""
        try:
            self._files.pipe_file(self._at(path), content, mode="create")
        except FileExistsError:
            return False
        return True

    def replace(self, path: str, content: bytes) -> None:
        """Write a file, in place of an earlier one if there is one."""
        self._files.pipe_file(self._at(path), content)

    def remove(self, path: str) -> None:
        """Remove a file; no error when there is none."""
        try:
            self._files.rm_file(self._at(path))
        except FileNotFoundError:
            return

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; empty when there is no folder."""
        try:
            found = self._files.ls(self._at(folder), detail=False)
        except FileNotFoundError:
            return []
        return sorted(str(name).rsplit("/", 1)[-1] for name in found)

    def settle(self, folder: str) -> None:
        """Do nothing: what a file system of this kind shows is durable."""

    @contextmanager
    def exclusively(self) -> Iterator[bool]:
        """Keep out the other threads of this process, which would only lose races against each other."""
        with _turns()[self._url]:
            yield False

    def address(self, path: str) -> str:
        """Return the file's URL."""
        return f"{self._url}/{path}"

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"


@cache
def _turns() -> defaultdict[str, threading.Lock]:
    """Return the locks of this process, one a root."""
    return defaultdict(threading.Lock)


def _scheme(url: str) -> str:
    """Name a URL without what may be secret in it."""
    return f"{url.partition('://')[0]}://"


def creates_conditionally(files: Any) -> bool:  # noqa: ANN401  # fsspec has no types
    """Tell whether ``pipe_file(mode="create")`` is the file system's own and not fsspec's look-then-write."""
    while isinstance(files, DirFileSystem):
        files = files.fs
    own = getattr(type(files), "_pipe_file", None) or type(files).pipe_file
    inherited = own in (AbstractFileSystem.pipe_file, AsyncFileSystem._pipe_file)  # noqa: SLF001  # no public name
    return not inherited and "mode" in inspect.signature(own).parameters
