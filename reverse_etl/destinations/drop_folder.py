"""Whole files in a folder that somebody else empties: on a local disk, or behind any other fsspec URL.

A file is seen complete or not at all. Locally it is written and synced under a hidden name and then renamed; where the
file system creates a file only where none is (``s3://``, ``gs://``, ``az://``), one such call does it; elsewhere it is
written under a hidden name and moved.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, cast

from fsspec.core import url_to_fs

from extractors.landing.durable import make_folder, sync_folder
from extractors.landing.fsspec_store import creates_conditionally


class DropFolder(Protocol):
    """Files below one place, named by paths relative to it. Failures are ``OSError``s."""

    def create(self, path: str, content: bytes) -> None:
        """Write a file that is named for its content; one that is there already is left as it is."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None where it is gone."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted and without hidden ones; empty when there is no folder."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; no error when there is none."""
        ...


def drop_folder(url: str) -> DropFolder:
    """Return the folder at a path, a ``file://`` URL or any other fsspec URL.

    Raises ``ImportError`` or ``ValueError`` where nothing here knows such URLs.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return _LocalFolder(Path(url))
    if scheme in ("file", "local"):
        return _LocalFolder(Path(rest))
    return _FsspecFolder(url)


class _LocalFolder:
    def __init__(self, root: Path) -> None:
        self._root = root.expanduser().absolute()

    def create(self, path: str, content: bytes) -> None:
        target = self._root / path
        if target.exists():
            return
        make_folder(target.parent)
        # A name of its own: two pushes may write the same file, and half of one must not get the name of the other.
        draft = target.parent / f".{secrets.token_hex(8)}.part"
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(target.parent)

    def read(self, path: str) -> bytes | None:
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(_shown(entry.name for entry in os.scandir(self._root / folder)))
        except FileNotFoundError:
            return []

    def remove(self, path: str) -> None:
        (self._root / path).unlink(missing_ok=True)


class _FsspecFolder:
    def __init__(self, url: str) -> None:
        # A cached listing would hide what another push has written.
        self._files, root = url_to_fs(url, use_listings_cache=False)
        self._root = root.rstrip("/")

    def create(self, path: str, content: bytes) -> None:
        target = self._at(path)
        if creates_conditionally(self._files):
            try:
                self._files.pipe_file(target, content, mode="create")
            except FileExistsError:
                return
            return
        if self._files.exists(target):
            return
        folder = target.rsplit("/", 1)[0]
        draft = f"{folder}/.{secrets.token_hex(8)}.part"
        self._files.makedirs(folder, exist_ok=True)
        try:
            self._files.pipe_file(draft, content)
            self._files.mv(draft, target)
        except OSError:
            self._remove(draft)
            raise

    def read(self, path: str) -> bytes | None:
        try:
            return cast("bytes", self._files.cat_file(self._at(path)))
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        try:
            found: list[Any] = self._files.ls(self._at(folder), detail=False)
        except FileNotFoundError:
            return []
        return sorted(_shown(str(name).rstrip("/").rsplit("/", 1)[-1] for name in found))

    def remove(self, path: str) -> None:
        self._remove(self._at(path))

    def _remove(self, at: str) -> None:
        try:
            self._files.rm_file(at)
        except FileNotFoundError:
            return

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root


def _shown(names: Iterator[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith("."))
