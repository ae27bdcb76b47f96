"""A sync: from the newest published set, through the ledger's book, to what the destinations hold."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import stamina.instrumentation

from extractors.landing.log import LandingLog
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import SettingsError
from perennial.home import Home
from perennial.settings import Settings
from reverse_etl.bounds import read_bounds
from reverse_etl.destinations.aiq_attributes import AiqAccount
from reverse_etl.destinations.klaviyo_profiles import KlaviyoAccount
from reverse_etl.destinations.registry import aiq_account, klaviyo_account
from reverse_etl.fresh import Fresh
from reverse_etl.ledger.store import Ledger
from reverse_etl.means import Patience
from reverse_etl.opening import open_desk
from reverse_etl.process import this_holder
from reverse_etl.sync import book, marks
from reverse_etl.sync.aiq_traits import keep_attributes
from reverse_etl.sync.calls import Calls, StoppedError
from reverse_etl.sync.guard import Guard, guard_of
from reverse_etl.sync.keeper import Keeper, Tally
from reverse_etl.sync.klaviyo_lists import keep_list
from reverse_etl.sync.klaviyo_traits import keep_traits
from reverse_etl.sync.mirror import LISTS, TRAITS, Change, Kind, Mirror
from reverse_etl.sync.wanted import Wanted, open_wanted
from reverse_etl.tail import Tail

# What can be kept equal where.
KINDS: Mapping[str, tuple[Kind, ...]] = {"aiq": (TRAITS,), "klaviyo": (TRAITS, LISTS)}
# One sync of a mirror; the rest goes with the next one. A demo replays a day in a few rounds and waits for each.
LONGEST = timedelta(minutes=2)
SANDBOX_LONGEST = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """What a sync did to one mirror, and how it stands: ``waiting`` items are not as they are wanted.

    ``in_flight`` are those of which the destination has not said yet what became of them. ``held`` says why nothing
    was done, ``stopped`` why it ended early.
    """

    mirror: Mirror
    sent: int = 0
    accepted: int = 0
    removed: int = 0
    refused: int = 0
    waiting: int = 0
    in_flight: int = 0
    there: int = 0
    held: str | None = None
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync did. ``build_no`` is that of the published set, None where there was none to be read."""

    build_no: int | None
    mirrors: Sequence[MirrorReport] = ()
    seconds: float = 0.0


Account = KlaviyoAccount | AiqAccount


