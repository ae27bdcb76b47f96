"""The push: from landed decisions, through the ledger, to the messaging systems."""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import stamina.instrumentation
from sqlalchemy import Connection, func, select

from perennial.crash import crash_point
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings
from reverse_etl.alerts import Alarm
from reverse_etl.claims import reap, release
from reverse_etl.desk import Desk
from reverse_etl.destinations.base import Destination
from reverse_etl.destinations.registry import Configured, destinations_for
from reverse_etl.fresh import Fresh
from reverse_etl.gate import end_waiting, sweep
from reverse_etl.guards import guards_of
from reverse_etl.holds import Hold
from reverse_etl.kinds import NOTICES
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import enrollments
from reverse_etl.means import Means, silent
from reverse_etl.notices import tell_of_exits
from reverse_etl.opening import open_desk
from reverse_etl.plan import Plan, let_through, make_plan
from reverse_etl.plan_file import file_named, read_plan
from reverse_etl.planned import clear as forget_plan
from reverse_etl.process import this_holder
from reverse_etl.quiet import hours_of
from reverse_etl.receipts import land_receipts
from reverse_etl.run import Run
from reverse_etl.scribe import Scribe
from reverse_etl.states import Status
from reverse_etl.tail import Tail

_log = logging.getLogger(__name__)

_BEAT_SECONDS = 0.2
_BEATS_A_TIDYING = 5


@dataclass(frozen=True)
class PushReport:
    """What one push did.

    ``taken_in`` new enrollments came into the ledger, calls were made for ``sent`` of them and older ones (``sent_to``:
    by destination). ``by_destination`` counts the enrollments that this push brought to each state, and as ``pending``
    those that wait now. ``told`` counts the ends of enrollments and closed addresses that destinations heard of.
    ``stopped`` says why a destination's run ended before its rows did; ``holds`` are those that it made.
    """

    taken_in: int
    sent: int
    by_destination: Mapping[str, Mapping[str, int]]
    seconds: float
    receipts_landed: int
    stopped: Mapping[str, str] = field(default_factory=dict)
    told: int = 0
    sent_to: Mapping[str, int] = field(default_factory=dict)
    holds: Sequence[Hold] = ()


def push(
    settings: Settings,
    *,
    destinations: Sequence[str] | None = None,
    on_progress: Callable[[str], None] = silent,
    stop: threading.Event | None = None,
) -> PushReport:
    """Send what is due to the destinations that the settings know (or those named), and land receipts.

    Running it again, twice at once or after a kill sends nothing twice: docs/activation.md has the
    guarantee. Raises ``PerennialError`` where nothing may be sent: a ledger or a landing log that can't be
    read. What one vendor does ends that vendor's run only, see ``PushReport.stopped``. When ``stop`` is set
    no further call is begun, and those in flight are waited for.
    """
    with open_desk(settings) as desk:
        return push_to(destinations_for(settings, destinations), _means(settings, desk, on_progress, stop))


def plan(settings: Settings, *, destinations: Sequence[str] | None = None) -> Plan:
    """Say exactly what a push would send now; nothing is sent, and nothing is written."""
    with open_desk(settings) as desk:
        return make_plan(
            desk, destinations_for(settings, destinations), guards_of(desk.home), hours_of(settings)
        )


def apply(settings: Settings, named: str, *, on_progress: Callable[[str], None] = silent) -> PushReport:
    """Send what a plan, by its file or id, says and nothing else.

    ``PlanError`` names what has changed, and then nothing is sent.
    """
    wanted = read_plan(file_named(Home(settings.home), named), salt_of(settings))
    with open_desk(settings) as desk:
        means, configured = _means(settings, desk, on_progress), destinations_for(settings)
        now = make_plan(desk, configured, means.guards, means.hours, wanted)
        return push_to(configured, replace(means, plan_id=let_through(desk, wanted, now)))


