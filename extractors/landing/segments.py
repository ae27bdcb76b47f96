"""The journal's files: the folder of one receiver process, and the one segment that it writes.

``journal/<receiver id>/lock`` is held (flock) as long as the receiver lives; ``<number>.segment`` beside it
are its records. An id is never used again, so what lies in a folder whose lock is free is a dead receiver's.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from extractors.landing.durable import make_folder, sync_folder

_SUFFIX = ".segment"


@dataclass(frozen=True, slots=True)
class Segment:
    """A finished segment: nobody writes to it any more."""

    receiver: str
    number: int
    path: Path

    @property
    def batch_name(self) -> str:
        """Return the name that its batch always gets."""
        return f"journal/{self.receiver}/{self.number}"


class SegmentWriter:
    """Writes one receiver's segments; for one caller at a time.

    Opening takes a new id and its lock. Raises ``OSError``.
    """

    def __init__(self, root: Path) -> None:
        make_folder(root)
        self.receiver, self._folder, self._lock = _new_folder(root)
        self._number = 0
        self._file: int | None = None
        self._synced = 0
        self.records = 0
        self.finished: list[Segment] = []

    @property
    def size(self) -> int:
        """Return the bytes of the open segment."""
        return self._synced

    def write(self, frames: Sequence[bytes]) -> None:
        """Write frames and sync them, in one go.

        On ``OSError`` none of them counts, and the segment ends with what was synced before: after a failed
        sync nobody knows what the kernel kept of the pages.
        """
        try:
            file = self._open() if self._file is None else self._file
            _write_all(file, b"".join(frames))
            os.fsync(file)
        except OSError:
            self._abandon()
            raise
        self._synced += sum(len(frame) for frame in frames)
        self.records += len(frames)

    def rotate(self) -> None:
        """End the open segment, if it holds anything."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with contextlib.suppress(OSError):  # all that counts has been synced
            os.close(file)
        segment = Segment(self.receiver, self._number, self._path())
        if self.records:
            self.finished.append(segment)
        else:
            segment.path.unlink(missing_ok=True)
        self._synced = self.records = 0

    def close(self) -> None:
        """End the open segment, and remove the folder where nothing is left to seal."""
        self.rotate()
        if not any(_segments_in(self._folder)):
            _remove_folder(self._folder)
        os.close(self._lock)

    def _open(self) -> int:
        self._number += 1
        file = os.open(self._path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = file
        sync_folder(self._folder)
        return file

    def _abandon(self) -> None:
        if self._file is None:
            return
        # Where even this fails, the sealer finds a torn tail, or records that were never acknowledged.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._synced)
        self.rotate()

    def _path(self) -> Path:
        return self._folder / f"{self._number:012d}{_SUFFIX}"


@contextmanager
def dead_receivers(root: Path) -> Iterator[list[list[Segment]]]:
    """Give the segments of every receiver that is gone, and keep others from taking them meanwhile.

    Folders that are empty at the end are removed.
    """
    with contextlib.ExitStack() as stack:
        found = []
        for folder in sorted(root.iterdir()) if root.is_dir() else []:
            lock = _try_lock(folder)
            if lock is None:
                continue
            stack.callback(os.close, lock)
            stack.callback(_remove_if_empty, folder)
            found.append(list(_segments_in(folder)))
        yield found


def _new_folder(root: Path) -> tuple[str, Path, int]:
    """Make a folder under a new id and lock it.

    A starting receiver that looks for dead ones may lock or remove the folder in between: then another id.
    """
    while True:
        receiver = secrets.token_hex(6)
        folder = root / receiver
        make_folder(folder)
        with contextlib.suppress(FileNotFoundError):
            (folder / "lock").touch(mode=0o600)
            lock = _try_lock(folder)
            if lock is not None:
                return receiver, folder, lock


def _try_lock(folder: Path) -> int | None:
    """Return a handle that holds the folder's lock; None when its receiver lives or the folder is gone."""
    path = folder / "lock"
    # Segments without a lock file: someone removed it; a folder with neither is a receiver that just starts.
    make = os.O_CREAT if any(_segments_in(folder)) else 0
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | make, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


def _segments_in(folder: Path) -> Iterator[Segment]:
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        yield Segment(folder.name, int(path.stem), path)


def _remove_if_empty(folder: Path) -> None:
    if {path.name for path in folder.iterdir()} == {"lock"}:
        _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    (folder / "lock").unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # a damaged segment that was kept stays
        folder.rmdir()


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
