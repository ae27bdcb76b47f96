"""Collects what will be sent, and makes some of it come twice or late."""

import random
from dataclasses import dataclass, field, replace

import msgspec

from sandbox.world.ids import SECOND
from sandbox.world.world import Emission

SENT_TWICE = 0.03


@dataclass
class Draft:
    """Emissions in the making. ``since`` drops those of the time before the webhooks were connected."""

    since: int
    until: int
    rng: random.Random
    emissions: list[Emission] = field(default_factory=list)

    def add(  # noqa: PLR0913 - an emission has that many parts
        self,
        due: int,
        vendor: str,
        path: str,
        subject: str,
        body: object,
        *,
        topic: str = "",
        signed: int | None = None,
        history: bool = False,
    ) -> None:
        """Send ``body`` as JSON when the clock passes ``due``; ``history`` is sent whatever its age."""
        if (due < self.since and not history) or due > self.until:
            return
        text = msgspec.json.encode(body).decode()
        emission = Emission(0, due, due if signed is None else signed, vendor, path, topic, subject, text)
        self.emissions.append(emission)
        if self.rng.random() < SENT_TWICE:
            again = due + self.rng.randint(5, 400) * SECOND
            if again <= self.until:
                self.emissions.append(replace(emission, due=again))

    def numbered(self) -> list[Emission]:
        """Return everything in the order of sending."""
        ordered = sorted(
            self.emissions, key=lambda one: (one.due, one.vendor, one.subject, one.signed, one.body)
        )
        return [replace(one, number=number) for number, one in enumerate(ordered, start=1)]
