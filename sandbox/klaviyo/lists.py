"""Klaviyo's lists and bulk imports of profiles: what takes effect when, and what can be read of it.

After its OpenAPI description (revision 2026-07-15). A job is queued, then processed, and takes effect at its end; until
then a newer import of a single profile may overtake it, as it may at the real one. An import error names the profile by
a pointer into the job; the others of the job take effect.

Not known of the real one, and so chosen here: how long a job takes, and that an address that is none is an import error
and no refusal of the job.
"""

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from sandbox.klaviyo.asked import BadParameterError
from sandbox.klaviyo.bodies import EMAIL, as_object, identity, profile_id_of, typed
from sandbox.klaviyo.refused import Refused

MOST_PROFILES = 10_000
MOST_BYTES_OF_A_PROFILE = 100 * 1024
MOST_REMOVALS = 1_000
PAGE, LARGEST_PAGE = 20, 100
NOT_FOUND = 404
# The lists of the sandbox's account; a job or a removal that names another one is refused.
LISTS = {"SbxVip": "VIP", "SbxGold": "Gold members", "SbxNews": "Newsletter"}


@dataclass
class Job:
    """A bulk import: its profiles, the list that they are put on, and when it began on the machine's clock."""

    job_id: str
    profiles: list[dict[str, Any]]
    list_id: str | None
    began: float
    is_applied: bool = False
    is_cancelled: bool = False
    errors: list[dict[str, Any]] = field(default_factory=list)


