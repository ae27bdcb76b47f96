"""What a destination is to the push: one small protocol."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from pyrate_limiter import Rate

from reverse_etl.addresses import Channel
from reverse_etl.ledger.rows import Enrollment


class Effect(StrEnum):
    """What a call did at the destination, as far as its answer (or the lack of one) tells."""

    TAKEN = "taken"
    REFUSED = "refused"  # for good: the same call would be refused again
    NONE = "none"  # certainly nothing: it may be made again whatever the destination
    SPLIT = "split"  # nothing: a call of several rows was refused as a whole, and some of them may be fine
    UNKNOWN = "unknown"  # perhaps: made again only where the destination dedupes
    STOP = "stop"  # nothing, and no other call would fare better: credentials, address of the API


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one call. ``reason`` holds no personal data; ``retry_after`` is in seconds.

    ``reached`` is false when there was nobody to talk to, ``is_throttled`` true when it was one call too many.
    ``reference`` is the destination's own id of what it made.
    """

    effect: Effect
    reason: str | None = None
    retry_after: float | None = None
    reached: bool = True
    is_throttled: bool = False
    reference: str | None = None


_LEAST_TO_SHARE = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota of an account: what its calls are counted under, and the rates that are kept ahead of a 429.

    No rates are no limit. A fiftieth of each, and at least one call, is a reserve for what can't wait, addresses that
    were closed; where a rate is below five calls there is none.
    """

    name: str
    rates: tuple[Rate, ...]

    def common(self) -> "Limit":
        """Return what all calls share."""
        return self._of(self.name, lambda calls: calls - _reserved(calls))

    def reserve(self) -> "Limit":
        """Return what is kept for what can't wait."""
        return self._of(f"{self.name}, reserve", _reserved)

    def _of(self, name: str, part: Callable[[int], int]) -> "Limit":
        if any(rate.limit < _LEAST_TO_SHARE for rate in self.rates):
            return self
        return Limit(name, tuple(Rate(part(rate.limit), rate.interval) for rate in self.rates))


def _reserved(calls: int) -> int:
    return max(1, calls // 50)


@dataclass(frozen=True, slots=True)
class Batch:
    """How many rows a call takes at ``most``; where fewer than ``least`` are ready, each goes alone.

    The end of an enrollment shares a call only where a call ``takes_ends``: elsewhere it is told by another kind of
    call, or must not wait.
    """

    most: int = 1
    least: int = 1
    takes_ends: bool = False


ONE = Batch()


class RefusedError(Exception):
    """The destination's contract forbids this enrollment; the text says which rule, and no value."""


class Session(Protocol):
    """An open connection to a destination."""

    async def send(self, bodies: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Make one call with frozen bodies and return an answer for each; raises for nothing that a vendor does.

        The bodies are of as many different people, and no more than ``Destination.batch`` allows. A refusal that is
        not about one row in particular is ``SPLIT``, unless there is only one.
        """
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A destination that can be asked to forget a person."""

    @property
    def name(self) -> str:
        """The word that decisions use for it."""
        ...

    async def forget(self, email: str) -> Answer:
        """Ask it to delete whoever it knows by an e-mail address; asking again does no harm."""
        ...


@runtime_checkable
class Checkable(Protocol):
    """A destination that has a better way to be tried than a call of the push with nothing in it."""

    async def check(self) -> Answer:
        """Make a call that leaves nothing there; the answer's reason says what is known by it."""
        ...


class Destination(Protocol):
    """A system that takes what was decided: a messaging system enrollments, the till orders."""

    @property
    def name(self) -> str:
        """The word that decisions use for it."""
        ...

    @property
    def account(self) -> str:
        """Whose limits are used up: the same text for the same quota, without any secret."""
        ...

    @property
    def dedupes(self) -> bool:
        """Whether the same enrollment sent twice has one effect there."""
        ...

    @property
    def channels(self) -> Collection[Channel]:
        """The channels that it may use; of a row's open channels the others are left out."""
        ...

    @property
    def batch(self) -> Batch:
        """How many rows may share a call."""
        ...

    def limit(self, rows: int, *, is_opt_out: bool = False) -> Limit:
        """Return the quota that a call of so many rows, or of a closed address, counts against."""
        ...

    @property
    def concurrency(self) -> int:
        """The most calls in flight."""
        ...

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the body of the call, a function of its arguments alone; raises ``RefusedError``.

        ``channels`` are those of the row that are open and that this destination may use; there may be none.
        """
        ...

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Open a connection for one run."""
        ...
