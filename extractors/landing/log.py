"""The ordered log: batches that take the next ``seq`` and become visible in that order.

``batches/`` holds one Parquet file a batch; its entry in the manifest makes it part of the log
(``docs/landing.md``). Readers trust the manifest and never look into folders.
"""

import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import pyarrow as pa

from extractors.landing.batch_file import Label, counts, decode, encode, label_of
from extractors.landing.disk_errors import landing_error
from extractors.landing.manifest import Manifest
from extractors.landing.records import LandedRecord, Record
from extractors.landing.store import store_of
from perennial.clock import Clock, WallClock
from perennial.errors import LandingError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,299}")


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


class LandingLog:
    """The log at a path or fsspec URL; several threads and processes may read and append at a time.

    What any method has shown is durable and stays. A reader of an old state only looks for entries after it.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._store = store_of(url)
        self._manifest = Manifest(self._store, Batch)
        self._clock = clock or WallClock()

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
        self._manifest.refresh()
        return self._manifest.last

    def batches(self, after: int = 0, upto: int | None = None) -> list[Batch]:
        """Return the batches with ``after < seq <= upto``, in order."""
        self._manifest.refresh()
        return self._manifest.entries(after, upto)

    def files(self, after: int = 0, upto: int | None = None) -> list[LandedFile]:
        """Return the files that hold the batches with ``after < seq <= upto``, in order."""
        files = []
        for path, group in groupby(self.batches(after, upto), key=lambda batch: batch.path):
            batches = list(group)
            files.append(
                LandedFile(
                    first_seq=batches[0].seq,
                    last_seq=batches[-1].seq,
                    path=self._store.address(path),
                    rows=sum(batch.rows for batch in batches),
                    streams=_sum(batch.streams for batch in batches),
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
            if counts(file, seq) != batch.streams:
                raise ValueError("the rows are not those of the manifest's entry")
        return batch.rows

    def repair(self, seq: int) -> Batch:
        """Make a damaged manifest entry anew from its Parquet file, which names itself."""
        folder = _folder(seq)
        try:
            with self._store.exclusively():
                [name] = [name for name in self._store.names(folder) if name.startswith(f"{seq:012d}-")]
                path = f"{folder}/{name}"
                with self._store.open(path) as file:
                    label, streams = label_of(file), counts(file, seq)
                size = len(self._store.read(path))
                batch = Batch(seq, label.name, path, sum(streams.values()), size, streams, label.landed_at)
                self._manifest.mend(batch)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise LandingError(
                f"entry {seq} can't be made anew from a file in {self._store.address(folder)}: "
                f"{type(error).__name__}",
                "restore the Parquet file or the entry from a backup",
            ) from error
        return batch

    def _append(self, name: str, records: Sequence[Record]) -> Batch:
        manifest = self._manifest
        manifest.refresh()
        if landed := manifest.find(name):
            return landed
        # Written out before the lock is held: almost always nobody else takes this seq meanwhile.
        label, content = self._draft(manifest.last + 1, name, records)
        with self._store.exclusively() as alone:
            while True:
                manifest.refresh()
                if landed := manifest.find(name):
                    return landed
                if label.seq != manifest.last + 1:
                    label, content = self._draft(manifest.last + 1, name, records)
                if alone:
                    self._remove_strays(label.seq)
                batch = self._commit(label, content, records)
                if batch is not None:
                    break
            if not alone:
                self._remove_strays(batch.seq, but=batch.path)
            manifest.refresh()
            manifest.extend_checkpoint()
        return batch

    def _draft(self, seq: int, name: str, records: Sequence[Record]) -> tuple[Label, bytes]:
        label = Label(seq, name, self._clock.now())
        return label, encode(label, records)

    def _commit(self, label: Label, content: bytes, records: Sequence[Record]) -> Batch | None:
        """Put the file, then its entry; None when another writer took the ``seq`` in between."""
        path = f"{_folder(label.seq)}/{label.seq:012d}-{secrets.token_hex(4)}.parquet"
        streams = _sum({f"{record.source}/{record.stream}": 1} for record in records)
        batch = Batch(label.seq, label.name, path, len(records), len(content), streams, label.landed_at)
        self._store.replace(path, content)
        if self._manifest.add(batch):
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


@contextmanager
def _reading(address: str, seq: int) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LandingError(
            f"the landing file {address} (seq {seq}) is missing or damaged: {type(error).__name__}",
            "restore that file from a backup; all others can be read and new batches land meanwhile",
        ) from error


def _folder(seq: int) -> str:
    """Return the folder of a batch's file; a thousand to a folder, so that one can be listed."""
    return f"batches/{seq // 1_000:09d}"


def _sum(counts_of: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum by ``source/stream``, in the order of first sight."""
    total: Counter[str] = Counter()
    for some in counts_of:
        total.update(some)
    return dict(total)
