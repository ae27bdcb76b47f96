"""The people whose next row may be sent, in the order in which their rows are to go out."""

import asyncio
import heapq

from reverse_etl.claims import Claimed
from reverse_etl.destinations.base import Batch


class Ready:
    """A queue of people, by the age of their rows. Belongs to one event loop."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str, Claimed]] = []
        self._news = asyncio.Event()
        self._is_over = False

    def put(self, person: str, row: Claimed) -> None:
        """Let a person's next row be sent."""
        heapq.heappush(self._heap, (row.ledger_id, person, row))
        self._news.set()

    def end(self) -> None:
        """Let ``next`` return nobody once nobody is left."""
        self._is_over = True
        self._news.set()

    async def next(self, batch: Batch) -> list[str]:
        """Take out the people of one call, waiting for the first; nobody at the end."""
        while not self._heap:
            if self._is_over:
                return []
            self._news.clear()
            await self._news.wait()
        _, person, row = heapq.heappop(self._heap)
        people = [person]
        if row.goes_alone(batch) or len(self._heap) + 1 < batch.least:
            return people
        while self._heap and len(people) < batch.most and not self._heap[0][2].goes_alone(batch):
            people.append(heapq.heappop(self._heap)[1])
        return people
