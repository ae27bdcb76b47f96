"""The ordered log: batches that take the next ``seq`` and become visible in that order.

On disk (``docs/landing.md``): ``batches/`` holds one Parquet file a batch; ``manifest/<seq>.json`` makes it
part of the log (the commit point); ``manifest/checkpoint.json`` lists pages of a thousand entries, so that a
reader probes only the tail. Readers trust the manifest and never look into folders.
"""

import logging
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeVar

import msgspec
import pyarrow as pa

from extractors.landing.batch_file import Label, counts, decode, encode, label_of
from extractors.landing.disk_errors import landing_error
from extractors.landing.records import LandedRecord, Record
from extractors.landing.store import store_of
from perennial.clock import Clock, WallClock
from perennial.errors import LandingError

_PAGE = 1_000
_CHECKPOINT = "manifest/checkpoint.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,299}")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that landed: the entry of the manifest.

    ``path`` is relative to the root, ``streams`` counts rows by ``source/stream``.
    """

    seq: int
    name: str
    path: str
    rows: int
    bytes: int
    streams: Mapping[str, int]
    landed_at: datetime


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A file to read, with a path or URL that ``read_parquet`` takes.

    It holds whole batches ``first_seq`` to ``last_seq``, which may reach beyond the range that was asked for:
    filter its rows by ``seq``.
    """

    first_seq: int
    last_seq: int
    path: str
    rows: int
    streams: Mapping[str, int]


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