def _means(
    settings: Settings, desk: Desk, on_progress: Callable[[str], None], stop: threading.Event | None = None
) -> Means:
    return Means(
        desk.ledger,
        desk.log,
        desk.clock,
        tells=desk.tells,
        rates=settings.home / "rates",
        guards=guards_of(desk.home),
        hours=hours_of(settings),
        alarm=Alarm(settings, desk.ledger, desk.clock),
        on_progress=on_progress,
        stop=stop or threading.Event(),
    )


def push_to(configured: Configured, means: Means) -> PushReport:
    """Push with parts that are already open; see ``push``."""
    started = time.monotonic()
    intake = _Intake(means)
    fresh = Fresh(intake.look)
    shift = _Shift(configured.ready, means, fresh)
    fresh.catch_up()  # before anything lands: it refuses a ledger that is older than what it has landed
    shift.end_switched_off(configured.off)
    shift.tidy()
    try:
        asyncio.run(shift.work())
    finally:
        with means.ledger.write() as connection:
            release(connection, shift.holder, means.clock.now())
            if means.plan_id is not None:
                forget_plan(connection)
    crash_point("committed_not_landed")
    shift.tidy()

    stopped = {run.destination.name: run.stopped for run in shift.runs if run.stopped is not None}
    counts = shift.counts
    for run in shift.runs:
        counts.setdefault(run.destination.name, Counter()).update(run.counts)
    for name, held in intake.held.items():
        counts.setdefault(name, Counter())[Status.HELD] += held
    waiting = _waiting(means.ledger)
    if means.plan_id is None:  # a plan holds nothing for them
        stopped |= {name: reason for name, reason in configured.missing.items() if waiting.get(name)}
    for name, reason in stopped.items():
        means.on_progress(f"{name}: stopped: {reason}")
    return PushReport(
        taken_in=intake.taken_in,
        sent=sum(len(run.called) for run in shift.runs),
        by_destination=_by_destination(counts, waiting),
        seconds=time.monotonic() - started,
        receipts_landed=shift.landed,
        stopped=stopped,
        told=sum(run.told for run in shift.runs),
        sent_to={run.destination.name: len(run.called) for run in shift.runs},
        holds=intake.holds,
    )


