"""Traits of people at Klaviyo: in bulk, and one by one where a field is to be cleared or the bulk has refused her."""

import asyncio
from collections.abc import Sequence

from reverse_etl.destinations import klaviyo_profiles as api
from reverse_etl.destinations.http import is_refusal, json_object
from reverse_etl.destinations.klaviyo import said
from reverse_etl.sync.book import Outcome
from reverse_etl.sync.calls import StoppedError
from reverse_etl.sync.imports import Entry, Imports
from reverse_etl.sync.keeper import Keeper
from reverse_etl.sync.mirror import Item, Profile

FEW = 20  # people for whom no job is worth its waiting
_IN_FLIGHT = 16


async def keep_traits(keeper: Keeper) -> None:
    """Tell Klaviyo the traits that are not as they are wanted there."""
    imports = Imports(keeper)
    await imports.resolve()
    for failed in (False, True):
        after = ""
        while items := keeper.due(after=after, limit=api.MOST_PROFILES, failed=failed):
            after = items[-1].item
            await _send(keeper, imports, items, failed=failed)
    await imports.resolve()


async def _send(keeper: Keeper, imports: Imports, items: Sequence[Item], *, failed: bool) -> None:
    profiles = keeper.wanted.profiles(keeper.mirror.destination, [item.item for item in items])
    closed = keeper.closed("email", [profile.email for profile in profiles.values() if profile.email])
    # who is not published any more is no longer wanted, and who closed her address since is not told of
    told = [
        (item, profile)
        for item in items
        if (profile := profiles.get(item.item)) is not None
        and profile.email is not None
        and profile.email not in closed
    ]
    alone = [pair for pair in told if failed or len(told) < FEW or _has_to_clear(*pair)]
    in_bulk = {item.item for item, _ in told} - {item.item for item, _ in alone}
    await imports.send([_entry(item, profile) for item, profile in told if item.item in in_bulk])
    for first in range(0, len(alone), _IN_FLIGHT):
        await _send_alone(keeper, alone[first : first + _IN_FLIGHT])


def _has_to_clear(item: Item, profile: Profile) -> bool:
    """Say whether a field may hold a value there that is to hold none: a job can't take it away."""
    return bool(set(item.fields) - set(profile.known))


def _entry(item: Item, profile: Profile) -> Entry:
    fields = tuple(sorted({*item.fields, *profile.known}))
    return Entry(item.item, profile.fingerprint, fields, api.profile_of(profile.email or "", profile.traits))


async def _send_alone(keeper: Keeper, pairs: Sequence[tuple[Item, Profile]]) -> None:
    keeper.check_time()
    entries = [_entry(item, profile) for item, profile in pairs]
    keeper.begin(entries)
    # a field that is not listed any more is cleared, too
    bodies = [
        api.one_import(profile.email or "", {**dict.fromkeys(item.fields), **profile.traits})
        for item, profile in pairs
    ]
    answers = await asyncio.gather(
        *(keeper.calls.make((api.ONE_IMPORT,), "POST", api.IMPORT, body) for body in bodies),
        return_exceptions=True,
    )
    outcomes = []
    for (item, profile), body, answer in zip(pairs, bodies, answers, strict=True):
        if isinstance(answer, BaseException):
            continue
        document = json_object(answer)
        if is_refusal(answer):
            outcomes.append(Outcome(item.item, f"HTTP {answer.status_code}{said(document, body)}"))
        else:
            vendor_id = ((document or {}).get("data") or {}).get("id")
            outcomes.append(Outcome(item.item, None, vendor_id, profile.known))
    keeper.settle(outcomes)
    raise_first(answers)


def raise_first(answers: Sequence[object]) -> None:
    """Raise what went wrong with one of several calls: first what is no vendor's fault."""
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    for error in sorted(errors, key=lambda error: isinstance(error, StoppedError)):
        raise error
