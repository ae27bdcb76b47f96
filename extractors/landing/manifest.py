"""A manifest: which entries there are, in order, and the one step that adds a new one.

``<folder>/<seq>.json`` is one entry; ``<folder>/checkpoint.json`` names pages of a thousand entries each, so
that a reader probes only what comes after them. The log has two: of its batches (``manifest/``), and of the
rewrites that moved them since (``manifest/rewrites/``).
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from extractors.landing.store import Store
from perennial.errors import LandingError

_PAGE = 1_000
_log = logging.getLogger(__name__)


class Entry(Protocol):
    """What the manifest must know of an entry."""

    @property
    def seq(self) -> int:
        """The place in the log."""
        ...

    @property
    def name(self) -> str:
        """What it can be found by; unique in the log."""
        ...


_Entry = TypeVar("_Entry", bound=Entry)


@dataclass(frozen=True, slots=True)
class _Page:
    """A run of entries that the checkpoint has taken over, in a file of its own."""

    first_seq: int
    last_seq: int
    path: str


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    upto: int = 0
    pages: tuple[_Page, ...] = ()


@dataclass(frozen=True, slots=True)
class _Damaged:
    """An entry that exists and can't be read: it stops those who need it, and nobody else."""

    seq: int


class Manifest(Generic[_Entry]):
    """The entries of one folder, kept in memory and looked after by ``refresh``; safe to share between threads.

    Entries are frozen dataclasses of ``kind``, stored as JSON. ``mended_by`` is the option of
    ``extractors.landing.inspect`` that makes a damaged one anew.
    """

    def __init__(self, store: Store, kind: type[_Entry], folder: str, mended_by: str) -> None:
        self._store = store
        self._kind = kind
        self._folder = folder
        self._mended_by = mended_by
        self._checkpoint_path = f"{folder}/checkpoint.json"
        self._state = threading.RLock()
        self._version: str | None = None
        self._checkpoint = _Checkpoint()
        self._tail: list[_Entry | _Damaged] = []
        self._damaged: set[int] = set()
        self._pages: dict[str, list[_Entry]] = {}
        self._names: dict[str, _Entry] = {}

    @property
    def last(self) -> int:
        """The ``seq`` of the newest entry at the last refresh; 0 when there is none."""
        return self._checkpoint.upto + len(self._tail)

    def entries(self, after: int, upto: int | None) -> list[_Entry]:
        """Return the entries with ``after < seq <= upto``; ``LandingError`` where one of them is damaged."""
        with self._state:
            last = self.last if upto is None else min(upto, self.last)
            found = [
                entry
                for page in self._checkpoint.pages
                if page.last_seq > after and page.first_seq <= last
                for entry in self._page(page)
                if after < entry.seq <= last
            ]
            done = self._checkpoint.upto
            for entry in self._tail[max(0, after - done) : max(0, last - done)]:
                if isinstance(entry, _Damaged):
                    raise self._entry_error(entry.seq)
                found.append(entry)
            return found

    def find(self, name: str) -> _Entry | None:
        """Return the entry of a name."""
        with self._state:
            for page in self._checkpoint.pages:
                self._page(page)
            return self._names.get(name)

    def add(self, entry: _Entry) -> bool:
        """Make an entry part of the log, durably; False when another writer has taken its ``seq``."""
        if self._store.create(self._path(entry.seq), msgspec.json.encode(entry)):
            with self._state:
                if (
                    entry.seq == self.last + 1
                ):  # it is durable: no need to look for it, and to sync its name again
                    self._take([entry])
            return True
        # A put that was answered with a time-out and sent again by the client finds its own entry.
        return self._entry_at(entry.seq) == entry

    def mend(self, entry: _Entry) -> None:
        """Write an entry in place of a damaged one."""
        self._store.replace(self._path(entry.seq), msgspec.json.encode(entry))

    def refresh(self) -> None:
        """Take in what others have added since the last look; what is known afterwards is durable."""
        with self._state:
            self._reload_checkpoint()
            fresh: list[_Entry | _Damaged] = []
            while (entry := self._entry_at(self.last + len(fresh) + 1)) is not None:
                fresh.append(entry)
            if fresh:
                # A writer may have died between making an entry and syncing it: what is shown must stay.
                self._store.settle(self._folder)
            self._take(fresh)
            for seq in [*self._damaged]:
                # Someone may have mended it since.
                mended = self._entry_at(seq)
                if mended is not None and not isinstance(mended, _Damaged):
                    self._tail[seq - self._checkpoint.upto - 1] = mended
                    self._names[mended.name] = mended
                    self._damaged.remove(seq)

    def extend_checkpoint(self) -> None:
        """Move full thousands of entries into pages; for the one who added the last entry.

        Entries are durable by themselves, so a failure here is left to the next one.
        """
        with self._state:
            upto, pages, tail = self._checkpoint.upto, list(self._checkpoint.pages), list(self._tail)
        try:
            while len(tail) >= _PAGE:
                entries, tail = tail[:_PAGE], tail[_PAGE:]
                if any(isinstance(entry, _Damaged) for entry in entries):
                    break
                page = _Page(
                    upto + 1, upto + _PAGE, f"{self._folder}/pages/{upto + 1:012d}-{upto + _PAGE:012d}.json"
                )
                self._store.replace(page.path, msgspec.json.encode(entries))
                pages.append(page)
                upto = page.last_seq
            if upto > self._checkpoint.upto:
                self._store.replace(
                    self._checkpoint_path, msgspec.json.encode(_Checkpoint(upto, tuple(pages)))
                )
        except OSError as error:
            _log.warning(
                "the landing checkpoint could not be written (%s); the next append tries again", error
            )

    def _take(self, entries: Sequence[_Entry | _Damaged]) -> None:
        for entry in entries:
            self._tail.append(entry)
            if isinstance(entry, _Damaged):
                self._damaged.add(entry.seq)
            else:
                self._names[entry.name] = entry

    def _entry_at(self, seq: int) -> _Entry | _Damaged | None:
        try:
            entry = msgspec.json.decode(self._store.read(self._path(seq)), type=self._kind)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            return _Damaged(seq)
        return entry if entry.seq == seq else _Damaged(seq)

    def _reload_checkpoint(self) -> None:
        version = self._store.version(self._checkpoint_path)
        if version == self._version:
            return
        newer: _Checkpoint = self._decoded(self._checkpoint_path, _Checkpoint) if version else _Checkpoint()
        done = newer.upto - self._checkpoint.upto
        tail = self._tail[done:] if done >= 0 else []
        self._checkpoint, self._version = newer, version
        self._tail, self._damaged = [], set()
        self._take(tail)

    def _page(self, page: _Page) -> list[_Entry]:
        if page.path not in self._pages:
            entries: list[_Entry] = self._decoded(page.path, GenericAlias(list, (self._kind,)))
            self._pages[page.path] = entries
            self._names.update({entry.name: entry for entry in entries})
        return self._pages[page.path]

    def _decoded(self, path: str, kind: Any) -> Any:  # noqa: ANN401  # whatever kind says
        try:
            return msgspec.json.decode(self._store.read(path), type=kind)
        except (msgspec.DecodeError, FileNotFoundError) as error:
            raise LandingError(
                f"{self._store.address(path)} is missing or damaged: {type(error).__name__}",
                f"restore it from a backup, or delete {self._store.address(self._checkpoint_path)}: "
                "the next append makes both anew from the entries beside it",
            ) from error

    def _path(self, seq: int) -> str:
        return f"{self._folder}/{seq:012d}.json"

    def _entry_error(self, seq: int) -> LandingError:
        return LandingError(
            f"the manifest entry {self._store.address(self._path(seq))} is damaged; "
            "what came before it can be read and new batches land meanwhile",
            "restore it from a backup, or make it anew: "
            f"python -m extractors.landing.inspect <root> {self._mended_by} {seq}",
        )
