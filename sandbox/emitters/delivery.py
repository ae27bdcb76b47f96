"""Delivers emissions to the receiver: in order for each subject, at least once, many at a time."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from sandbox.emitters.signing import Manner, headers_for
from sandbox.world.world import Emission

LANES = 16
ATTEMPTS = 5
FIRST_WAIT = 0.1
LONGEST_WAIT = 2.0
LIST_SIZE = 200
PARTNERS = ("storefront", "greeter")
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


@dataclass(frozen=True)
class Parcel:
    """One request: an emission, or a list of a partner's events."""

    emissions: tuple[Emission, ...]

    @property
    def body(self) -> bytes:
        """The raw body."""
        if len(self.emissions) == 1:
            return self.emissions[0].body.encode()
        return f"[{','.join(emission.body for emission in self.emissions)}]".encode()


@dataclass
class Outcome:
    """How a delivery went: ``refused`` got a 4xx and are not sent again, ``failed`` got no good answer."""

    delivered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)
    problem: str = ""
    requests: int = 0
    seconds: float = 0.0


def parcels(emissions: Sequence[Emission]) -> list[list[Parcel]]:
    """Share the emissions out to lanes; those of one subject stay in one lane, in their order."""
    lanes: list[list[Parcel]] = [[] for _ in range(LANES)]
    lists: dict[str, list[Emission]] = {partner: [] for partner in PARTNERS}
    for emission in emissions:
        if emission.vendor in lists:
            lists[emission.vendor].append(emission)
        else:
            lanes[zlib.crc32(emission.subject.encode()) % LANES].append(Parcel((emission,)))
    for place, events in enumerate(lists.values()):
        for start in range(0, len(events), LIST_SIZE):
            lanes[place].append(Parcel(tuple(events[start : start + LIST_SIZE])))
    return lanes


async def deliver(receiver: str, emissions: Sequence[Emission]) -> Outcome:
    """Send everything; a lane stops at its first failure, so that its order is kept for the next try."""
    outcome = Outcome()
    started = time.monotonic()
    limits = httpx.Limits(max_connections=LANES, max_keepalive_connections=LANES)
    async with httpx.AsyncClient(base_url=receiver, limits=limits, timeout=30, trust_env=False) as client:

        async def run(lane: list[Parcel]) -> None:
            for place, parcel in enumerate(lane):
                if not await _send(client, parcel, outcome):
                    outcome.failed += [one.number for rest in lane[place:] for one in rest.emissions]
                    return

        await asyncio.gather(*(run(lane) for lane in parcels(emissions)))
    outcome.seconds = time.monotonic() - started
    return outcome


async def send_once(receiver: str, emission: Emission, manner: Manner) -> int:
    """Send one emission in some manner, without a second try; return the receiver's status."""
    body = emission.body.encode()
    async with httpx.AsyncClient(base_url=receiver, timeout=30, trust_env=False) as client:
        answer = await client.post(emission.path, content=body, headers=headers_for(emission, body, manner))
    return answer.status_code


async def _send(client: httpx.AsyncClient, parcel: Parcel, outcome: Outcome) -> bool:
    first, body = parcel.emissions[0], parcel.body
    headers = headers_for(first, body)
    wait = FIRST_WAIT
    for attempt in range(ATTEMPTS):
        outcome.requests += 1
        try:
            answer = await client.post(first.path, content=body, headers=headers)
        except httpx.TransportError as error:
            outcome.problem = f"the receiver at {client.base_url} does not answer ({type(error).__name__})"
        else:
            if answer.is_success:
                outcome.delivered[first.vendor] += len(parcel.emissions)
                return True
            if answer.status_code < SERVER_ERROR and answer.status_code != TOO_MANY_REQUESTS:
                outcome.refused[f"{first.vendor} {answer.status_code}"] += len(parcel.emissions)
                return True
            outcome.problem = f"the receiver answers {answer.status_code}"
        if attempt < ATTEMPTS - 1:
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)
    return False
