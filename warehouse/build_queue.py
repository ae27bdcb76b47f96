"""Requests for builds, worked off one at a time, the urgent ones first."""

import queue
from dataclasses import dataclass, field
from itertools import count

from warehouse.report import BuildReport, Lane, OnNode

_URGENCY: dict[Lane, int] = {"hot": 0, "scheduled": 1}
Answer = BuildReport | BaseException


@dataclass(order=True, slots=True)
class BuildRequest:
    """Somebody waits for a build."""

    urgency: int
    number: int
    lane: Lane = field(compare=False)
    on_node: OnNode = field(compare=False)
    answer: "queue.SimpleQueue[Answer]" = field(compare=False)


class BuildQueue:
    """What is waiting to be built; any thread asks, one thread works it off."""

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: queue.PriorityQueue[BuildRequest] = queue.PriorityQueue()
        self._numbers = count()

    def ask(self, lane: Lane, on_node: OnNode) -> Answer:
        """Wait for a build and return its report, or the error that kept it from running."""
        request = BuildRequest(_URGENCY[lane], next(self._numbers), lane, on_node, queue.SimpleQueue())
        self._waiting.put(request)
        return request.answer.get()

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return self._waiting.empty()

    def next(self, seconds: float) -> BuildRequest | None:
        """Return the most urgent request; None when none came in time."""
        try:
            return self._waiting.get(timeout=seconds)
        except queue.Empty:
            return None
