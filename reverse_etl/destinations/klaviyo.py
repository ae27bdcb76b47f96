"""Klaviyo: enrollments as events of a metric that triggers the flow there; their ends; closed addresses.

Calls     ``POST {KLAVIYO_BASE_URL}`` and
          ``/api/events`` (create_event): one event, 202 = validated and queued. The metric is the flow's display name;
          of the end of an enrollment, that name and *ended*.
          ``/api/event-bulk-create-jobs`` (bulk_create_events): up to 1,000 events and 5 MB, 202 = a job.
          ``/api/profile-import`` (create_or_update_profile): a closed address, as properties of the profile
          (``perennial_email_consent`` and its time and reason).
          ``/api/profile-suppression-bulk-create-jobs`` (bulk_suppress_profiles): the same address suppressed, with a
          key of its own and only where there is one, for it needs the scope subscriptions:write.
Source    Klaviyo's OpenAPI document, of the revision below. The key's scopes: events:write, profiles:write,
          for erasures data-privacy:write, and never subscriptions:write. No call that lifts a consent exists here.
Erasure   ``POST {KLAVIYO_BASE_URL}/api/data-privacy-deletion-jobs`` (request_profile_deletion), one e-mail a call,
          202 = will be deleted, with all profiles that have it. 3 a second, 60 a minute; a refusal for that is told
          and the erasure stays open.
Limits    ``x-klaviyo-ratelimit``, for the whole account: create_event 350 a second and 3,500 a minute, the job 10 and
          150, the two of closed addresses 75 and 750. So a job is worth its call from 24 events on (3,500 / 150):
          where fewer wait, each goes alone and is queued sooner.
Repeats   ``unique_id`` = our own id. In single events one that is repeated for the same profile and metric is dropped:
          only the first is recorded. In a job it fails the whole request, and the document does not say whether an id
          of an earlier request counts. So a job holds only what was never attempted, and each id once; where its
          outcome is unknown its rows go alone, with the same frozen profile, and are dropped if they were taken.
          Setting the same properties twice, or suppressing twice, changes nothing.
Alone     what was attempted before; an end, which must not wait in a job while the flow goes on; a closed address.
Retries   everything but refusals: time-outs, resets, 5xx, and what had no effect. A job that is refused had no effect
          and is sent again in halves, until the bad event is alone and refused by itself.
Answers   JSON:API errors with ``code`` and ``source.pointer``. 401/403 stops the run.
SMS       never: Klaviyo and its carriers forbid cannabis content in text messages. A row without ``email`` is
          refused, and no phone number is ever in a body.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import httpx
from pyrate_limiter import Duration, Rate

from perennial.clock import Clock
from reverse_etl.addresses import Channel
from reverse_etl.destinations import klaviyo_bodies
from reverse_etl.destinations.base import Answer, Batch, Effect, Limit, RefusedError
from reverse_etl.destinations.head import Head
from reverse_etl.destinations.http import Caller, is_refusal, json_object, new_client
from reverse_etl.destinations.klaviyo_bodies import is_event
from reverse_etl.destinations.parts import ended_name
from reverse_etl.destinations.scrub import scrub
from reverse_etl.kinds import EXIT, OPT_OUT
from reverse_etl.ledger.rows import Enrollment

EVENTS = "/api/events"
BULK = "/api/event-bulk-create-jobs"
IMPORT = "/api/profile-import"
SUPPRESSIONS = "/api/profile-suppression-bulk-create-jobs"
DELETIONS = "/api/data-privacy-deletion-jobs"
# Klaviyo keeps a revision for two years. Raise it together with a reading of the new document.
REVISION = "2026-07-15"
DEFAULT_RATES = (Rate(350, Duration.SECOND), Rate(3_500, Duration.MINUTE))
BULK_RATES = (Rate(10, Duration.SECOND), Rate(150, Duration.MINUTE))
PROFILE_RATES = (Rate(75, Duration.SECOND), Rate(750, Duration.MINUTE))
MOST_EVENTS = 1_000
LEAST_EVENTS = 24
_BATCH = Batch(most=MOST_EVENTS, least=LEAST_EVENTS)
_CHANNELS: tuple[Channel, ...] = ("email",)


@dataclass(frozen=True)
class Klaviyo(Head):
    """One Klaviyo account, known by its private key; another key may suppress."""

    base_url: str
    api_key: str = field(repr=False)
    clock: Clock
    _: KW_ONLY
    suppression_key: str | None = field(default=None, repr=False)
    name: str = "klaviyo"
    dedupes: bool = True
    concurrency: int = 16
    channels: Collection[Channel] = _CHANNELS
    batch: Batch = _BATCH
    rates: Sequence[Rate] = DEFAULT_RATES
    bulk_rates: Sequence[Rate] = BULK_RATES
    profile_rates: Sequence[Rate] = PROFILE_RATES

    @property
    def account(self) -> str:
        """Whose limits are used up."""
        return f"{self.name} {self.base_url}"

    def limit(self, rows: int, *, is_opt_out: bool = False) -> Limit:
        """Return the quota of a job, of single events, or of each of the two calls of a closed address."""
        if is_opt_out:
            return Limit("profiles", tuple(self.profile_rates))
        return Limit("jobs", tuple(self.bulk_rates)) if rows > 1 else Limit("events", tuple(self.rates))

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the event, or the profile of a closed address; refuses a row that e-mail does not reach."""
        used = row.channels if row.kind == OPT_OUT else channels
        email = row.address("email") if "email" in used else None
        if email is None:
            raise RefusedError("Klaviyo takes e-mail only, and email is not among the open channels")
        if row.kind == OPT_OUT:
            return klaviyo_bodies.closed_address(email, row.context)
        if row.kind == EXIT:
            return klaviyo_bodies.event(row, email, ended_name(row))
        return klaviyo_bodies.event(row, email, row.flow_display_name)

    @asynccontextmanager
    async def session(self) -> AsyncIterator["_Session"]:
        """Open connections for one run; they are kept, because a lost answer is asked for again."""
        async with AsyncExitStack() as stack:
            caller = await stack.enter_async_context(self._caller(self.api_key, "KLAVIYO_API_KEY"))
            suppressor = None
            if self.suppression_key is not None:
                suppressor = await stack.enter_async_context(
                    self._caller(self.suppression_key, "KLAVIYO_SUPPRESSION_API_KEY")
                )
            yield _Session(caller, suppressor)

    async def forget(self, email: str) -> Answer:
        """Ask for the deletion of every profile with an e-mail address; a second request changes nothing."""
        attributes = {"profile": {"data": {"type": "profile", "attributes": {"email": email}}}}
        body = {"data": {"type": "data-privacy-deletion-job", "attributes": attributes}}
        async with self.session() as session:
            return await session.post(DELETIONS, body)

    def _caller(self, key: str, setting: str) -> Caller:
        def make() -> httpx.AsyncClient:
            return new_client(self.base_url, headers_of(key), keeps_connections=True)

        return Caller(make, self.clock, setting, "KLAVIYO_BASE_URL")


