"""Traits of people at AIQ: custom attributes of personas, one persona a call."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from reverse_etl.destinations import aiq_attributes as api
from reverse_etl.destinations.aiq import said
from reverse_etl.destinations.http import is_refusal, json_object
from reverse_etl.sync import book
from reverse_etl.sync.book import Outcome, Sending
from reverse_etl.sync.keeper import Keeper
from reverse_etl.sync.klaviyo_traits import raise_first
from reverse_etl.sync.mirror import Item, Profile

_AT_A_TIME = 500


async def keep_attributes(keeper: Keeper, account: api.AiqAccount) -> None:
    """Tell AIQ the traits that are not as they are wanted there."""
    with keeper.ledger.write() as connection:
        # of what was begun and not answered nobody knows; it is set again
        book.let_go(connection, keeper.mirror)
    for failed in (False, True):
        after = ""
        while items := keeper.due(after=after, limit=_AT_A_TIME, failed=failed):
            after = items[-1].item
            told = _told(keeper, items)
            for first in range(0, len(told), api.CONCURRENCY):
                await _send(keeper, account, told[first : first + api.CONCURRENCY])


def _told(keeper: Keeper, items: Sequence[Item]) -> list[tuple[Item, Profile, dict[str, str]]]:
    """Return whom AIQ is told of, with the identifiers that are open."""
    profiles = keeper.wanted.profiles(keeper.mirror.destination, [item.item for item in items])
    known = list(profiles.values())
    closed = keeper.closed("email", [profile.email for profile in known if profile.email])
    closed |= keeper.closed("sms", [profile.phone for profile in known if profile.phone])
    found = []
    for item in items:
        profile = profiles.get(item.item)
        if profile is None:
            continue
        addresses = {"phone": profile.phone, "email": profile.email}
        identifiers = {key: value for key, value in addresses.items() if value and value not in closed}
        if identifiers:
            if profile.flowhub_customer_id:
                identifiers["srcID"] = profile.flowhub_customer_id
            found.append((item, profile, identifiers))
    return found


async def _send(
    keeper: Keeper, account: api.AiqAccount, told: Sequence[tuple[Item, Profile, dict[str, str]]]
) -> None:
    keeper.check_time()
    keeper.begin(
        [
            Sending(item.item, profile.fingerprint, tuple(sorted({*item.fields, *profile.known})))
            for item, profile, _ in told
        ]
    )
    # a field that is not listed any more is cleared, too
    bodies = [
        api.attributes_of(identifiers, {**dict.fromkeys(item.fields), **profile.traits})
        for item, profile, identifiers in told
    ]
    answers = await asyncio.gather(
        *(keeper.calls.make(account.limits, "PUT", api.ATTRIBUTES, body) for body in bodies),
        return_exceptions=True,
    )
    keeper.settle(
        [
            Outcome(item.item, _refusal(answer, body), None, profile.known)
            for (item, profile, _), body, answer in zip(told, bodies, answers, strict=True)
            if isinstance(answer, httpx.Response)
        ]
    )
    raise_first(answers)


def _refusal(response: httpx.Response, body: Mapping[str, Any]) -> str | None:
    envelope = json_object(response)
    if is_refusal(response):
        return f"HTTP {response.status_code}{said(envelope, body)}"
    if envelope is not None and envelope.get("success") is False:
        return f"HTTP {response.status_code}, success false{said(envelope, body)}"
    return None
