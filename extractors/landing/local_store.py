"""The log's files on a local disk, with every name and byte synced before a write returns."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from extractors.landing.durable import make_folder, sync_folder


class LocalStore:
    """A folder of a local disk (POSIX: flock, hard links, folders that can be synced).

    Drafts are written in ``tmp/`` under the lock and get their name only when they are complete and synced,
    so whatever lies in ``tmp/`` when the lock is taken is a dead writer's and goes.
    """

    def __init__(self, root: str) -> None:
        self._root = Path(root).expanduser().absolute()
        self._drafts = self._root / "tmp"
        self._ready: set[Path] = set()

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self._root / path).read_bytes()

    def open(self, path: str) -> BinaryIO:
        """Open a file to read parts of it."""
        return (self._root / path).open("rb")

    def version(self, path: str) -> str | None:
        """Return the file's inode, size and modification time."""
        try:
            found = (self._root / path).stat()
        except FileNotFoundError:
            return None
        return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"

    def create(self, path: str, content: bytes) -> bool:
        """Write a new file; False, and nothing written, where the path is taken."""
        target = self._target(path)
        with self._draft(content) as draft:
            try:
                target.hardlink_to(draft)
            except FileExistsError:
                return False
        sync_folder(target.parent)
        return True

    def replace(self, path: str, content: bytes) -> None:
        """Write a file, in place of an earlier one if there is one."""
        target = self._target(path)
        with self._draft(content) as draft:
            draft.replace(target)
        sync_folder(target.parent)

    def remove(self, path: str) -> None:
        """Remove a file; no error when there is none."""
        (self._root / path).unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; empty when there is no folder."""
        try:
            with os.scandir(self._root / folder) as found:
                return sorted(entry.name for entry in found)
        except FileNotFoundError:
            return []

    def settle(self, folder: str) -> None:
        """Sync a folder: its names may be those of a writer that died before it did so."""
        sync_folder(self._root / folder)

    @contextmanager
    def exclusively(self) -> Iterator[bool]:
        """Hold ``manifest/.lock``; the kernel frees it when a process dies."""
        lock = self._target("manifest/.lock")
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._drafts.mkdir(exist_ok=True)
            for left_over in self._drafts.iterdir():
                left_over.unlink()
            yield True
        finally:
            os.close(handle)

    def address(self, path: str) -> str:
        """Return the absolute path."""
        return str(self._root / path)

    def _target(self, path: str) -> Path:
        target = self._root / path
        if target.parent not in self._ready:
            make_folder(target.parent)
            self._ready.add(target.parent)
        return target

    @contextmanager
    def _draft(self, content: bytes) -> Iterator[Path]:
        """Write and sync a nameless copy; it is gone afterwards unless it was given its name."""
        draft = self._drafts / secrets.token_hex(8)
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield draft
        finally:
            draft.unlink(missing_ok=True)
