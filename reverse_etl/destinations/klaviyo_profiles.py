"""Klaviyo: profiles and the members of lists.

Call      ``POST /api/profile-bulk-import-jobs`` (bulk_import_profiles): up to 10,000 profiles, 5 MB, 100 KB each, and
          with a list as relationship their membership too; 202 = queued. Who has an e-mail needs no profile id.
          ``GET …/{job_id}`` tells queued, processing, complete or cancelled; ``GET …/{id}/import-errors`` the
          profiles that were refused, by pointer, 100 a page. It can't clear a field.
          ``POST /api/profile-import`` (create_or_update_profile): one profile; ``meta.patch_properties.unset``
          clears fields. Answers with the profile's id.
          ``GET /api/lists/{id}/profiles`` (get_profiles_for_list): 100 a page, or ``filter=any(email,[…])``.
          ``DELETE /api/lists/{id}/relationships/profiles`` (remove_profiles_from_list): up to 1,000 profile ids, 204.
Source    Klaviyo's OpenAPI document, revision 2026-07-15. Scopes of the key: profiles:read, profiles:write, lists:read,
          lists:write; never subscriptions:write: being on a list is no consent, and none is ever given here.
Limits    ``x-klaviyo-ratelimit`` of each operation, below: each has a quota of its own.
Repeats   all of them may be made twice. But of a job whose answer was lost nobody knows whether it still waits there,
          and it could undo what is newer: what is in doubt is sent again once the account has no unfinished import.
Identity  the e-mail alone. Our ``customer_id`` is not told: after a merge of two people it would contradict.
Answers   JSON:API errors with ``code`` and ``source.pointer``. 401/403 stops the sync; 404 of a list names the mirror.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
from pyrate_limiter import Duration, Rate

from perennial.clock import Clock
from reverse_etl.destinations.base import Limit
from reverse_etl.destinations.http import Caller, new_client
from reverse_etl.destinations.klaviyo import headers_of

JOBS: Final = "/api/profile-bulk-import-jobs"
IMPORT: Final = "/api/profile-import"
LISTS: Final = "/api/lists"
MOST_PROFILES = 10_000
MOST_BYTES = 5_000_000
MOST_BYTES_OF_A_PROFILE = 100_000
MOST_REMOVALS = 1_000
PAGE = 100
_TIMEOUT = httpx.Timeout(60, connect=5)


def _limit(operation: str, burst: int, steady: int) -> Limit:
    return Limit(operation, (Rate(burst, Duration.SECOND), Rate(steady, Duration.MINUTE)))


BULK_IMPORT = _limit("bulk_import_profiles", 10, 150)
READ_JOB = _limit("get_bulk_import_profiles_job", 10, 150)
READ_JOBS = _limit("get_bulk_import_profiles_jobs", 10, 150)
READ_ERRORS = _limit("get_errors_for_bulk_import_profiles_job", 10, 150)
ONE_IMPORT = _limit("profiles", 75, 750)  # counted with the profiles of closed addresses
READ_LIST = _limit("get_profiles_for_list", 75, 750)
REMOVE = _limit("remove_profiles_from_list", 10, 150)


@dataclass(frozen=True)
class KlaviyoAccount:
    """One Klaviyo account, known by its private key; ``account`` is that of its enrollments."""

    base_url: str
    api_key: str = field(repr=False)
    clock: Clock

    @property
    def account(self) -> str:
        """Whose limits are used up."""
        return f"klaviyo {self.base_url}"

    def caller(self) -> Caller:
        """Return what makes the calls of one run, to be entered and left."""

        def make() -> httpx.AsyncClient:
            headers = headers_of(self.api_key)
            return new_client(self.base_url, headers, keeps_connections=True, timeout=_TIMEOUT)

        return Caller(make, self.clock, "KLAVIYO_API_KEY", "KLAVIYO_BASE_URL")


def profile_of(email: str, traits: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a profile with what is known; a field without a value is left out, and so stays as it is there."""
    attributes: dict[str, Any] = {"email": email}
    if traits is not None:
        attributes["properties"] = {name: value for name, value in traits.items() if value is not None}
    return {"type": "profile", "attributes": attributes}


def one_import(email: str, traits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of one profile's import: fields without a value are cleared."""
    unset = sorted(name for name, value in traits.items() if value is None)
    profile = profile_of(email, traits)
    if unset:
        profile["meta"] = {"patch_properties": {"unset": unset}}
    return {"data": profile}


def bulk_import(profiles: Sequence[Mapping[str, Any]], list_id: str | None = None) -> dict[str, Any]:
    """Return the body of a job; with a list they are put on it."""
    data: dict[str, Any] = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": list(profiles)}},
    }
    if list_id is not None:
        data["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id}]}}
    return {"data": data}


def removal(profile_ids: Sequence[str]) -> dict[str, Any]:
    """Return the body that takes profiles off a list."""
    return {"data": [{"type": "profile", "id": profile_id} for profile_id in profile_ids]}


def size_of(profile: Mapping[str, Any]) -> int:
    """Return how many bytes a profile is in a body."""
    return len(json.dumps(profile, ensure_ascii=False).encode()) + 1


def job_path(job_id: str) -> str:
    """Return where a job is read."""
    return f"{JOBS}/{quote(job_id, safe='')}"


def unfinished_jobs_path() -> str:
    """Return where the imports are read that the account has still to make."""
    asked = {"filter": 'any(status,["queued","processing"])', "page[size]": str(PAGE)}
    return f"{JOBS}?{urlencode(asked)}"


def errors_path(job_id: str) -> str:
    """Return where the errors of a job are read, from the first page."""
    return f"{job_path(job_id)}/import-errors?{urlencode({'page[size]': str(PAGE)})}"


def members_path(list_id: str, emails: Sequence[str] = ()) -> str:
    """Return where the members of a list are read, from the first page: all of them, or some by e-mail."""
    asked = {"fields[profile]": "email", "page[size]": str(PAGE)}
    if emails:
        asked["filter"] = f"any(email,{json.dumps(list(emails))})"
    return f"{LISTS}/{quote(list_id, safe='')}/profiles?{urlencode(asked)}"


def removals_path(list_id: str) -> str:
    """Return where profiles are taken off a list."""
    return f"{LISTS}/{quote(list_id, safe='')}/relationships/profiles"


def next_page(document: Mapping[str, Any] | None) -> str | None:
    """Return the path of the page after a document's, None at the last; the account's own address stays in force."""
    links = (document or {}).get("links")
    following = links.get("next") if isinstance(links, dict) else None
    _, api, rest = following.partition("/api/") if isinstance(following, str) else ("", "", "")
    return f"{api}{rest}" or None
