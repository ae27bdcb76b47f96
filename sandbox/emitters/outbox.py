"""Knows what was emitted: every emission once (and again after a failure), in the order of time."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.emitters.delivery import Outcome, deliver, send_once
from sandbox.emitters.signing import Manner
from sandbox.world.world import Emission, World


@dataclass(frozen=True)
class Mess:
    """What goes wrong on the way, on demand: each emission ``copies`` times, the order of all shuffled."""

    copies: int = 1
    shuffled: bool = False


@dataclass
class Outbox:
    """The emissions of a world and how far they are sent; the place is kept in a file."""

    world: World
    path: Path
    receiver: str
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def sent(self) -> int:
        """The number of the last emission that was sent."""
        if not self.path.exists():
            return 0
        state = json.loads(self.path.read_text(encoding="utf-8"))
        return int(state["sent"]) if state["world"] == self.world.spec.key else 0

    def _move(self, sent: int) -> None:
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps({"world": self.world.spec.key, "sent": sent}), encoding="utf-8")
        draft.replace(self.path)

    def due(self, now: int) -> list[Emission]:
        """Return what the clock has passed and was not sent, in the order of time.

        What OMNI writes to Klaviyo only is read there, and never sent to us.
        """
        return [
            one for one in self.world.emissions[self.sent :] if one.due <= now and one.vendor != "klaviyo"
        ]

    async def emit(self, now: int, mess: Mess) -> Outcome:
        """Send what is due; after a failure the next call begins at the first that failed."""
        async with self._lock:
            waiting = self.due(now)
            if not waiting:
                return Outcome()
            sending = [one for one in waiting for _ in range(mess.copies)]
            if mess.shuffled:
                random.Random(now).shuffle(sending)
            outcome = await asyncio.to_thread(deliver, self.receiver, sending)
            self._move(min(outcome.failed) - 1 if outcome.failed else waiting[-1].number)
            return outcome

    async def send_again(self, vendor: str, manner: Manner, count: int) -> list[int]:
        """Send the last ``count`` emissions of a vendor again, in some manner; return the statuses.

        Before anything of the vendor was sent, its first ones are taken.
        """
        of_vendor = [one for one in self.world.emissions if one.vendor == vendor]
        sent = [one for one in of_vendor if one.number <= self.sent]
        chosen = sent[-count:] or of_vendor[:count]
        return [await asyncio.to_thread(send_once, self.receiver, one, manner) for one in chosen]
