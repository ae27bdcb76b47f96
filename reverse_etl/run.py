"""One destination's part of a push: claim, ask the gate, call, record; several calls in flight.

Each try of a call is a full turn through the ledger, so a retry passes the gate again, and a kill between
two tries leaves a row that is known not to have been sent. A person's rows go out one after another, in the
order in which they were decided.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import stamina
from sqlalchemy import Connection

from perennial.clock import Clock
from perennial.crash import crash_point
from reverse_etl.destinations.base import Answer, Destination, Effect, Session
from reverse_etl.ledger.attempts import Attempt, NoCall, begin, settle
from reverse_etl.ledger.claims import claim, give_back
from reverse_etl.rate import pacer_of
from reverse_etl.scribe import Scribe
from reverse_etl.states import Status

_CLAIMS_A_CALL = 4  # rows claimed for each call that may be in flight: enough to never run dry
_LOST_IN_A_ROW = 5  # enrollments that used up their tries, until the vendor counts as down or overrun


@dataclass(frozen=True)
class Patience:
    """How long a push bears with a vendor, in seconds. What is left waits in the ledger for the next push."""

    tries: int = 4
    first_wait: float = 0.2
    longest_wait: float = 5.0
    longest_pause: float = 60.0  # a Retry-After, or a limit of ours, beyond this ends the destination's run


class _TryAgainError(Exception):
    """A call may be made once more."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class Run:
    """One destination's run.

    ``outcomes`` (ledger id → state), ``called`` and ``stopped`` (why it ended early) tell how it went.
    An ``error`` is no vendor's fault: the log or the ledger can't be used. No new call is begun then, and
    those in flight are waited for.
    """

    def __init__(
        self, destination: Destination, scribe: Scribe, clock: Clock, holder: str, patience: Patience
    ) -> None:
        self.destination = destination
        self.outcomes: dict[int, Status] = {}
        self.called: set[int] = set()
        self.stopped: str | None = None
        self.error: Exception | None = None
        self._scribe = scribe
        self._clock = clock
        self._holder = holder
        self._patience = patience
        self._pacer = pacer_of(destination.account, destination.rates)
        self._people: dict[str, deque[int]] = {}
        self._ready: asyncio.Queue[str | None] = asyncio.Queue()
        self._given_up: set[str] = set()
        self._in_hand = 0
        self._less_in_hand = asyncio.Condition()
        self._tried: set[int] = set()
        self._lost_in_a_row = 0

    @property
    def counts(self) -> Counter[Status]:
        """How many enrollments this run brought to each state."""
        return Counter(self.outcomes.values())

    async def run(self) -> None:
        """Send what is due, until nothing is or the destination can't be used."""
        if not await self._claim():
            return  # without opening a connection
        async with self.destination.session() as session:
            workers = [self._work(session) for _ in range(self.destination.concurrency)]
            await asyncio.gather(self._feed(), *workers)

    def stop(self, reason: str) -> None:
        """Begin no further call; those in flight are finished."""
        self.stopped = self.stopped or reason

    def _fail(self, error: Exception) -> None:
        self.error = self.error or error
        self.stop("the push failed")

    async def _feed(self) -> None:
        """Keep rows in hand, and end the workers when there are no more."""
        refill = self.destination.concurrency * _CLAIMS_A_CALL // 2
        try:
            while await self._down_to(refill):
                # With nothing in hand it is asked once more: what landed during the last calls is sent, too.
                if not await self._claim() and not (await self._down_to(0) and await self._claim()):
                    break
        except Exception as error:  # noqa: BLE001 - raised by the push once the calls in flight are recorded
            self._fail(error)
        for _ in range(self.destination.concurrency):
            self._ready.put_nowait(None)

    async def _down_to(self, rows: int) -> bool:
        """Wait until no more than some rows are in hand; False when the run was stopped."""
        async with self._less_in_hand:
            await self._less_in_hand.wait_for(lambda: self._in_hand <= rows or self.stopped is not None)
        return self.stopped is None

    async def _claim(self) -> bool:
        rows = await self._scribe.do(self._claim_more, None, is_call=True)
        for ledger_id, person in rows:
            self._in_hand += 1
            if person in self._people:
                self._people[person].append(ledger_id)
            else:
                self._people[person] = deque([ledger_id])
                self._ready.put_nowait(person)
        return bool(rows)

    async def _work(self, session: Session) -> None:
        while (person := await self._ready.get()) is not None:
            if self.stopped is not None:
                continue
            ledger_id = self._people[person].popleft()
            try:
                if person in self._given_up:
                    await self._give_back(ledger_id)
                elif not await self._deliver(session, ledger_id):
                    # Later rows of hers must not overtake this one: they wait with it for the next push.
                    self._given_up.add(person)
            except Exception as error:  # noqa: BLE001 - the push raises it once all answers are recorded
                self._fail(error)
            if self._people[person]:
                self._ready.put_nowait(person)
            else:
                del self._people[person]
            async with self._less_in_hand:
                self._in_hand -= 1
                self._less_in_hand.notify_all()

    async def _deliver(self, session: Session, ledger_id: int) -> bool:
        """Send one enrollment, with retries; False when it has to be tried again in a later push."""
        retries = stamina.retry_context(
            on=_wait_for,
            attempts=self._patience.tries,
            timeout=None,
            wait_initial=self._patience.first_wait,
            wait_max=self._patience.longest_wait,
            wait_jitter=self._patience.first_wait,
        )
        try:
            async for attempt in retries:
                with attempt:
                    is_over = await self._try(session, ledger_id)
        except _TryAgainError as error:
            await self._give_back(ledger_id)
            self._consider_stopping(error.answer)
            return False
        self._lost_in_a_row = 0
        return is_over

    async def _try(self, session: Session, ledger_id: int) -> bool:
        """Make one call; raises ``_TryAgainError`` where another may follow."""
        if not await self._pacer.permit(self._patience.longest_pause):
            self.stop("its rate limit is used up; the rest waits for the next push")
        if self.stopped is not None:
            return False
        begun = await self._scribe.do(self._begin, ledger_id, is_call=True)
        if isinstance(begun, NoCall):
            if begun.ended is None:
                self._tried.add(ledger_id)
            else:
                self.outcomes[ledger_id] = begun.ended
            return True
        crash_point("attempting")
        answer = await session.send(begun.body)
        crash_point("answered_not_committed")
        after = await self._scribe.do(self._settle, (ledger_id, answer))
        self.called.add(ledger_id)
        if after is not None:
            self.outcomes[ledger_id] = after
        return await self._judge(answer, ledger_id)

    async def _judge(self, answer: Answer, ledger_id: int) -> bool:
        if answer.effect is Effect.STOP:
            self.stop(answer.reason or "it can't be used")
            return False
        if answer.retry_after is not None:
            if answer.retry_after > self._patience.longest_pause:
                self.stop(
                    f"it asks for a pause of {answer.retry_after:.0f} s; the rest waits for a later push"
                )
                return False
            self._pacer.pause(answer.retry_after)
        if answer.effect is Effect.NONE or (answer.effect is Effect.UNKNOWN and self.destination.dedupes):
            raise _TryAgainError(answer)
        if answer.effect is Effect.UNKNOWN:
            await self._give_back(ledger_id)
        return True

    def _consider_stopping(self, answer: Answer) -> None:
        self._lost_in_a_row += 1
        if not answer.reached or self._lost_in_a_row >= _LOST_IN_A_ROW:
            self.stop(f"{answer.reason}; the rest waits for the next push")

    async def _give_back(self, ledger_id: int) -> None:
        """Leave a row to a later push."""
        self._tried.add(ledger_id)
        await self._scribe.do(self._let_go, ledger_id)

    def _claim_more(self, connection: Connection, asked: list[None]) -> list[Sequence[tuple[int, str]]]:
        return [
            claim(
                connection,
                self.destination.name,
                holder=self._holder,
                now=self._clock.now(),
                limit=self.destination.concurrency * _CLAIMS_A_CALL,
                resend=self.destination.dedupes,
                skip=self._tried,
            )
            for _ in asked
        ]

    def _begin(self, connection: Connection, ledger_ids: list[int]) -> list[Attempt | NoCall]:
        return begin(
            connection,
            ledger_ids,
            holder=self._holder,
            destination=self.destination,
            now=self._clock.now(),
        )

    def _settle(self, connection: Connection, answers: list[tuple[int, Answer]]) -> list[Status | None]:
        return settle(connection, answers, holder=self._holder, now=self._clock.now())

    def _let_go(self, connection: Connection, ledger_ids: list[int]) -> list[None]:
        give_back(connection, ledger_ids, self._holder)
        return [None] * len(ledger_ids)


def _wait_for(error: Exception) -> bool | float:
    """Tell stamina whether to try again, and when the vendor said so, after how long."""
    if not isinstance(error, _TryAgainError):
        return False
    return True if error.answer.retry_after is None else error.answer.retry_after