class LandingLog:
    """The log at a path or fsspec URL; several threads and processes may read and append at a time.

    What any method has shown is durable and stays. A reader of an old state only looks for entries after it.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._store = store_of(url)
        self._clock = clock or WallClock()
        self._state = threading.RLock()
        self._version: str | None = None
        self._checkpoint = _Checkpoint()
        self._tail: list[Batch | _Damaged] = []
        self._damaged: set[int] = set()
        self._pages: dict[str, list[Batch]] = {}
        self._names: dict[str, Batch] = {}

    def append(self, name: str, records: Sequence[Record]) -> Batch:
        """Land records as one batch, durable on return; a name that has landed returns its batch unchanged.

        Raises ``LandingError`` when it can't be written; then nothing of it is visible, or all of it is and
        the next append of that name returns it.
        """
        if not records:
            raise ValueError(f"batch {name} has no records")
        if not _NAME.fullmatch(name):
            raise ValueError("a batch's name is made of letters, digits and . _ : / + -")
        try:
            return self._append(name, records)
        except OSError as error:
            raise landing_error(f"batch {name} could not land", error) from error

    def last_seq(self) -> int:
        """Return the ``seq`` of the newest batch; 0 when nothing has landed."""
        self._refresh()
        return self._last

    def batches(self, after: int = 0, upto: int | None = None) -> list[Batch]:
        """Return the batches with ``after < seq <= upto``, in order."""
        self._refresh()
        with self._state:
            last = self._last if upto is None else min(upto, self._last)
            found = [
                batch
                for page in self._checkpoint.pages
                if page.last_seq > after and page.first_seq <= last
                for batch in self._page(page)
                if after < batch.seq <= last
            ]
            for entry in self._tail[
                max(0, after - self._checkpoint.upto) : max(0, last - self._checkpoint.upto)
            ]:
                if isinstance(entry, _Damaged):
                    raise _entry_error(self._store.address(_entry(entry.seq)), entry.seq)
                found.append(entry)
            return found

    def files(self, after: int = 0, upto: int | None = None) -> list[LandedFile]:
        """Return the files that hold the batches with ``after < seq <= upto``, in order."""
        files = []
        for path, group in groupby(self.batches(after, upto), key=lambda batch: batch.path):
            batches = list(group)
            streams: dict[str, int] = {}
            for batch in batches:
                for stream, rows in batch.streams.items():
                    streams[stream] = streams.get(stream, 0) + rows
            files.append(
                LandedFile(
                    first_seq=batches[0].seq,
                    last_seq=batches[-1].seq,
                    path=self._store.address(path),
                    rows=sum(batch.rows for batch in batches),
                    streams=streams,
                ),
            )
        return files

    def read(
        self, source: str, stream: str, after: int = 0, upto: int | None = None
    ) -> Iterator[LandedRecord]:
        """Yield one stream's records with ``after < seq <= upto``, in the order of the log.

        Raises ``LandingError`` at a file that is missing or damaged; files without rows of the stream are not
        opened.
        """
        wanted = [batch for batch in self.batches(after, upto) if f"{source}/{stream}" in batch.streams]
        for path, group in groupby(wanted, key=lambda batch: batch.path):
            seqs = {batch.seq for batch in group}
            with _reading(self._store.address(path), min(seqs)), self._store.open(path) as file:
                for record in decode(file, source, stream):
                    if record.seq in seqs:
                        yield record

    def verify(self, seq: int) -> int:
        """Read one batch whole and return its rows; ``LandingError`` when file and entry don't agree."""
        [batch] = self.batches(seq - 1, seq)
        with _reading(self._store.address(batch.path), seq), self._store.open(batch.path) as file:
            found = counts(file, seq)
            if found != batch.streams:
                raise ValueError("the rows are not those of the manifest's entry")
        return batch.rows

    def repair(self, seq: int) -> Batch:
        """Make a damaged manifest entry anew from its Parquet file, which names itself."""
        try:
            with self._store.exclusively():
                folder = _folder(seq)
                [name] = [name for name in self._store.names(folder) if name.startswith(f"{seq:012d}-")]
                path = f"{folder}/{name}"
                with self._store.open(path) as file:
                    label, streams = label_of(file), counts(file, seq)
                size = len(self._store.read(path))
                batch = Batch(seq, label.name, path, sum(streams.values()), size, streams, label.landed_at)
                self._store.replace(_entry(seq), msgspec.json.encode(batch))
        except (OSError, ValueError, KeyError, pa.ArrowException, msgspec.MsgspecError) as error:
            raise LandingError(
                f"entry {seq} can't be made anew from a file in {self._store.address(_folder(seq))}: "
                f"{type(error).__name__}",
                "restore the Parquet file or the entry from a backup",
            ) from error
        return batch

    @property
    def _last(self) -> int:
        return self._checkpoint.upto + len(self._tail)

    def _append(self, name: str, records: Sequence[Record]) -> Batch:
        self._refresh()
        if landed := self._landed(name):
            return landed
        # Written out before the lock is held: almost always nobody else takes this seq meanwhile.
        label, content = self._draft(self._last + 1, name, records)
        with self._store.exclusively() as alone:
            while True:
                self._refresh()
                if landed := self._landed(name):
                    return landed
                if label.seq != self._last + 1:
                    label, content = self._draft(self._last + 1, name, records)
                if alone:
                    self._remove_strays(label.seq)
                batch = self._commit(label, content, records)
                if batch is not None:
                    break
            if not alone:
                self._remove_strays(batch.seq, but=batch.path)
            self._refresh()
            self._extend_checkpoint()
        return batch

    def _draft(self, seq: int, name: str, records: Sequence[Record]) -> tuple[Label, bytes]:
        label = Label(seq, name, self._clock.now())
        return label, encode(label, records)

    def _commit(self, label: Label, content: bytes, records: Sequence[Record]) -> Batch | None:
        """Put the file, then its entry; None when another writer took the ``seq`` in between."""
        streams: dict[str, int] = {}
        for record in records:
            key = f"{record.source}/{record.stream}"
            streams[key] = streams.get(key, 0) + 1
        path = f"{_folder(label.seq)}/{label.seq:012d}-{secrets.token_hex(4)}.parquet"
        batch = Batch(label.seq, label.name, path, len(records), len(content), streams, label.landed_at)
        self._store.replace(path, content)
        if self._store.create(_entry(label.seq), msgspec.json.encode(batch)):
            return batch
        # A put that was answered with a time-out and sent again by the client finds its own entry.
        taken_by = self._entry_at(label.seq)
        if isinstance(taken_by, Batch) and taken_by.path == path:
            return batch
        self._store.remove(path)
        return None

    def _remove_strays(self, seq: int, but: str = "") -> None:
        """Remove the files of writers that died, or lost, before they had the entry of this ``seq``."""
        folder = _folder(seq)
        for name in self._store.names(folder):
            path = f"{folder}/{name}"
            if name.startswith(f"{seq:012d}-") and path != but:
                self._store.remove(path)

    def _landed(self, name: str) -> Batch | None:
        with self._state:
            for page in self._checkpoint.pages:
                self._page(page)
            return self._names.get(name)

    def _refresh(self) -> None:
        """Take in what others have landed since the last look."""
        with self._state:
            self._reload_checkpoint()
            fresh: list[Batch | _Damaged] = []
            while (entry := self._entry_at(self._last + len(fresh) + 1)) is not None:
                fresh.append(entry)
            if fresh:
                # A writer may have died between making an entry and syncing it: what is shown must stay.
                self._store.settle("manifest")
            self._take(fresh)
            for seq in [*self._damaged]:
                # Someone may have mended it since.
                if isinstance(mended := self._entry_at(seq), Batch):
                    self._tail[seq - self._checkpoint.upto - 1] = mended
                    self._names[mended.name] = mended
                    self._damaged.remove(seq)

    def _take(self, entries: Sequence[Batch | _Damaged]) -> None:
        self._tail.extend(entries)
        self._names.update({entry.name: entry for entry in entries if isinstance(entry, Batch)})
        self._damaged.update(entry.seq for entry in entries if isinstance(entry, _Damaged))

    def _entry_at(self, seq: int) -> Batch | _Damaged | None:
        try:
            entry = msgspec.json.decode(self._store.read(_entry(seq)), type=Batch)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            return _Damaged(seq)
        return entry if entry.seq == seq else _Damaged(seq)

    def _reload_checkpoint(self) -> None:
        version = self._store.version(_CHECKPOINT)
        if version == self._version:
            return
        newer = _Checkpoint() if version is None else self._decoded(_CHECKPOINT, _Checkpoint)
        tail = self._tail[newer.upto - self._checkpoint.upto :] if newer.upto >= self._checkpoint.upto else []
        self._checkpoint, self._version = newer, version
        self._tail, self._damaged = [], set()
        self._take(tail)

    def _page(self, page: _Page) -> list[Batch]:
        if page.path not in self._pages:
            batches = self._decoded(page.path, list[Batch])
            self._pages[page.path] = batches
            self._names.update({batch.name: batch for batch in batches})
        return self._pages[page.path]

    def _decoded(self, path: str, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(self._store.read(path), type=kind)
        except (msgspec.DecodeError, FileNotFoundError) as error:
            raise LandingError(
                f"{self._store.address(path)} is missing or damaged: {type(error).__name__}",
                f"restore it from a backup, or delete {self._store.address(_CHECKPOINT)}: "
                "the next append makes both anew from the entries beside it",
            ) from error

    def _extend_checkpoint(self) -> None:
        """Move full thousands of entries into pages.

        The batch has landed by now, so a failure here is left to the next append.
        """
        with self._state:
            upto, pages, tail = self._checkpoint.upto, list(self._checkpoint.pages), list(self._tail)
        try:
            while len(tail) >= _PAGE:
                entries, tail = tail[:_PAGE], tail[_PAGE:]
                if any(isinstance(entry, _Damaged) for entry in entries):
                    break
                page = _Page(
                    upto + 1, upto + _PAGE, f"manifest/pages/{upto + 1:012d}-{upto + _PAGE:012d}.json"
                )
                self._store.replace(page.path, msgspec.json.encode(entries))
                pages.append(page)
                upto = page.last_seq
            if upto > self._checkpoint.upto:
                self._store.replace(_CHECKPOINT, msgspec.json.encode(_Checkpoint(upto, tuple(pages))))
        except OSError as error:
            _log.warning(
                "the landing checkpoint could not be written (%s); the next append tries again", error
            )


@contextmanager
def _reading(address: str, seq: int) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, pa.ArrowException, msgspec.MsgspecError) as error:
        raise LandingError(
            f"the landing file {address} (seq {seq}) is missing or damaged: {type(error).__name__}",
            "restore that file from a backup; all others can be read and new batches land meanwhile",
        ) from error


def _folder(seq: int) -> str:
    """Return the folder of a batch's file; a thousand to a folder, so that one can be listed."""
    return f"batches/{seq // 1_000:09d}"


def _entry(seq: int) -> str:
    return f"manifest/{seq:012d}.json"


def _entry_error(address: str, seq: int) -> LandingError:
    return LandingError(
        f"the manifest entry {address} is damaged; batches before it can be read and new ones land meanwhile",
        "restore it from a backup, or make it anew: "
        f"python -m extractors.landing.inspect <root> --repair {seq}",
    )
