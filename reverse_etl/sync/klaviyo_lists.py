"""Lists at Klaviyo: who is to be taken off, then who is to be put on. Being on a list is no consent."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from reverse_etl.destinations import klaviyo_profiles as api
from reverse_etl.destinations.http import is_refusal, json_object
from reverse_etl.destinations.klaviyo import said
from reverse_etl.sync.book import NOTHING, Outcome, Sending
from reverse_etl.sync.calls import Calls, StoppedError
from reverse_etl.sync.imports import Entry, Imports
from reverse_etl.sync.keeper import Keeper
from reverse_etl.sync.mirror import ON_THE_LIST, Item

_NOT_FOUND = 404


async def keep_list(keeper: Keeper) -> None:
    """Take off the list and put on it whoever is not where she is wanted."""
    imports = Imports(keeper, keeper.mirror.target)
    await imports.resolve()
    for failed in (False, True):
        after = ""
        while items := keeper.due(after=after, limit=api.MOST_REMOVALS, is_wanted=False, failed=failed):
            after = items[-1].item
            await _remove(keeper, {item.item: item.vendor_id for item in items})
    for failed in (False, True):
        after = ""
        while items := keeper.due(after=after, limit=api.MOST_PROFILES, failed=failed):
            after = items[-1].item
            await _add(keeper, imports, items)
    await imports.resolve()


async def _add(keeper: Keeper, imports: Imports, items: Sequence[Item]) -> None:
    closed = keeper.closed("email", [item.item for item in items])
    await imports.send(
        [
            Entry(item.item, ON_THE_LIST, (), api.profile_of(item.item))
            for item in items
            if item.item not in closed  # the next published set does not want her
        ]
    )


async def _remove(keeper: Keeper, ids: Mapping[str, str | None], *, is_told_again: bool = False) -> None:
    """Take addresses off the list, by the profile ids that they have there."""
    keeper.check_time()
    keeper.begin([Sending(email, NOTHING, ()) for email in ids])
    unknown = [email for email, vendor_id in ids.items() if vendor_id is None]
    found = {email: vendor_id for email, vendor_id in ids.items() if vendor_id is not None}
    for first in range(0, len(unknown), api.PAGE):
        asked = unknown[first : first + api.PAGE]
        members = read_members(keeper.calls, keeper.mirror.target, asked)
        found |= {email: profile_id async for email, profile_id in members if email in ids}
    # who is not on the list needs no taking off
    keeper.settle([Outcome(email) for email in ids if email not in found], is_removal=True)
    if not found:
        return
    body = api.removal(list(found.values()))
    path = api.removals_path(keeper.mirror.target)
    response = await keeper.calls.make((api.REMOVE,), "DELETE", path, body, may_lack=True)
    if not is_refusal(response):
        keeper.settle([Outcome(email) for email in found], is_removal=True)
        return
    reason = f"HTTP {response.status_code}{said(json_object(response), body)}"
    if not is_told_again and any(ids.values()):
        # profiles become one at Klaviyo, too: the ids are looked up, and told once more
        await _remove(keeper, dict.fromkeys(found), is_told_again=True)
    elif response.status_code == _NOT_FOUND:
        raise _no_such_list(reason)
    elif len(found) == 1:
        keeper.settle([Outcome(email, reason) for email in found])
    else:
        emails = list(found)
        half = len(emails) // 2
        for part in (emails[:half], emails[half:]):
            await _remove(keeper, dict.fromkeys(part), is_told_again=True)


async def read_members(
    calls: Calls, list_id: str, emails: Sequence[str] = ()
) -> AsyncIterator[tuple[str, str]]:
    """Yield the e-mail (in lower case) and profile id of a list's members: of all, or of some by their e-mails."""
    path: str | None = api.members_path(list_id, emails)
    while path is not None:
        response = await calls.make((api.READ_LIST,), "GET", path, may_lack=True)
        document = json_object(response)
        if is_refusal(response) or document is None:
            raise _no_such_list(f"HTTP {response.status_code}{said(document, {'emails': list(emails)})}")
        for profile in document.get("data") or []:
            email = _email(profile)
            if email is not None:
                yield email, str(profile["id"])
        path = api.next_page(document)


def _email(profile: Mapping[str, Any]) -> str | None:
    email = (profile.get("attributes") or {}).get("email")
    return email.strip().casefold() if isinstance(email, str) and email.strip() else None


def _no_such_list(reason: str) -> StoppedError:
    return StoppedError(f"{reason}; check the list's id under mirror: in the audience's YAML")
