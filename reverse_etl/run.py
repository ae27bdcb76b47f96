"""One destination's part of a push: claim, ask the gate, call, record; several calls in flight.

Each try of a call is a full turn through the ledger, so a retry passes the gate again, and a kill between
two tries leaves a row that is known not to have been sent. A person's rows go out one after another, in the
order in which they were decided, and never share a call.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import stamina
from sqlalchemy import Connection

from perennial.crash import crash_point
from reverse_etl.attempts import Attempt, NoCall, begin, settle
from reverse_etl.claims import Claimed, claim, give_back
from reverse_etl.destinations.base import Answer, Destination, Effect, Limit, Session
from reverse_etl.means import Means
from reverse_etl.rate import Pacer, pacer_of
from reverse_etl.ready import Ready
from reverse_etl.scribe import Scribe
from reverse_etl.states import Status

_CLAIMS_A_CALL = 4  # rows claimed for each call that may be in flight
_LOOK_SECONDS = 0.5  # between two looks for addresses that were closed meanwhile
_LOST_IN_A_ROW = 5  # enrollments that used up their tries, until the vendor counts as down or overrun


class _TryAgainError(Exception):
    """A call may be made once more."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class Run:
    """One destination's run.

    ``outcomes`` (ledger id → state), ``called`` and ``stopped`` (why it ended early) tell how it went; ``is_at_work``
    says that rows are on their way now. One that ``is_barred`` was stopped by what a person must mend: a refused key, a
    wrong address.
    An ``error`` is no vendor's fault: the log or the ledger can't be used. No new call is begun then, and
    those in flight are waited for.
    """

    def __init__(self, destination: Destination, scribe: Scribe, means: Means, holder: str) -> None:
        self.destination = destination
        self.outcomes: dict[int, Status] = {}
        self.called: set[int] = set()
        self.stopped: str | None = None
        self.is_barred = False
        self.error: Exception | None = None
        self._scribe = scribe
        self._means = means
        self._holder = holder
        self._pacers: dict[str, Pacer] = {}
        self._people: dict[str, deque[Claimed]] = {}
        self._ready = Ready()
        self._given_up: set[str] = set()
        self.is_at_work = False
        self._in_hand = 0
        self._less_in_hand = asyncio.Condition()
        self._tried: set[int] = set()
        self._notices: set[int] = set()
        self._urgent: set[int] = set()
        self._is_over = asyncio.Event()
        self._lost_in_a_row = 0

    @property
    def counts(self) -> Counter[Status]:
        """How many enrollments this run brought to each state."""
        return Counter(status for row, status in self.outcomes.items() if row not in self._notices)

    @property
    def told(self) -> int:
        """How many notices the destination took: ends of enrollments and closed addresses."""
        return sum(self.outcomes.get(row) is Status.ACCEPTED for row in self._notices)

    async def run(self) -> None:
        """Send what is due, until nothing is or the destination can't be used; may be called again then."""
        self._ready, self._is_over = Ready(), asyncio.Event()
        urgent = await self._claim_urgent()
        if not await self._claim() and not urgent:
            return  # without opening a connection
        self.is_at_work = True
        try:
            async with self.destination.session() as session:
                await self._tell(session, urgent)
                workers = [self._work(session) for _ in range(self.destination.concurrency)]
                attending = asyncio.create_task(self._attend(session))
                try:
                    await asyncio.gather(self._feed(), *workers)
                finally:
                    self._is_over.set()
                    await attending
        finally:
            self.is_at_work = False

    def stop(self, reason: str) -> None:
        """Begin no further call; those in flight are finished."""
        self.stopped = self.stopped or reason

    def fail(self, error: Exception) -> None:
        """Begin no further call, because the log or the ledger can't be used."""
        self.error = self.error or error
        self.stop("the push failed")

    @property
    def _hand(self) -> int:
        """How many rows are claimed at a time: enough for each call that may be in flight never to run dry."""
        return max(self.destination.concurrency * _CLAIMS_A_CALL, self.destination.batch.most * 2)

    async def _feed(self) -> None:
        """Keep rows in hand, and end the workers when there are no more."""
        try:
            while await self._down_to(self._hand // 2):
                # With nothing in hand it is asked once more: what landed during the last calls is sent, too.
                if not await self._claim() and not (await self._down_to(0) and await self._claim()):
                    break
        except Exception as error:  # noqa: BLE001 - raised by the push once the calls in flight are recorded
            self.fail(error)
        self._ready.end()

    async def _down_to(self, rows: int) -> bool:
        """Wait until no more than some rows are in hand; False when the run was stopped."""
        async with self._less_in_hand:
            await self._less_in_hand.wait_for(lambda: self._in_hand <= rows or self.stopped is not None)
        return self.stopped is None

    async def _claim(self) -> bool:
        rows = await self._scribe.do(self._claim_more, "others", is_call=True)
        for row in rows:
            self._in_hand += 1
            if row.is_notice:
                self._notices.add(row.ledger_id)
            if row.customer_id in self._people:
                self._people[row.customer_id].append(row)
            else:
                self._people[row.customer_id] = deque([row])
                self._ready.put(row.customer_id, row)
        return bool(rows)

    async def _attend(self, session: Session) -> None:
        """Tell of addresses that are closed while the others wait for their permits."""
        while not self._is_over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_over.wait(), _LOOK_SECONDS)
            try:
                await self._tell(session, await self._claim_urgent())
            except Exception as error:  # noqa: BLE001 - the push raises it once all answers are recorded
                self.fail(error)

    async def _claim_urgent(self) -> list[int]:
        """Claim closed addresses."""
        rows = await self._scribe.do(self._claim_more, "opt_outs", is_call=True)
        ledger_ids = [row.ledger_id for row in rows]
        self._notices.update(ledger_ids)
        self._urgent.update(ledger_ids)
        return ledger_ids

    async def _tell(self, session: Session, ledger_ids: Sequence[int]) -> None:
        """Tell of closed addresses, one after another."""
        for ledger_id in ledger_ids:
            if self.stopped is None:
                await self._deliver(session, [ledger_id])

    async def _work(self, session: Session) -> None:
        while people := await self._ready.next(self.destination.batch):
            rows = {person: self._people[person].popleft() for person in people}
            if self.stopped is None:
                await self._deliver_to(session, rows)
            for person in people:
                if self._people[person]:
                    self._ready.put(person, self._people[person][0])
                else:
                    del self._people[person]
            async with self._less_in_hand:
                self._in_hand -= len(people)
                self._less_in_hand.notify_all()

    async def _deliver_to(self, session: Session, rows: Mapping[str, Claimed]) -> None:
        wanted = [row.ledger_id for person, row in rows.items() if person not in self._given_up]
        unwanted = [row.ledger_id for person, row in rows.items() if person in self._given_up]
        try:
            left = {*await self._deliver(session, wanted)} if wanted else set()
            if unwanted:
                await self._give_back(unwanted)
        except Exception as error:  # noqa: BLE001 - the push raises it once all answers are recorded
            self.fail(error)
            return
        # Later rows of theirs must not overtake what is left: they wait with it for the next push.
        self._given_up.update(person for person, row in rows.items() if row.ledger_id in left)

    async def _deliver(self, session: Session, ledger_ids: Sequence[int]) -> list[int]:
        """Send rows in one call, with retries and in ever smaller parts; return those left to a later push."""
        retries = stamina.retry_context(
            on=_wait_for,
            attempts=self._means.patience.tries,
            timeout=None,
            wait_initial=self._means.patience.first_wait,
            wait_max=self._means.patience.longest_wait,
            wait_jitter=self._means.patience.first_wait,
        )
        try:
            async for attempt in retries:
                with attempt:
                    left, parts = await self._try(session, ledger_ids)
        except _TryAgainError as error:
            await self._give_back(ledger_ids)
            self._consider_stopping(error.answer)
            return list(ledger_ids)
        self._lost_in_a_row = 0
        for part in parts:
            left += await self._deliver(session, part)
        return left

    async def _try(
        self, session: Session, ledger_ids: Sequence[int]
    ) -> tuple[list[int], list[Sequence[int]]]:
        """Make one call; return rows that are left to a later push, and parts that each need a call of their own.

        Raises ``_TryAgainError`` where the same call may be made once more.
        """
        is_urgent = self._urgent.issuperset(ledger_ids)
        limit = self.destination.limit(len(ledger_ids), is_opt_out=is_urgent)
        pacer = self._pacer(limit.common())
        has_permit = is_urgent and await self._pacer(limit.reserve()).permit(0)
        if not (has_permit or await pacer.permit(self._means.patience.longest_pause)):
            self.stop(_why_it_waits(pacer))
        if self.stopped is not None:
            return list(ledger_ids), []
        begun = await self._scribe.do_all(self._begin, ledger_ids, is_call=True)
        calls: dict[int, Attempt] = {}
        for ledger_id, attempt in zip(ledger_ids, begun, strict=True):
            if isinstance(attempt, Attempt):
                calls[ledger_id] = attempt
            elif attempt.ended is None:
                self._tried.add(ledger_id)
            else:
                self.outcomes[ledger_id] = attempt.ended
        if not calls:
            return [], []
        crash_point("attempting")
        said = await session.send([attempt.body for attempt in calls.values()])
        answers = dict(zip(calls, map(_alone, said) if len(said) == 1 else said, strict=True))
        crash_point("answered_not_committed")
        settled = await self._scribe.do_all(self._settle, list(answers.items()))
        self.called.update(calls)
        self.outcomes |= {
            ledger_id: status
            for ledger_id, status in zip(answers, settled, strict=True)
            if status is not None
        }
        return await self._judge(answers, pacer)

    async def _judge(
        self, answers: Mapping[int, Answer], pacer: Pacer
    ) -> tuple[list[int], list[Sequence[int]]]:
        of = {
            effect: [key for key, answer in answers.items() if answer.effect is effect] for effect in Effect
        }
        first = next(iter(answers.values()))
        if of[Effect.STOP]:
            self.stop(first.reason or "it can't be used")
            self.is_barred = True
            return list(answers), []
        if first.retry_after is not None:
            pacer.heed(first.retry_after)
            if first.retry_after > self._means.patience.longest_pause:
                self.stop(
                    f"it asks for a pause of {first.retry_after:.0f} s; the rest waits for a later push"
                )
                return list(answers), []
        if first.is_throttled:
            pacer.refused()
        elif first.reached:
            pacer.taken()
        if len(of[Effect.NONE]) == len(answers):
            raise _TryAgainError(first)
        unknown = of[Effect.UNKNOWN]
        if unknown and not (self.destination.dedupes or self._notices.issuperset(unknown)):
            await self._give_back(unknown)
            return [], []
        if len(answers) == 1 and unknown:
            raise _TryAgainError(first)
        # What may have had its effect goes alone, where each repeat is recognised.
        return [], [*_halves(of[Effect.SPLIT]), *([key] for key in (*unknown, *of[Effect.NONE]))]

    def _pacer(self, limit: Limit) -> Pacer:
        if limit.name not in self._pacers:
            self._pacers[limit.name] = pacer_of(self.destination.account, limit, self._means.rates)
        return self._pacers[limit.name]

    def _consider_stopping(self, answer: Answer) -> None:
        self._lost_in_a_row += 1
        if not answer.reached or self._lost_in_a_row >= _LOST_IN_A_ROW:
            self.stop(f"{answer.reason}; the rest waits for the next push")

    async def _give_back(self, ledger_ids: Sequence[int]) -> None:
        """Leave rows to a later push."""
        self._tried.update(ledger_ids)
        await self._scribe.do_all(self._let_go, ledger_ids)

    def _claim_more(self, connection: Connection, asked: list[str]) -> list[Sequence[Claimed]]:
        return [
            claim(
                connection,
                self.destination.name,
                holder=self._holder,
                now=self._means.clock.now(),
                limit=self._hand,
                resend=self.destination.dedupes,
                urgent=which == "opt_outs",
                skip=self._tried,
                plan_id=self._means.plan_id,
            )
            for which in asked
        ]

    def _begin(self, connection: Connection, ledger_ids: list[int]) -> list[Attempt | NoCall]:
        return begin(
            connection,
            ledger_ids,
            holder=self._holder,
            destination=self.destination,
            hours=self._means.hours,
            now=self._means.clock.now(),
            plan_id=self._means.plan_id,
        )

    def _settle(self, connection: Connection, answers: list[tuple[int, Answer]]) -> list[Status | None]:
        return settle(connection, answers, holder=self._holder, now=self._means.clock.now())

    def _let_go(self, connection: Connection, ledger_ids: list[int]) -> list[None]:
        give_back(connection, ledger_ids, self._holder)
        return [None] * len(ledger_ids)


def _why_it_waits(pacer: Pacer) -> str:
    if pacer.pause_left:
        return (
            f"it asked for a pause, {pacer.pause_left:.0f} s of it are left; the rest waits for a later push"
        )
    return "its rate limit is used up; the rest waits for the next push"


def _alone(answer: Answer) -> Answer:
    """Return what an answer means for a row that shared its call with none: there is nothing to split."""
    return replace(answer, effect=Effect.REFUSED) if answer.effect is Effect.SPLIT else answer


def _halves(ledger_ids: Sequence[int]) -> list[Sequence[int]]:
    """Return the two parts among which the bad row is looked for."""
    middle = (len(ledger_ids) + 1) // 2
    return [half for half in (ledger_ids[:middle], ledger_ids[middle:]) if half]


def _wait_for(error: Exception) -> bool | float:
    """Tell stamina whether to try again, and when the vendor said so, after how long."""
    if not isinstance(error, _TryAgainError):
        return False
    return True if error.answer.retry_after is None else error.answer.retry_after