class _Intake:
    """What newly landed, taken in and measured before anybody may claim it."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._tail = Tail(means.ledger, means.log, means.clock, means.tells)
        self.taken_in = 0
        self.holds: list[Hold] = []
        self.held: Counter[str] = Counter()

    def look(self) -> None:
        self.taken_in += self._tail.catch_up()
        look = self._means.guards.look(self._means.ledger, self._means.clock)
        self.holds += look.made
        self.held.update(look.held)
        for hold in look.made:
            self._means.on_progress(
                f"{hold.destination}: {hold.rows} of {hold.flow_name} are held ({hold.reason}): "
                f"perennial holds show {hold.hold_id}"
            )


@dataclass
class _Shift:
    """All destinations' runs of one push, side by side, with what has to be done meanwhile."""

    destinations: Sequence[Destination]
    means: Means
    fresh: Fresh
    holder: str = field(default_factory=lambda: str(this_holder()))
    runs: list[Run] = field(default_factory=list)
    counts: dict[str, Counter[Status]] = field(default_factory=dict)
    landed: int = 0

    async def work(self) -> None:
        # Its own choice may be to print; every try is in the ledger.
        stamina.instrumentation.set_on_retry_hooks(())
        scribe = Scribe(self.means.ledger, self.fresh.catch_up)
        self.runs = [Run(destination, scribe, self.means, self.holder) for destination in self.destinations]
        sending = asyncio.ensure_future(self._send_all(scribe))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            # Ctrl-C: calls in flight are waited for, because their answers can't be asked for again.
            self._stop("it was interrupted; the rest waits for the next push")
            await sending
            raise
        finally:
            scribe.close()

    def _stop(self, reason: str) -> None:
        for run in self.runs:
            run.stop(reason)

    async def _send_all(self, scribe: Scribe) -> None:
        keeper = asyncio.create_task(self._keep_house())
        try:
            await asyncio.gather(*(self._send(run, scribe) for run in self.runs))
        finally:
            keeper.cancel()
        errors = [run.error for run in self.runs if run.error is not None]
        if errors:
            raise errors[0]

    async def _send(self, run: Run, scribe: Scribe) -> None:
        try:
            await self._report_unknown(run, scribe)
            await run.run()
            if run.counts:
                self.means.on_progress(_line(run))
            # Another one's backlog may take an hour: what comes for this one meanwhile, a closed address before all,
            # must not wait for that.
            while run.stopped is None and any(other.is_at_work for other in self.runs):
                await asyncio.sleep(_BEAT_SECONDS)
                await run.run()
        except Exception as error:  # noqa: BLE001 - the push raises it once the others' calls in flight are recorded
            run.fail(error)

    async def _report_unknown(self, run: Run, scribe: Scribe) -> None:
        name = run.destination.name
        unknown = await scribe.do(self._reap, name)
        if unknown and not run.destination.dedupes:
            self.means.on_progress(
                f"{name}: {len(unknown)} calls of a push that died are ambiguous: {', '.join(unknown)}"
            )

    def _reap(self, connection: Connection, names: list[str]) -> list[list[str]]:
        return [reap(connection, name, self.means.clock.now()) for name in names]

    async def _keep_house(self) -> None:
        """End what will never be sent, land receipts and show progress while a long push goes on."""
        for beat in count(1):
            await asyncio.sleep(_BEAT_SECONDS)
            if self.means.stop.is_set():
                self._stop("it was told to stop; the rest waits for the next push")
            if beat % _BEATS_A_TIDYING:
                continue
            try:
                await asyncio.to_thread(self.tidy)
            except Exception as error:  # noqa: BLE001 - the last tidying, after the run, says it if it lasts
                # its text may hold a row
                _log.warning("tidying failed (%s); it is done again in a second", type(error).__name__)
            for run in self.runs:
                if run.counts:
                    self.means.on_progress(_line(run))

    def end_switched_off(self, off: Mapping[str, str]) -> None:
        """End what waits for a destination that is not to be used: switched on again, it begins with what is new."""
        for name, reason in off.items():
            with self.means.ledger.write() as connection:
                ended = end_waiting(connection, name, reason, self.means.clock.now())
            if ended:
                self.counts.setdefault(name, Counter())[Status.EXITED] += ended

    def tidy(self) -> None:
        """End waiting rows that will never be sent, tell of the ends of those that were, and land receipts.

        People are told of what waits for them.
        """
        with self.means.ledger.write() as connection:
            swept = sweep(connection, self.means.clock.now())
            tell_of_exits(connection, self.means.clock.now())
        for name, ended in swept.items():
            self.counts.setdefault(name, Counter()).update(ended)
        self.landed += land_receipts(self.means.ledger, self.means.log)
        if self.means.alarm is not None:
            self.means.alarm.look(
                {run.destination.name: run.stopped or "" for run in self.runs if run.is_barred},
                {run.destination.name for run in self.runs if run.called and not run.is_barred},
            )


def _line(run: Run) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(run.counts.items()))
    return f"{run.destination.name}: {counts}"


def _waiting(ledger: Ledger) -> dict[str, int]:
    with ledger.read() as connection:
        rows = connection.execute(
            select(enrollments.c.destination, func.count())
            .where(
                enrollments.c.status.in_((Status.PENDING, Status.ATTEMPTING)),
                enrollments.c.kind.not_in(NOTICES),
            )
            .group_by(enrollments.c.destination)
        )
        return dict(rows.tuples().all())


def _by_destination(
    counts: Mapping[str, Counter[Status]], waiting: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    report: dict[str, dict[str, int]] = {}
    for name in sorted({*counts, *waiting}):
        outcomes = {
            str(status): count
            for status, count in sorted(counts.get(name, Counter()).items())
            if status not in (Status.PENDING, Status.ATTEMPTING)
        }
        report[name] = outcomes | ({"pending": waiting[name]} if name in waiting else {})
    return {name: of_destination for name, of_destination in report.items() if of_destination}
