"""Calls that keep something equal: ahead of the limits, and made again until the vendor has said something.

Whatever is kept equal may be set twice, so a call whose outcome is unknown is made again like one that had no effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import stamina

from reverse_etl.destinations.base import Answer, Effect, Limit
from reverse_etl.destinations.http import Caller
from reverse_etl.means import Patience
from reverse_etl.rate import Pacer, pacer_of


class StoppedError(Exception):
    """No other call would fare better now: the text says why and what to do, and no value of anybody."""


class UnknownOutcomeError(Exception):
    """A call that was not to be repeated may have had its effect."""


class _TryAgainError(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


@dataclass
class Calls:
    """One account's calls in one run; ``account`` and the limits' names are those that enrollments count under."""

    caller: Caller
    account: str
    patience: Patience
    rates: Path | None = None
    made: int = 0
    _pacers: dict[str, Pacer] = field(default_factory=dict)

    async def make(  # noqa: PLR0913 - a call's parts
        self,
        limits: tuple[Limit, ...],
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        is_repeatable: bool = True,
        may_lack: bool = False,
    ) -> httpx.Response:
        """Make a call and return what the vendor said of it: that it was done, or why it refuses.

        With ``may_lack`` that may be 404, for what the path names is perhaps not there.
        Raises ``StoppedError`` where the vendor can't be used now, and ``UnknownOutcomeError`` where it said nothing
        of a call that is not ``is_repeatable``.
        """
        retries = stamina.retry_context(
            on=_wait_for,
            attempts=self.patience.tries,
            timeout=None,
            wait_initial=self.patience.first_wait,
            wait_max=self.patience.longest_wait,
            wait_jitter=self.patience.first_wait,
        )
        try:
            async for attempt in retries:
                with attempt:
                    said = await self._try(limits, method, path, body, may_lack=may_lack)
                    return self._judge(said, is_repeatable=is_repeatable)
        except _TryAgainError as error:
            raise StoppedError(f"{error.answer.reason}; the rest waits for the next sync") from None
        raise AssertionError("stamina ends with a result or an error")

    async def _try(
        self,
        limits: tuple[Limit, ...],
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        may_lack: bool,
    ) -> Answer | httpx.Response:
        pacers = [self._pacer(limit) for limit in limits]
        for pacer in pacers:
            if not await pacer.permit(self.patience.longest_pause):
                raise StoppedError("its rate limit is used up; the rest waits for the next sync")
        said = await self.caller.call(method, path, body, reads_404=may_lack)
        self.made += 1
        for pacer in pacers:
            self._learn(pacer, said)
        return said

    def _judge(self, said: Answer | httpx.Response, *, is_repeatable: bool) -> httpx.Response:
        if isinstance(said, httpx.Response):
            return said
        if said.effect is Effect.STOP:
            raise StoppedError(said.reason or "it can't be used")
        if said.retry_after is not None and said.retry_after > self.patience.longest_pause:
            raise StoppedError(
                f"it asks for a pause of {said.retry_after:.0f} s; the rest waits for a later sync"
            )
        if said.effect is Effect.UNKNOWN and not is_repeatable:
            raise UnknownOutcomeError(said.reason)
        raise _TryAgainError(said)

    def _pacer(self, limit: Limit) -> Pacer:
        if limit.name not in self._pacers:
            self._pacers[limit.name] = pacer_of(self.account, limit, self.rates)
        return self._pacers[limit.name]

    def _learn(self, pacer: Pacer, said: Answer | httpx.Response) -> None:
        if isinstance(said, httpx.Response):
            pacer.taken()
            return
        if said.is_throttled:
            pacer.refused()
        if said.retry_after is not None:
            pacer.heed(said.retry_after)


def _wait_for(error: Exception) -> bool | float:
    if not isinstance(error, _TryAgainError):
        return False
    return True if error.answer.retry_after is None else error.answer.retry_after
