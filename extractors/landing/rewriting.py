"""Rewriting landed files: the one way in which what has landed is ever written again.

Compaction (many small files become one) and erasure (a person's text goes) both stand on it. Rows are never
removed or moved: each keeps its ``seq``, its ``row_no`` and its place, so that counts and cursors hold.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from extractors.landing.batch_file import SCHEMA, Label, encode_several, note_of, pieces
from extractors.landing.batches import Batch, by_file, folder_of
from extractors.landing.disk_errors import reading
from extractors.landing.rewrites import Rewrite, Rewrites
from extractors.landing.store import Store
from perennial.clock import WallClock
from perennial.errors import LandingError

Change = Callable[[pa.Table], pa.Table]
BatchesIn = Callable[[int, int | None], Sequence[Batch]]

_MAY_CHANGE = ("source_key", "headers", "request", "payload")
_FIXED = [name for name in SCHEMA.names if name not in _MAY_CHANGE]
_LANDED = re.compile(r"(?P<seq>\d{12})-[0-9a-f]{8}\.parquet")
_REWRITTEN = re.compile(r"(?P<first>\d{12})-(?P<last>\d{12})-r(?P<number>\d{6,})-[0-9a-f]{8}\.parquet")


@dataclass(frozen=True, slots=True)
class Note:
    """What a file that replaced others says of that, so that a lost entry can be made anew from it."""

    replaced: tuple[str, ...]
    removable_at: datetime


@dataclass(frozen=True, slots=True)
class _Draft:
    first_seq: int
    last_seq: int
    note: Note
    content: bytes


class Rewriting:
    """Replaces the files of one log; several threads and processes may, beside those that append and read.

    ``batches`` gives the log's batches of a range where they lie now, and looks anew at every call.
    """

    def __init__(self, store: Store, rewrites: Rewrites, batches: BatchesIn) -> None:
        self._store = store
        self._rewrites = rewrites
        self._batches = batches

    def rewrite(
        self, first_seq: int, last_seq: int, change: Change, keep_old_for: timedelta
    ) -> Rewrite | None:
        """Put one new file in the place of those that hold a range; None when it would be what is there.

        A file that reaches beyond the range is replaced whole. Raises ``OSError``, ``LandingError``.
        """
        draft: _Draft | None = None
        while True:
            old = self._files(first_seq, last_seq)
            if draft is None or draft.note.replaced != tuple(old):
                try:
                    draft = self._draft(old, change, keep_old_for)
                except LandingError:
                    # another one may have replaced a file while it was read, and taken it away
                    if self._files(first_seq, last_seq) == old:
                        raise
                    continue
            if draft is None:
                return None
            done = self._commit(draft)
            if done is not None:
                break
        if not keep_old_for:
            retired = self._retired(done.first_seq, done.last_seq)
            near = self._parquet_files(folder_of(done.first_seq), folder_of(done.last_seq))
            self._remove([path for path, _ in near if path in retired])
        return done

    def sweep(self) -> int:
        """Remove replaced files whose time is over, and what writers left that died; return how many.

        Nothing is removed while an entry of the manifest can't be read: its file would look like such a one.
        """
        now = WallClock().now()
        with self._store.exclusively() as alone:
            self._rewrites.refresh()
            number = self._rewrites.last  # before the batches: a file of a later one is nobody's stray
            batches = self._batches(0, None)
            newest = batches[-1].seq if batches else 0
            used, retired = {batch.path for batch in batches}, self._retired()
            gone = [
                path
                for path, name in self._parquet_files()
                if path not in used
                and (retired[path] <= now if path in retired else alone or _is_dead(name, newest, number))
            ]
            self._remove(gone)
        return len(gone)

    def repair(self, number: int) -> Rewrite:
        """Make a damaged entry anew from its file, which says what it replaced. Raises ``ValueError``, ``OSError``."""
        with self._store.exclusively():
            [(path, found)] = [
                (path, match)
                for path, name in self._parquet_files()
                if (match := _REWRITTEN.fullmatch(name)) and int(match["number"]) == number
            ]
            with self._store.open(path) as file:
                note = note_of(file, Note)
            size = len(self._store.read(path))
            first, last = int(found["first"]), int(found["last"])
            rewrite = Rewrite(number, path, first, last, size, note.replaced, note.removable_at)
            self._rewrites.mend(rewrite)
        return rewrite

    def _files(self, first_seq: int, last_seq: int) -> dict[str, Sequence[Batch]]:
        """Return the files that hold a range now, each whole."""
        self._rewrites.refresh()
        first, last = self._rewrites.holding(first_seq), self._rewrites.holding(last_seq)
        batches = self._batches(
            (first.first_seq if first else first_seq) - 1, last.last_seq if last else last_seq
        )
        if not 1 <= first_seq <= last_seq or not batches or batches[-1].seq < last_seq:
            raise ValueError(f"the batches {first_seq} to {last_seq} have not all landed")
        return dict(by_file(batches))

    def _draft(
        self, old: dict[str, Sequence[Batch]], change: Change, keep_old_for: timedelta
    ) -> _Draft | None:
        # The age of a file is the machine's: what reads the old files runs by that, whatever clock the data has.
        note = Note(tuple(old), WallClock().now() + keep_old_for)
        batches = [batch for held in old.values() for batch in held]
        labels = [Label(batch.seq, batch.name, batch.landed_at) for batch in batches]
        checked = _Checked(change)
        read = (piece for path, held in old.items() for piece in self._pieces(path, held[0].seq))
        content = encode_several(labels, note, map(checked, read))
        if checked.rows != sum(batch.rows for batch in batches):
            raise ValueError("the rows are not those of the manifest's entries")
        if len(old) == 1 and not checked.changed:
            return None
        return _Draft(batches[0].seq, batches[-1].seq, note, content)

    def _pieces(self, path: str, seq: int) -> Iterator[pa.Table]:
        with reading(self._store.address(path), seq), self._store.open(path) as file:
            yield from pieces(file)

    def _commit(self, draft: _Draft) -> Rewrite | None:
        """Put the file, then its entry; None when another rewrite came in between."""
        with self._store.exclusively():
            if tuple(self._files(draft.first_seq, draft.last_seq)) != draft.note.replaced:
                return None
            number = self._rewrites.last + 1
            name = (
                f"{draft.first_seq:012d}-{draft.last_seq:012d}-r{number:06d}-{secrets.token_hex(4)}.parquet"
            )
            path = f"{folder_of(draft.first_seq)}/{name}"
            self._store.replace(path, draft.content)
            rewrite = Rewrite(
                seq=number,
                path=path,
                first_seq=draft.first_seq,
                last_seq=draft.last_seq,
                bytes=len(draft.content),
                replaced=draft.note.replaced,
                removable_at=draft.note.removable_at,
            )
            if not self._rewrites.add(rewrite):
                self._store.remove(path)
                return None
            self._rewrites.refresh()
            self._rewrites.extend_checkpoint()
        return rewrite

    def _retired(self, first_seq: int = 1, last_seq: int | None = None) -> dict[str, datetime]:
        """Return what rewrites have replaced, and when the first of those that met it since lets it go."""
        every = [one for one in self._rewrites.after(0) if one.overlaps(first_seq, last_seq or one.last_seq)]
        return {
            path: min(
                later.removable_at for later in every[at:] if later.overlaps(one.first_seq, one.last_seq)
            )
            for at, one in enumerate(every)
            for path in one.replaced
        }

    def _parquet_files(self, first_folder: str = "", last_folder: str = "~") -> Iterator[tuple[str, str]]:
        """Yield path and name of every file that an append or a rewrite has made."""
        for folder in self._store.names("batches"):
            if first_folder <= f"batches/{folder}" <= last_folder:
                for name in self._store.names(f"batches/{folder}"):
                    if _LANDED.fullmatch(name) or _REWRITTEN.fullmatch(name):
                        yield f"batches/{folder}/{name}", name

    def _remove(self, paths: Sequence[str]) -> None:
        """Remove files for good: a power cut must not bring back what an erasure took."""
        for path in paths:
            self._store.remove(path)
        for folder in sorted({path.rpartition("/")[0] for path in paths}):
            self._store.settle(folder)


class _Checked:
    """A change, held to its promise: rows stay what and where they are, but for their texts."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self.rows = 0
        self.changed = False

    def __call__(self, before: pa.Table) -> pa.Table:
        after = self._change(before).select(SCHEMA.names)
        if any(after[name].null_count for name in SCHEMA.names if not SCHEMA.field(name).nullable):
            raise ValueError("a rewrite may empty a text, and not leave it out")
        after = after.cast(SCHEMA)
        if any(not after[name].equals(before[name]) for name in _FIXED):
            raise ValueError(f"a rewrite may change {', '.join(_MAY_CHANGE)} of a row, and nothing else")
        self.rows += after.num_rows
        self.changed = self.changed or not after.equals(before)
        return after


def _is_dead(name: str, newest: int, number: int) -> bool:
    """Tell whether what is in no entry can't get one any more: its place is taken."""
    if found := _LANDED.fullmatch(name):
        return int(found["seq"]) <= newest
    found = _REWRITTEN.fullmatch(name)
    return found is not None and int(found["number"]) <= number
