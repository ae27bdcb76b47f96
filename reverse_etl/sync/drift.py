"""Read-back: what a list really holds at the destination, against what the book says that it holds.

People change lists there by hand, and a merge of two profiles does. What is found is noted, shown, and mended by
difference: the book takes what was read for confirmed, and the next sync does the rest, under its guard.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import stamina.instrumentation

from extractors.landing.operations import land_operation
from perennial.crash import crash_point
from perennial.settings import Settings
from reverse_etl.destinations.klaviyo_profiles import KlaviyoAccount
from reverse_etl.process import this_holder
from reverse_etl.sync import book, marks
from reverse_etl.sync.calls import Calls, StoppedError
from reverse_etl.sync.imports import Imports
from reverse_etl.sync.klaviyo_lists import read_members
from reverse_etl.sync.mirror import LISTS, ON_THE_LIST, Mirror
from reverse_etl.sync.sync import Parts, SyncReport, keeper_of, open_parts, sync_with, take_in

REPAIR = "mirror_repair"


@dataclass(frozen=True, slots=True)
class Drift:
    """What a read-back found of a list: ``missing`` are confirmed and not there, ``unexpected`` the other way round.

    ``problem`` says why it could not be read. It holds no address; ``sample`` are ids of the missing.
    """

    mirror: Mirror
    there: int = 0
    missing: int = 0
    unexpected: int = 0
    sample: tuple[str, ...] = ()
    problem: str | None = None


_Say = Callable[[Drift], None]


def read_back(
    settings: Settings,
    *,
    destinations: Collection[str] | None = None,
    on_progress: Callable[[str], None] = lambda _line: None,
) -> list[Drift]:
    """Read every mirrored list and say how it differs from what was confirmed; nothing is changed there."""
    with open_parts(settings, on_progress=on_progress) as parts:
        return [] if parts is None else read_back_with(parts, destinations=destinations)


def read_back_with(parts: Parts, *, destinations: Collection[str] | None = None) -> list[Drift]:
    """Read back with parts that are already open; see ``read_back``."""
    return asyncio.run(_read_all(parts, _lists(parts, destinations)))


def repair(
    settings: Settings,
    *,
    destinations: Collection[str] | None = None,
    on_progress: Callable[[str], None] = lambda _line: None,
    by: str | None = None,
) -> SyncReport:
    """Read the lists and bring them to what is wanted: who is missing is put on, who is unexpected is taken off."""
    with open_parts(settings, on_progress=on_progress) as parts:
        return SyncReport(None) if parts is None else repair_with(parts, destinations=destinations, by=by)


def repair_with(
    parts: Parts, *, destinations: Collection[str] | None = None, by: str | None = None
) -> SyncReport:
    """Repair with parts that are already open; see ``repair``."""

    def say(drift: Drift) -> None:
        subject = {
            "destination": drift.mirror.destination,
            "list_id": drift.mirror.target,
            "missing": drift.missing,
            "unexpected": drift.unexpected,
        }
        land_operation(parts.log, parts.clock, REPAIR, subject, by=by)
        crash_point("mirror_repair_landed")

    asyncio.run(_read_all(parts, _lists(parts, destinations), say))
    return sync_with(parts, destinations=destinations, kinds=[LISTS])


def _lists(parts: Parts, destinations: Collection[str] | None) -> list[Mirror]:
    return [one for one in parts.wanted.lists() if destinations is None or one.destination in destinations]


async def _read_all(parts: Parts, mirrors: Sequence[Mirror], say: _Say | None = None) -> list[Drift]:
    stamina.instrumentation.set_on_retry_hooks(())
    found = []
    for mirror in mirrors:
        account = parts.accounts.get(mirror.destination)
        if not isinstance(account, KlaviyoAccount):
            found.append(Drift(mirror, problem=parts.missing.get(mirror.destination, "it has no lists")))
            continue
        async with account.caller() as caller:
            calls = Calls(caller, account.account, parts.patience, parts.rates)
            found.append(await _read(parts, mirror, calls, say))
        parts.on_progress(f"{mirror}: {found[-1].there} members read")
    return found


async def _read(parts: Parts, mirror: Mirror, calls: Calls, say: _Say | None) -> Drift:
    holder = str(this_holder())
    with parts.ledger.write() as connection:
        if not marks.claim(connection, mirror, holder, parts.clock.now()):
            return Drift(mirror, problem="a sync works on it; try again when it is over")
    try:
        take_in(parts, mirror)
        # what is still on its way would look like drift
        await Imports(keeper_of(parts, mirror, calls), mirror.target).resolve()
        there = {email: profile_id async for email, profile_id in read_members(calls, mirror.target)}
    except StoppedError as error:
        return Drift(mirror, problem=str(error))
    else:
        return _compare(parts, mirror, there, say)
    finally:
        with parts.ledger.write() as connection:
            marks.release(connection, mirror, holder)


def _compare(parts: Parts, mirror: Mirror, there: dict[str, str], say: _Say | None) -> Drift:
    """Note what differs. Where it is to be mended that is said first: a crash since then says it again, never not."""
    with parts.ledger.write() as connection:
        known = book.confirmed_items(connection, mirror)
        missing = sorted(known.keys() - there.keys())
        unexpected = sorted(there.keys() - known.keys())
        marks.note_drift(connection, mirror, len(missing), len(unexpected), parts.clock.now())
        book.note_ids(connection, mirror, there)
    crash_point("sync_read_back")
    sample = tuple(known[email] for email in missing[:10])
    drift = Drift(mirror, len(there), len(missing), len(unexpected), sample)
    if say is None or not (missing or unexpected):
        return drift
    say(drift)
    with parts.ledger.write() as connection:
        book.add_unexpected(connection, mirror, {email: there[email] for email in unexpected})
        found = [(email, None) for email in missing] + [(email, ON_THE_LIST) for email in unexpected]
        book.believe(connection, mirror, found)
        marks.note_drift(connection, mirror, 0, 0, parts.clock.now())
    return drift