@dataclass
class Parts:
    """What a sync works with, each part already open; ``tells`` are the destinations that hear of closed addresses."""

    ledger: Ledger
    wanted: Wanted
    log: LandingLog
    clock: Clock
    accounts: Mapping[str, Account]
    missing: Mapping[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    longest: timedelta = LONGEST
    guard: Guard = field(default_factory=lambda: guard_of(read_bounds()))
    tells: Sequence[str] = ()
    rates: Path | None = None
    on_progress: Callable[[str], None] = lambda _line: None
    stop: threading.Event = field(default_factory=threading.Event)


def sync(
    settings: Settings,
    *,
    destinations: Collection[str] | None = None,
    kinds: Collection[Kind] | None = None,
    on_progress: Callable[[str], None] = lambda _line: None,
    stop: threading.Event | None = None,
) -> SyncReport:
    """Bring destinations to what the newest published set wants; only what differs from the confirmed is sent.

    Running it again, twice at once or after a kill ends in the same state. What one vendor does ends that vendor's
    part only, see ``MirrorReport.stopped``. Raises ``PerennialError`` where the ledger or the log can't be read.
    """
    with open_parts(settings, on_progress=on_progress, stop=stop) as parts:
        if parts is None:
            return SyncReport(None)
        return sync_with(parts, destinations=destinations, kinds=kinds)


@contextmanager
def open_parts(
    settings: Settings,
    *,
    on_progress: Callable[[str], None] = lambda _line: None,
    stop: threading.Event | None = None,
) -> Iterator[Parts | None]:
    """Open what a sync of an installation works with; None where nothing is published that it could read."""
    wanted = open_wanted(Home(settings.home))
    if wanted is None:
        yield None
        return
    accounts, missing = accounts_for(settings)
    with wanted, open_desk(settings) as desk:
        yield Parts(
            desk.ledger,
            wanted,
            desk.log,
            desk.clock,
            accounts,
            missing,
            tells=desk.tells,
            longest=SANDBOX_LONGEST if settings.perennial_clock == "sandbox" else LONGEST,
            rates=settings.home / "rates",
            on_progress=on_progress,
            stop=stop or threading.Event(),
        )


def accounts_for(settings: Settings) -> tuple[dict[str, Account], dict[str, str]]:
    """Return the accounts that the settings know, and of the others what to set."""
    makers: Mapping[str, Callable[[Settings], Account]] = {"aiq": aiq_account, "klaviyo": klaviyo_account}
    accounts: dict[str, Account] = {}
    missing: dict[str, str] = {}
    for name, make in makers.items():
        try:
            accounts[name] = make(settings)
        except SettingsError as error:
            missing[name] = f"{error.cause}; {error.fix}"
    return accounts, missing


def sync_with(
    parts: Parts, *, destinations: Collection[str] | None = None, kinds: Collection[Kind] | None = None
) -> SyncReport:
    """Sync with parts that are already open; see ``sync``."""
    began = time.monotonic()
    lists = parts.wanted.lists()
    with parts.ledger.write() as connection:
        marks.drop_other_lists(connection, lists)
    mirrors = [
        mirror
        for destination, kept in KINDS.items()
        for mirror in [Mirror(destination, TRAITS), *(one for one in lists if one.destination == destination)]
        if (destinations is None or destination in destinations)
        and mirror.kind in kept
        and (kinds is None or mirror.kind in kinds)
    ]
    reports = asyncio.run(_keep_all(parts, mirrors))
    return SyncReport(parts.wanted.build_no, reports, time.monotonic() - began)


async def _keep_all(parts: Parts, mirrors: Sequence[Mirror]) -> list[MirrorReport]:
    # Its own choice may be to print; what was tried is in the book.
    stamina.instrumentation.set_on_retry_hooks(())
    tail = _fresh(parts)
    tail.catch_up()  # it refuses a ledger that is older than what it has landed
    reports: list[MirrorReport] = []
    for destination in dict.fromkeys(mirror.destination for mirror in mirrors):
        own = [mirror for mirror in mirrors if mirror.destination == destination]
        account = parts.accounts.get(destination)
        if account is None:
            reports += [
                _standing(parts, mirror, Tally(), stopped=parts.missing[destination]) for mirror in own
            ]
            continue
        async with account.caller() as caller:
            calls = Calls(caller, account.account, parts.patience, parts.rates)
            for mirror in own:
                reports.append(await _keep(parts, mirror, account, calls, tail))
                parts.on_progress(_line(reports[-1]))
    return reports


async def _keep(parts: Parts, mirror: Mirror, account: Account, calls: Calls, tail: Fresh) -> MirrorReport:
    """Bring one mirror to what is wanted, as far as it goes."""
    holder = str(this_holder())
    with parts.ledger.write() as connection:
        if not marks.claim(connection, mirror, holder, parts.clock.now()):
            return _standing(parts, mirror, Tally(), stopped="another sync works on it")
    keeper = keeper_of(parts, mirror, calls, tail)
    try:
        take_in(parts, mirror)
        if (held := _held(parts, mirror)) is not None:
            return _standing(parts, mirror, keeper.tally, held=held)
        if isinstance(account, AiqAccount):
            await keep_attributes(keeper, account)
        elif mirror.kind == LISTS:
            await keep_list(keeper)
        else:
            await keep_traits(keeper)
    except StoppedError as error:
        return _standing(parts, mirror, keeper.tally, stopped=str(error))
    finally:
        with parts.ledger.write() as connection:
            marks.release(connection, mirror, holder)
    return _standing(parts, mirror, keeper.tally)


def keeper_of(parts: Parts, mirror: Mirror, calls: Calls, tail: Fresh | None = None) -> Keeper:
    """Return what keeps a mirror equal."""
    known = tail or _fresh(parts)
    return Keeper(
        mirror,
        parts.ledger,
        parts.wanted,
        calls,
        parts.clock,
        known.catch_up,
        parts.longest,
        parts.stop.is_set,
    )


def _fresh(parts: Parts) -> Fresh:
    return Fresh(Tail(parts.ledger, parts.log, parts.clock, parts.tells).catch_up)


def take_in(parts: Parts, mirror: Mirror) -> None:
    """Note in the book what the published set wants: what changed after the last set, and who is in it no more."""
    with parts.ledger.read() as connection:
        after = marks.build_no(connection, mirror)
    if after > parts.wanted.build_no:
        after = 0  # the warehouse was made anew from an older log: everything is looked at
    for rows in parts.wanted.changed(mirror, after):
        with parts.ledger.write() as connection:
            book.take_in(connection, mirror, rows)
        crash_point("sync_taken_in")
    with parts.ledger.read() as connection:
        is_complete = book.wanted_count(connection, mirror) == parts.wanted.count(mirror)
        # all that is wanted is in the book: if it counts as many, nobody else is
        known = [] if is_complete else list(book.wanted_items(connection, mirror))
    for items in known:
        gone = parts.wanted.missing(mirror, items)
        with parts.ledger.write() as connection:
            book.want_no_more(connection, mirror, gone)
    with parts.ledger.write() as connection:
        marks.note_build(connection, mirror, parts.wanted.build_no)


def _held(parts: Parts, mirror: Mirror) -> str | None:
    if mirror.kind != LISTS:
        return None
    people = parts.wanted.people(mirror.destination)
    with parts.ledger.write() as connection:
        there, adds, removals = book.counts(connection, mirror)
        change = Change(mirror, there, adds, removals, people)
        reason = parts.guard(connection, change, parts.clock.now())
        marks.hold(connection, mirror, reason)
    return reason


def _standing(
    parts: Parts, mirror: Mirror, tally: Tally, *, held: str | None = None, stopped: str | None = None
) -> MirrorReport:
    with parts.ledger.read() as connection:
        there, adds, removals = book.counts(connection, mirror)
        in_flight = book.in_flight(connection, mirror)
    return MirrorReport(
        mirror,
        tally.sent,
        tally.accepted,
        tally.removed,
        tally.refused,
        waiting=adds + removals,
        in_flight=in_flight,
        there=there,
        held=held,
        stopped=stopped,
    )


def _line(report: MirrorReport) -> str:
    counts = {
        name: getattr(report, name) for name in ("accepted", "removed", "refused", "waiting", "in_flight")
    }
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    ended = (report.held and f"held: {report.held}") or (report.stopped and f"stopped: {report.stopped}")
    return f"{report.mirror}: {'; '.join(filter(None, (told or 'nothing to do', ended)))}"