@dataclass(frozen=True)
class _Session:
    caller: Caller
    suppressor: Caller | None

    async def send(self, bodies: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Send one row, or several events in one job."""
        if len(bodies) == 1:
            return [await self._send_one(bodies[0])]
        content = klaviyo_bodies.job(bodies)
        if len(content) > klaviyo_bodies.MOST_BYTES:
            return [Answer(Effect.SPLIT, "the events are too large for one job")] * len(bodies)
        answer = await _posted(self.caller, BULK, content)
        if answer.effect is Effect.REFUSED:
            answer = Answer(Effect.SPLIT, answer.reason)
        return [answer] * len(bodies)

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Make one call."""
        return await _posted(self.caller, path, body)

    async def _send_one(self, body: Mapping[str, Any]) -> Answer:
        if is_event(body):
            return await self.post(EVENTS, body)
        answer = await self.post(IMPORT, body)
        if self.suppressor is None or answer.effect is not Effect.TAKEN:
            return answer
        return await _posted(self.suppressor, SUPPRESSIONS, klaviyo_bodies.suppression(body))


def headers_of(key: str) -> dict[str, str]:
    """Return the headers of every call: key, revision, JSON:API."""
    return {
        "Authorization": f"Klaviyo-API-Key {key}",
        "revision": REVISION,
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
    }


async def _posted(caller: Caller, path: str, body: Mapping[str, Any] | bytes) -> Answer:
    response = await caller.post(path, body)
    if isinstance(response, Answer):
        return response
    if is_refusal(response):
        return Answer(Effect.REFUSED, f"HTTP {response.status_code}{said(json_object(response), body)}")
    return Answer(Effect.TAKEN)


def said(document: Mapping[str, Any] | None, sent: Mapping[str, Any] | bytes) -> str:
    """Return the first JSON:API error: code, where it points, and of a single row its detail, scrubbed."""
    errors = (document or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return ""
    source = first.get("source")
    place = source.get("pointer") or source.get("parameter") if isinstance(source, dict) else None
    detail = str(first.get("detail") or first.get("title") or "")
    parts = [first.get("code"), place, scrub(detail, sent) if isinstance(sent, Mapping) else None]
    return "".join(f": {part}" for part in parts if isinstance(part, str) and part)