class Directory:
    """The account's profiles, lists and jobs. ``job_seconds`` is how long a job takes, half of it in the queue."""

    def __init__(self) -> None:
        """Start with empty lists."""
        self.profiles: dict[str, dict[str, Any]] = {}
        self.members: dict[str, dict[str, str]] = {list_id: {} for list_id in LISTS}
        self.jobs: dict[str, Job] = {}
        self.job_seconds = 0.2
        # What the vendor has against an address that looks right: e-mail → detail.
        self.refuses: dict[str, str] = {}

    def forget(self) -> None:
        """Drop everything but the lists themselves."""
        self.profiles.clear()
        self.jobs.clear()
        for members in self.members.values():
            members.clear()

    def begin(self, data: dict[str, Any], *, at_once: bool = False) -> Job:
        """Take a job in; ``Refused`` points at what is wrong with its form."""
        profiles, list_id = self._read(data)
        job = Job(f"{len(self.jobs):04d}{uuid.uuid4().hex[:20]}", profiles, list_id, time.monotonic())
        self.jobs[job.job_id] = job
        if at_once:
            self._apply(job)
        return job

    def advance(self) -> None:
        """Let the jobs whose time is over take effect, in the order in which they began."""
        for job in self.jobs.values():
            if not job.is_applied and time.monotonic() - job.began >= self.job_seconds:
                self._apply(job)

    def unfinished(self) -> int:
        """Return how many jobs have not taken effect yet."""
        self.advance()
        return sum(not job.is_applied for job in self.jobs.values())

    def import_one(self, attributes: dict[str, Any], meta: object = None) -> tuple[dict[str, Any], bool]:
        """Create or update a profile; return it and whether it was there. Null clears, what is absent stays."""
        email = str(attributes.get("email") or "").lower()
        if email in self.refuses:
            raise Refused(self.refuses[email], "/data/attributes/email")
        key = identity(attributes)
        known = key in self.profiles
        kept = self.profiles.setdefault(key, {"properties": {}})
        for name, value in attributes.items():
            if name == "properties":
                kept["properties"] |= value or {}
            elif value is None:
                kept.pop(name, None)
            else:
                kept[name] = value
        patch = meta.get("patch_properties") if isinstance(meta, dict) else None
        unset = patch.get("unset", []) if isinstance(patch, dict) else []
        for name in [unset] if isinstance(unset, str) else unset:
            kept["properties"].pop(name, None)
        kept["properties"] = {name: value for name, value in kept["properties"].items() if value is not None}
        return kept, known

    def remove(self, list_id: str, data: object) -> int:
        """Take profiles off a list, by their ids; one that is not on it stays off."""
        members = self._members(list_id)
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_REMOVALS:
            raise Refused(f"A call takes 1 to {MOST_REMOVALS} profiles.", "/data")
        ids = [typed(one, "profile", f"/data/{place}").get("id") for place, one in enumerate(data)]
        known = {profile_id_of(key): key for key in self.profiles}
        for place, profile_id in enumerate(ids):
            if profile_id not in known:
                raise Refused(
                    "Profile does not exist.", f"/data/{place}/id", status=NOT_FOUND, code="not_found"
                )
        for profile_id in ids:
            members.pop(known[str(profile_id)], None)
        return len(ids)

    def job(
        self, job_id: str, base: str, _params: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Any]:
        """Return how far a job has come."""
        return {"data": self._document(self._job(job_id), base), "links": {"self": base}}

    def all_jobs(self, base: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of the account's jobs."""
        statuses = _any(params.get("filter"), "status")
        self.advance()
        found = [
            document
            for job in self.jobs.values()
            if (document := self._document(job, base))
            and (not statuses or document["attributes"]["status"] in statuses)
        ]
        return _page(found, base, params)

    def import_errors(self, job_id: str, base: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of the errors of a job."""
        return _page(self._job(job_id).errors, base, params)

    def list_profiles(self, list_id: str, base: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of the profiles of a list."""
        members = self._members(list_id)
        emails = _any(params.get("filter"), "email")
        found = [
            {
                "type": "profile",
                "id": profile_id_of(key),
                "attributes": {**self.profiles[key], "joined_group_at": joined},
                "links": {"self": base},
            }
            for key, joined in members.items()
            if not emails or str(self.profiles[key].get("email")) in emails
        ]
        return _page(found, base, params)

    def delete(self, key: str) -> None:
        """Forget a profile everywhere."""
        self.profiles.pop(key, None)
        for members in self.members.values():
            members.pop(key, None)

    def _members(self, list_id: str) -> dict[str, str]:
        if list_id not in self.members:
            raise Refused("List does not exist.", {"parameter": "id"}, status=NOT_FOUND, code="not_found")
        self.advance()
        return self.members[list_id]

    def _job(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise Refused("Job does not exist.", {"parameter": "job_id"}, status=NOT_FOUND, code="not_found")
        self.advance()
        return self.jobs[job_id]

    def _read(self, data: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        typed(data, "profile-bulk-import-job", "/data")
        where = "/data/attributes/profiles"
        attributes = as_object(data.get("attributes"), "/data/attributes")
        profiles = as_object(attributes.get("profiles"), where).get("data")
        if not isinstance(profiles, list) or not 1 <= len(profiles) <= MOST_PROFILES:
            raise Refused(f"A job takes 1 to {MOST_PROFILES} profiles.", f"{where}/data")
        for place, profile in enumerate(profiles):
            at = f"{where}/data/{place}"
            as_object(typed(profile, "profile", at).get("attributes"), f"{at}/attributes")
            if len(json.dumps(profile).encode()) > MOST_BYTES_OF_A_PROFILE:
                raise Refused("The profile is too large.", at)
        lists = ((data.get("relationships") or {}).get("lists") or {}).get("data") or []
        if len(lists) > 1:
            raise Refused("A job takes one list.", "/data/relationships/lists/data")
        list_id = typed(lists[0], "list", "/data/relationships/lists/data/0").get("id") if lists else None
        if list_id is not None and list_id not in self.members:
            raise Refused(
                "List does not exist.",
                "/data/relationships/lists/data/0/id",
                status=NOT_FOUND,
                code="not_found",
            )
        return profiles, list_id

    def _apply(self, job: Job) -> None:
        job.is_applied = True
        for place, profile in enumerate(job.profiles):
            attributes = {name: value for name, value in profile["attributes"].items() if value is not None}
            email = str(attributes.get("email") or "")
            at = f"/data/attributes/profiles/data/{place}/attributes/email"
            if not EMAIL.fullmatch(email):
                job.errors.append(_error(at, "Invalid email address.", profile))
                continue
            try:
                self.import_one(attributes)
            except Refused as refused:
                job.errors.append(_error(at, refused.detail, profile))
                continue
            if job.list_id is not None:
                self.members[job.list_id].setdefault(identity(attributes), "2026-01-01T00:00:00+00:00")

    def _document(self, job: Job, base: str) -> dict[str, Any]:
        elapsed = time.monotonic() - job.began
        status = (
            "complete" if job.is_applied else "queued" if elapsed < self.job_seconds / 2 else "processing"
        )
        if job.is_cancelled:
            status = "cancelled"
        return {
            "type": "profile-bulk-import-job",
            "id": job.job_id,
            "attributes": {
                "status": status,
                "created_at": "2026-01-01T00:00:00+00:00",
                "total_count": len(job.profiles),
                "completed_count": len(job.profiles) - len(job.errors) if job.is_applied else 0,
                "failed_count": len(job.errors),
            },
            "links": {"self": base},
        }


def _error(pointer: str, detail: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "import-error",
        "id": str(uuid.uuid4()),
        "attributes": {
            "code": "invalid",
            "title": "Invalid input.",
            "detail": detail,
            "source": {"pointer": pointer},
            "original_payload": payload,
        },
    }


def _any(asked: str | None, name: str) -> list[str]:
    """Read ``any(name,["a","b"])`` and ``equals(name,"a")``."""
    if not asked:
        return []
    for operator in ("any", "equals"):
        opening = f"{operator}({name},"
        if asked.startswith(opening) and asked.endswith(")"):
            try:
                told = json.loads(asked[len(opening) : -1])
            except json.JSONDecodeError:
                break
            return [str(one) for one in (told if isinstance(told, list) else [told])]
    raise BadParameterError("filter", f"The filter is not one of {name}: any, equals.")


def _page(rows: Sequence[dict[str, Any]], base: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Return the page that is asked for, with the address of the next one."""
    size = params.get("page[size]", str(PAGE))
    if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE:
        raise BadParameterError("page[size]", f"The page size is 1 to {LARGEST_PAGE}.")
    start = 0
    if cursor := params.get("page[cursor]"):
        try:
            start = int(base64.urlsafe_b64decode(cursor.encode()))
        except (binascii.Error, ValueError):
            raise BadParameterError("page[cursor]", "Invalid cursor.") from None
    end = start + int(size)
    following = None
    if end < len(rows):
        told = {**params, "page[cursor]": base64.urlsafe_b64encode(str(end).encode()).decode()}
        following = f"{base}?{urlencode(told)}"
    return {"data": list(rows[start:end]), "links": {"self": base, "prev": None, "next": following}}
