"""The ordered log: batches that take the next ``seq`` and become visible in that order.

``batches/`` holds one Parquet file a batch; its entry in the manifest makes it part of the log
(``docs/landing.md``). Readers trust the manifest and never look into folders.
"""

import contextlib
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

import pyarrow as pa

from extractors.landing.batch_file import Label, counts, decode, encode, labels_of
from extractors.landing.batches import Batch, LandedFile, by_file, folder_of, total
from extractors.landing.disk_errors import landing_error, reading
from extractors.landing.manifest import Manifest
from extractors.landing.records import LandedRecord, Record
from extractors.landing.rewrites import Rewrite, Rewrites
from extractors.landing.rewriting import Change, Rewriting
from extractors.landing.store import store_of
from perennial.clock import Clock, WallClock
from perennial.errors import LandingError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,299}")


class LandingLog:
    """The log at a path or fsspec URL; several threads and processes may read and append at a time.

    What any method has shown is durable and stays. A reader of an old state only looks for entries after it.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._store = store_of(url)
        self._manifest = Manifest(self._store, Batch, "manifest", "--repair")
        self._rewrites = Rewrites(self._store)
        self._rewriting = Rewriting(self._store, self._rewrites, self.batches)
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
        """Return the batches with ``after < seq <= upto``, in order, each with the file that holds it now."""
        self._manifest.refresh()
        self._rewrites.refresh()
        return self._rewrites.placed(self._manifest.entries(after, upto))

    def files(self, after: int = 0, upto: int | None = None) -> list[LandedFile]:
        """Return the files that hold the batches with ``after < seq <= upto``, in order."""
        return [self._file(path, batches) for path, batches in by_file(self.batches(after, upto))]

    def read(
        self,
        source: str,
        stream: str,
        after: int = 0,
        upto: int | None = None,
        *,
        seqs: Collection[int] | None = None,
    ) -> Iterator[LandedRecord]:
        """Yield one stream's records with ``after < seq <= upto``, in the order of the log; of ``seqs`` alone if told.

        Raises ``LandingError`` at a file that is missing or damaged; files without rows of the stream are not
        opened. A file that is replaced and removed meanwhile is left for the one that took its place.
        """
        done = (after, 0)
        while True:
            wanted = [
                batch
                for batch in self.batches(done[0] - bool(done[1]), upto)
                if f"{source}/{stream}" in batch.streams and (seqs is None or batch.seq in seqs)
            ]
            for path, batches in by_file(wanted):
                try:
                    for record in self._records(path, batches, source, stream):
                        if (record.seq, record.row_no) > done:
                            done = (record.seq, record.row_no)
                            yield record
                except LandingError:
                    if self._is_there(batches):
                        raise
                    break
            else:
                return

    def rewrites(self, after: int = 0) -> list[Rewrite]:
        """Return the rewrites whose number is beyond ``after``, in order: which ranges have other files now."""
        self._rewrites.refresh()
        return self._rewrites.after(after)

    def rewrite(
        self, first_seq: int, last_seq: int, change: Change, *, keep_old_for: timedelta
    ) -> Rewrite | None:
        """Put one new file in the place of those that hold ``first_seq`` to ``last_seq``, in one atomic step.

        ``change`` gets the rows some at a time, in the columns of ``batch_file.SCHEMA``, and returns as many in the
        same order; it may change the texts of ``source_key, headers, request, payload``. A file that reaches
        beyond the range is rewritten whole. None, and nothing done, when one file would be what it is.

        Readers that have a path may use it for ``keep_old_for``; the next ``sweep`` after that removes the file.
        With no time at all, every older copy of these rows is gone when this returns. Raises ``LandingError`` when
        it can't be written, and ``ValueError`` for a range that has not landed or a change that breaks its word;
        then the log is as it was.
        """
        try:
            return self._rewriting.rewrite(first_seq, last_seq, change, keep_old_for)
        except OSError as error:
            raise landing_error(f"batches {first_seq} to {last_seq} could not be rewritten", error) from error

    def sweep(self) -> int:
        """Remove replaced files whose time is over, and files that no entry will ever name; return how many.

        Call it after a rewrite with no time to keep: it ends what a crash in the middle of one has left.
        """
        try:
            return self._rewriting.sweep()
        except OSError as error:
            raise landing_error("replaced landing files could not be removed", error) from error

    def verify(self) -> Iterator[LandedFile | LandingError]:
        """Read every file whole; yields each file whose rows are those of its entries, and else what is wrong."""
        seq, last = 1, self.last_seq()
        while seq <= last:
            at, seq = seq, seq + 1
            found: LandedFile | LandingError
            try:
                batches = self._of_one_file(at)
                seq = batches[-1].seq + 1
                found = self._verified(batches)
            except LandingError as error:
                found = error
            yield found

    def repair(self, seq: int) -> Batch:
        """Make a damaged manifest entry anew from its Parquet file, which says what is in it."""
        folder = folder_of(seq)
        try:
            self._rewrites.refresh()
            with self._store.exclusively():
                if moved := self._rewrites.holding(seq):
                    path = moved.path
                else:
                    [name] = [name for name in self._store.names(folder) if name.startswith(f"{seq:012d}-")]
                    path = f"{folder}/{name}"
                with self._store.open(path) as file:
                    labels, held = labels_of(file), counts(file)
                [label] = [label for label in labels if label.seq == seq]
                rows = sum(held[seq].values())
                # What it took when it landed is lost with the file of then: its share of the present one.
                size = len(self._store.read(path)) * rows // sum(sum(some.values()) for some in held.values())
                batch = Batch(seq, label.name, path, rows, size, held[seq], label.landed_at)
                self._manifest.mend(batch)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise _beyond_repair(f"entry {seq}", self._store.address(folder), error) from error
        return batch

    def repair_rewrite(self, number: int) -> Rewrite:
        """Make a damaged entry of a rewrite anew from its Parquet file."""
        try:
            return self._rewriting.repair(number)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise _beyond_repair(f"rewrite {number}", self._store.address("batches"), error) from error

    def _file(self, path: str, batches: Sequence[Batch]) -> LandedFile:
        moved = self._rewrites.holding(batches[0].seq)
        return LandedFile(
            first_seq=batches[0].seq,
            last_seq=batches[-1].seq,
            path=self._store.address(path),
            rows=sum(batch.rows for batch in batches),
            bytes=moved.bytes if moved else sum(batch.bytes for batch in batches),
            streams=total(batch.streams for batch in batches),
        )

    def _of_one_file(self, seq: int) -> list[Batch]:
        """Return a batch and those after it in its file; it alone where the entry of one of those is damaged."""
        self._rewrites.refresh()
        moved = self._rewrites.holding(seq)
        if moved is not None:
            with contextlib.suppress(LandingError):
                return self.batches(seq - 1, moved.last_seq)
        return self.batches(seq - 1, seq)

    def _verified(self, batches: Sequence[Batch]) -> LandedFile:
        path = batches[0].path
        with reading(self._store.address(path), batches[0].seq):
            with self._store.open(path) as file:
                held = counts(file)
            if any(held.get(batch.seq) != batch.streams for batch in batches):
                raise ValueError("the rows are not those of the manifest's entries")
        return self._file(path, batches)

    def _records(
        self, path: str, batches: Sequence[Batch], source: str, stream: str
    ) -> Iterator[LandedRecord]:
        seqs = {batch.seq for batch in batches}
        with reading(self._store.address(path), batches[0].seq), self._store.open(path) as file:
            yield from decode(file, source, stream, seqs)

    def _is_there(self, batches: Sequence[Batch]) -> bool:
        """Tell whether batches still lie where they lay."""
        return self.batches(batches[0].seq - 1, batches[0].seq)[0].path == batches[0].path

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
        path = f"{folder_of(label.seq)}/{label.seq:012d}-{secrets.token_hex(4)}.parquet"
        streams = total({f"{record.source}/{record.stream}": 1} for record in records)
        batch = Batch(label.seq, label.name, path, len(records), len(content), streams, label.landed_at)
        self._store.replace(path, content)
        if self._manifest.add(batch):
            return batch
        self._store.remove(path)
        return None

    def _remove_strays(self, seq: int, but: str = "") -> None:
        """Remove the files of writers that died, or lost, before they had the entry of this ``seq``."""
        folder = folder_of(seq)
        for name in self._store.names(folder):
            path = f"{folder}/{name}"
            if name.startswith(f"{seq:012d}-") and path != but:
                self._store.remove(path)


def _beyond_repair(what: str, address: str, error: Exception) -> LandingError:
    return LandingError(
        f"{what} can't be made anew from a file in {address}: {type(error).__name__}",
        "restore the Parquet file or the entry from a backup",
    )
