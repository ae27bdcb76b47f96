"""A disk of which only what was synced is sure: what a power cut at any moment may leave of a folder.

While ``Disk`` watches, each call that changes the folder first keeps what the disk holds at that moment: the names
and bytes that a finished ``fsync`` of a folder or file covers, and those that happen to be there. ``Cut.leave`` makes a
folder of it: with nothing but what was synced, or with any part of the rest.
"""

import functools
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

import pytest

_CHANGES = (
    "open", "write", "fsync", "link", "replace", "rename", "unlink", "mkdir", "rmdir", "ftruncate",
)  # fmt: skip
_HELPERS = ("sync_folder", "LocalStore.settle")  # who calls these is the one who syncs
Names = Mapping[int, Mapping[str, int]]
_Promises = TypeVar("_Promises")


class DiedError(BaseException):
    """A process that ends where it is: what it did before stays, and nothing was lost yet."""


@dataclass(frozen=True)
class Cut(Generic[_Promises]):
    """A moment at which the power may go."""

    before: str
    root: int
    synced_names: Names
    synced_bytes: Mapping[int, bytes]
    names: Names
    contents: Mapping[int, bytes]
    promises: _Promises

    def leave(self, target: Path, chance: random.Random | None = None) -> None:
        """Make the folder that the disk shows afterwards: without chance, whatever was not synced is gone."""
        self._leave_folder(self.root, target, chance)

    def _leave_folder(self, folder: int, target: Path, chance: random.Random | None) -> None:
        target.mkdir()
        synced, there = self.synced_names.get(folder, {}), self.names.get(folder, {})
        for name in sorted({*synced, *there}) if chance else sorted(synced):
            held = there if chance is not None and chance.random() < 0.5 else synced
            if name not in held:
                continue
            inode = held[name]
            if inode in self.names or inode in self.synced_names:
                self._leave_folder(inode, target / name, chance)
            else:
                (target / name).write_bytes(self._content(inode, chance))

    def _content(self, inode: int, chance: random.Random | None) -> bytes:
        synced, there = self.synced_bytes.get(inode, b""), self.contents.get(inode, b"")
        if chance is None or len(there) <= len(synced):
            return synced
        return there[: chance.randint(len(synced), len(there))]


@dataclass
class Disk(Generic[_Promises]):
    """Watches a folder, and keeps a cut before every change to it.

    ``without`` names a place in the code whose syncs are taken out. ``promises`` is what the code has told
    anybody so far; each cut remembers it.
    """

    root: Path
    promises: _Promises
    without: str = ""
    cuts: list[Cut[_Promises]] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    _dies_at: str = ""
    _synced_names: dict[int, dict[str, int]] = field(default_factory=dict)
    _synced_bytes: dict[int, bytes] = field(default_factory=dict)
    _held: list[int] = field(default_factory=list)
    _has_synced: bool = False

    @contextmanager
    def watching(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Watch during the block."""
        with patch.context() as patches:
            for name in _CHANGES:
                patches.setattr(os, name, self._watched(name, getattr(os, name)))
            yield
        self._keep("the end")
        for handle in self._held:
            os.close(handle)

    @contextmanager
    def dying_at(self, place: str) -> Iterator[None]:
        """Let the process die at a place, instead of its sync, and go on as another process."""
        self._dies_at = place
        with pytest.raises(DiedError):
            yield
        self._dies_at = ""

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def watched(*arguments: Any, **options: Any) -> Any:
            if name != "open" or arguments[1] & os.O_CREAT:
                self._keep(f"{name} in {_place(sys._getframe(1))}")  # noqa: SLF001
            if name != "fsync":
                return call(*arguments, **options)
            return self._sync(arguments[0], _place(sys._getframe(1)))  # noqa: SLF001

        return watched

    def _sync(self, handle: int, place: str) -> None:
        self.places.add(place)
        if place == self._dies_at:
            raise DiedError
        if place == self.without:
            return
        self._has_synced = True
        kept = os.dup(handle)
        self._held.append(kept)  # so that no other file takes its number
        inode = os.fstat(kept).st_ino
        path = Path(f"/proc/self/fd/{kept}").resolve()
        if path.is_dir():
            with os.scandir(path) as found:
                self._synced_names[inode] = {entry.name: entry.inode() for entry in found}
        else:
            self._synced_bytes[inode] = Path(f"/proc/self/fd/{kept}").read_bytes()

    def _keep(self, before: str) -> None:
        names: dict[int, dict[str, int]] = {}
        contents: dict[int, bytes] = {}
        for folder, _, files in os.walk(self.root):
            with os.scandir(folder) as found:
                names[Path(folder).stat().st_ino] = {entry.name: entry.inode() for entry in found}
            contents.update(
                {(Path(folder) / file).stat().st_ino: (Path(folder) / file).read_bytes() for file in files}
            )
        if self.cuts and (names, contents, self.promises) == _seen(self.cuts[-1]) and not self._has_synced:
            return
        self._has_synced = False
        self.cuts.append(
            Cut(
                before=before,
                root=self.root.stat().st_ino,
                synced_names=deepcopy(self._synced_names),
                synced_bytes=dict(self._synced_bytes),
                names=names,
                contents=contents,
                promises=deepcopy(self.promises),
            ),
        )


def _seen(cut: Cut[Any]) -> tuple[Names, Mapping[int, bytes], Any]:
    return cut.names, cut.contents, cut.promises


def _place(frame: FrameType | None) -> str:
    """Return the function that asked for a call, past the helpers and what is not ours."""
    while frame is not None:
        is_ours = (
            f"{os.sep}extractors{os.sep}" in frame.f_code.co_filename
            and "tests" not in frame.f_code.co_filename
        )
        if is_ours and frame.f_code.co_qualname not in _HELPERS:
            return frame.f_code.co_qualname
        frame = frame.f_back
    return "a test"
