"""Turns journal segments into batches of the log, each exactly once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from extractors.landing.batches import Batch
from extractors.landing.frames import recover
from extractors.landing.journal import Journal, decode_record
from extractors.landing.log import LandingLog
from extractors.landing.segments import Segment, dead_receivers
from perennial.errors import LandingError

_log = logging.getLogger(__name__)


def seal(segment: Segment, log: LandingLog) -> Batch | None:
    """Land a finished segment, then remove it; None where it held nothing whole.

    The batch is named from the segment, so that sealing again after a crash in between lands nothing twice.
    A torn tail is cut: it was never acknowledged. A segment with damage inside lands what can be read and is
    kept.
    """
    try:
        found = recover(segment.path.read_bytes())
    except FileNotFoundError:  # sealed already: a segment is removed only then
        return None
    records = []
    unreadable = found.damaged
    for content in found.contents:
        try:
            records.append(decode_record(content))
        except ValueError:
            unreadable += len(content)
    batch = log.append(segment.batch_name, records) if records else None
    if unreadable:
        kept = segment.path.with_suffix(".damaged")
        segment.path.rename(kept)
        _log.error("%s: %d bytes can't be read; the rest of it landed and the file is kept", kept, unreadable)
    else:
        segment.path.unlink()
    return batch


def seal_orphans(root: Path, log: LandingLog) -> list[Batch]:
    """Land what dead receivers left behind; a live receiver's segments are its own."""
    with dead_receivers(root) as receivers:
        batches = [seal(segment, log) for segments in receivers for segment in segments]
    return [batch for batch in batches if batch is not None]


class Sealer:
    """Seals one receiver's segments while it runs, and at intervals those of receivers that died.

    ``on_batch`` is told of what landed, ``on_look`` after each look what stands in the way, if anything does.
    A segment is sealed at most ``every`` seconds after its first record, or when it is full. While the log
    can't be written the segments stay, and the receiver goes on acknowledging.
    """

    def __init__(  # noqa: PLR0913 -- what it works on, and whom it tells
        self,
        journal: Journal,
        root: Path,
        log: LandingLog,
        *,
        every: float = 0.25,
        on_batch: Callable[[Batch], None] = lambda _: None,
        on_look: Callable[[Exception | None], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._root = root
        self._log = log
        self._every = every
        self._orphans_every = 20 * every
        self._on_batch = on_batch
        self._on_look = on_look
        self.problem: LandingError | OSError | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Seal until ``stop`` is set, and once more after it."""
        looked_for_orphans = float("-inf")
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            if loop.time() - looked_for_orphans >= self._orphans_every:
                looked_for_orphans = loop.time()
                await self._guarded(self._seal_orphans)
            await self._guarded(self._seal_own)
            self._on_look(self.problem)
            await self._pause(stop)
        await self._guarded(self._seal_own)

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self._journal.segment_full.wait())]
        await asyncio.wait(waits, timeout=self._every, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _seal_own(self) -> None:
        for segment in await self._journal.rotate():
            batch = await asyncio.to_thread(seal, segment, self._log)
            self._journal.forget(segment)
            if batch is not None:
                self._on_batch(batch)

    async def _seal_orphans(self) -> None:
        for batch in await asyncio.to_thread(seal_orphans, self._root, self._log):
            self._on_batch(batch)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (LandingError, OSError) as error:
            if str(error) != str(self.problem):  # once, not every time
                _log.error("sealing waits: %s", error)
            self.problem = error
        else:
            self.problem = None
