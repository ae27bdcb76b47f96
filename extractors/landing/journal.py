"""The journal that a receiver acknowledges from: an append returns once its record is on the disk."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from extractors.landing.disk_errors import landing_error
from extractors.landing.frames import framed
from extractors.landing.records import Record
from extractors.landing.segments import Segment, SegmentWriter
from perennial.errors import LandingError

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


class JournalFullError(LandingError):
    """More waits for the disk than may be held in memory."""


class Journal:
    """One receiver process's journal; for one event loop.

    Group commit: while one group is being synced the next one gathers, so that a sync of a few milliseconds
    serves everyone who came meanwhile. What waits is bounded by ``max_waiting_bytes``; a segment ends at
    ``segment_records`` or ``segment_bytes``, or when ``rotate`` is called.
    """

    def __init__(
        self,
        root: Path,
        *,
        max_waiting_bytes: int = 32 * 1024 * 1024,
        segment_records: int = 5_000,
        segment_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        try:
            self._writer = SegmentWriter(root)
        except OSError as error:
            raise landing_error("the receiver's journal can't be opened", error) from error
        self._max_waiting_bytes = max_waiting_bytes
        self._segment_records = segment_records
        self._segment_bytes = segment_bytes
        self._waiting: list[tuple[list[bytes], asyncio.Future[None]]] = []
        self._busy = asyncio.Lock()
        self._flushing: asyncio.Task[None] | None = None
        self.waiting_bytes = 0
        self.segment_full = asyncio.Event()

    @property
    def receiver(self) -> str:
        """Return the id of this receiver process."""
        return self._writer.receiver

    async def append(self, records: Sequence[Record]) -> None:
        """Keep records; they survive a power cut once this returns.

        Raises ``JournalFullError`` when too much waits, ``LandingError`` when the disk refused; then none of
        them was acknowledged.
        """
        if not records:
            return
        frames = [framed(_encoder.encode(record)) for record in records]
        size = sum(len(frame) for frame in frames)
        if self.waiting_bytes + size > self._max_waiting_bytes:
            raise JournalFullError(
                "more payloads wait for the disk than may be held in memory",
                "send again in a second; if it lasts, the disk under PERENNIAL_HOME is too slow or stuck",
            )
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((frames, done))
        self.waiting_bytes += size
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def rotate(self) -> list[Segment]:
        """End the open segment; return the finished ones that ``forget`` was not told of, oldest first."""
        async with self._busy:
            await asyncio.to_thread(self._writer.rotate)
            self.segment_full.clear()
            return list(self._writer.finished)

    def forget(self, segment: Segment) -> None:
        """Take note that a segment has been sealed and removed."""
        self._writer.finished.remove(segment)

    async def close(self) -> None:
        """Finish what waits and end the segment; the lock is free afterwards."""
        if self._flushing is not None:
            await self._flushing
        async with self._busy:
            await asyncio.to_thread(self._writer.close)

    async def _flush(self) -> None:
        while self._waiting:
            async with self._busy:
                group, self._waiting = self._waiting, []
                frames = [frame for own, _ in group for frame in own]
                failure = await asyncio.to_thread(self._commit, frames)
            self.waiting_bytes -= sum(len(frame) for frame in frames)
            for _, done in group:
                if done.done():  # the caller has gone; its record is kept all the same
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
            if self._writer.finished:
                self.segment_full.set()

    def _commit(self, frames: list[bytes]) -> LandingError | None:
        try:
            self._writer.write(frames)
        except OSError as error:
            return landing_error("the receiver's journal could not be written", error)
        if self._writer.records >= self._segment_records or self._writer.size >= self._segment_bytes:
            self._writer.rotate()
        return None


def decode_record(content: bytes) -> Record:
    """Return the record that a frame holds."""
    return _decoder.decode(content)
