"""Delivers emissions to the receiver: in order for each subject, at least once, many at a time."""

import time
import zlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from sandbox.credentials import LOOPBACK
from sandbox.emitters.signing import Manner, headers_for
from sandbox.world.world import Emission

LANES = 16
ATTEMPTS = 5
FIRST_WAIT = 0.1
LONGEST_WAIT = 2.0
LIST_SIZE = 200
PARTNERS = ("storefront", "greeter")
BAD_REQUEST = 400
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

    def add(self, part: "Outcome") -> None:
        """Take in what another lane did."""
        self.delivered.update(part.delivered)
        self.refused.update(part.refused)
        self.failed += part.failed
        self.problem = self.problem or (part.problem if part.failed else "")
        self.requests += part.requests


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


def deliver(receiver: str, emissions: Sequence[Emission]) -> Outcome:
    """Send everything; a lane stops at its first failure, so that its order is kept for the next try.

    A thread and a plain connection a lane: a first emission is thousands of requests, and httpx takes 2 ms of
    processor time for each (its asynchronous pool ten times that), the standard library a tenth of it.
    """
    outcome = Outcome()
    started = time.monotonic()
    waiting = [lane for lane in parcels(emissions) if lane]
    with ThreadPoolExecutor(max_workers=LANES, thread_name_prefix="emitter") as pool:
        for part in pool.map(lambda lane: _run_lane(receiver, lane), waiting):
            outcome.add(part)
    outcome.seconds = time.monotonic() - started
    return outcome


def _run_lane(receiver: str, lane: list[Parcel]) -> Outcome:
    outcome = Outcome()
    with closing(_connect(receiver)) as connection:
        for place, parcel in enumerate(lane):
            if not _send(connection, parcel, outcome):
                outcome.failed += [one.number for rest in lane[place:] for one in rest.emissions]
                break
    return outcome


def _connect(receiver: str) -> HTTPConnection:
    address = urlsplit(receiver)
    return HTTPConnection(address.hostname or LOOPBACK, address.port, timeout=30)


def _post(connection: HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> int:
    """Return the status; a lost connection raises, and the next call opens a new one."""
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException):
        connection.close()
        raise
    return answer.status


def send_once(receiver: str, emission: Emission, manner: Manner) -> int:
    """Send one emission in some manner, without a second try; return the receiver's status."""
    body = emission.body.encode()
    with closing(_connect(receiver)) as connection:
        return _post(connection, emission.path, body, headers_for(emission, body, manner))


def _send(connection: HTTPConnection, parcel: Parcel, outcome: Outcome) -> bool:
    first, body = parcel.emissions[0], parcel.body
    headers = headers_for(first, body)
    wait = FIRST_WAIT
    for attempt in range(ATTEMPTS):
        outcome.requests += 1
        try:
            status = _post(connection, first.path, body, headers)
        except (OSError, HTTPException) as error:
            where = f"{connection.host}:{connection.port}"
            outcome.problem = f"the receiver at {where} does not answer ({type(error).__name__})"
        else:
            if status < BAD_REQUEST:
                outcome.delivered[first.vendor] += len(parcel.emissions)
                return True
            if status < SERVER_ERROR and status != TOO_MANY_REQUESTS:
                outcome.refused[f"{first.vendor} {status}"] += len(parcel.emissions)
                return True
            outcome.problem = f"the receiver answers {status}"
        if attempt < ATTEMPTS - 1:
            time.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)
    return False
