"""Klaviyo: enrollments as events of a metric that triggers the flow there.

Call      ``POST {KLAVIYO_BASE_URL}/api/events`` (create_event), one event a call, 202 = validated and queued.
          The metric's name is the flow's display name.
Source    Klaviyo's OpenAPI document, of the revision below. The key's scopes: events:write, profiles:write,
          for erasures data-privacy:write, and never subscriptions:write.
Erasure   ``POST {KLAVIYO_BASE_URL}/api/data-privacy-deletion-jobs`` (request_profile_deletion), one e-mail a call,
          202 = will be deleted, with all profiles that have it. 3 a second, 60 a minute; a refusal for that is told
          and the erasure stays open.
Limits    350 a second, 3,500 a minute (``x-klaviyo-ratelimit`` of create_event), for the whole account.
Repeats   ``unique_id`` = our ``enrollment_id``: repeated for the same profile and metric only the first is
          recorded. So any call whose outcome is unknown is made again, with the same frozen profile.
Retries   everything but refusals: time-outs, resets, 5xx, and what had no effect.
Answers   JSON:API errors with ``code`` and ``source.pointer``. 401/403 stops the run.
SMS       never: Klaviyo and its carriers forbid cannabis content in text messages. A row without ``email`` is
          refused, and no phone number is ever in a body.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import httpx
from pyrate_limiter import Duration, Rate

from perennial.clock import Clock
from reverse_etl.addresses import Channel
from reverse_etl.destinations.base import ONE, Answer, Batch, Effect, Limit, RefusedError
from reverse_etl.destinations.http import Caller, certificates, is_refusal, json_object
from reverse_etl.destinations.scrub import scrub
from reverse_etl.ledger.rows import Enrollment

EVENTS = "/api/events"
DELETIONS = "/api/data-privacy-deletion-jobs"
# Klaviyo keeps a revision for two years. Raise it together with a reading of the new document.
REVISION = "2026-07-15"
DEFAULT_RATES = (Rate(350, Duration.SECOND), Rate(3_500, Duration.MINUTE))
_LONGEST_METRIC = 127
_CHANNELS: tuple[Channel, ...] = ("email",)
_TIMEOUT = httpx.Timeout(20, connect=5)


@dataclass(frozen=True)
class Klaviyo:
    """One Klaviyo account, known by its private key."""

    base_url: str
    api_key: str = field(repr=False)
    clock: Clock
    rates: Sequence[Rate] = DEFAULT_RATES
    concurrency: int = 16
    name: str = "klaviyo"
    dedupes: bool = True
    channels: Collection[Channel] = _CHANNELS

    @property
    def batch(self) -> Batch:
        """One row a call."""
        return ONE

    def limit(self, rows: int) -> Limit:
        """Return the account's one quota."""
        del rows
        return Limit("calls", tuple(self.rates))

    @property
    def account(self) -> str:
        """Whose limits are used up."""
        return f"{self.name} {self.base_url}"

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the event; refuses a row that e-mail does not reach."""
        email = row.address("email") if "email" in channels else None
        if email is None:
            raise RefusedError("Klaviyo takes e-mail only, and email is not among the open channels")
        if not 0 < len(row.flow_display_name) <= _LONGEST_METRIC:
            raise RefusedError(f"flow_display_name must have 1 to {_LONGEST_METRIC} characters for a metric")
        profile = {"email": email, "external_id": row.customer_id}
        return {
            "data": {
                "type": "event",
                "attributes": {
                    "unique_id": row.enrollment_id,
                    "time": row.triggered_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                    "properties": dict(row.context),
                    "metric": {"data": {"type": "metric", "attributes": {"name": row.flow_display_name}}},
                    "profile": {"data": {"type": "profile", "attributes": profile}},
                },
            }
        }

    @asynccontextmanager
    async def session(self) -> AsyncIterator["_Session"]:
        """Open connections for one run; they are kept, because a lost answer is asked for again."""
        caller = Caller(self._client, self.clock, "KLAVIYO_API_KEY", "KLAVIYO_BASE_URL")
        try:
            yield _Session(caller)
        finally:
            await caller.close()

    async def forget(self, email: str) -> Answer:
        """Ask for the deletion of every profile with an e-mail address; a second request changes nothing."""
        attributes = {"profile": {"data": {"type": "profile", "attributes": {"email": email}}}}
        body = {"data": {"type": "data-privacy-deletion-job", "attributes": attributes}}
        async with self.session() as session:
            return await session.post(DELETIONS, body)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.base_url,
            headers={
                "Authorization": f"Klaviyo-API-Key {self.api_key}",
                "revision": REVISION,
                "accept": "application/vnd.api+json",
                "content-type": "application/vnd.api+json",
            },
            timeout=_TIMEOUT,
            verify=certificates(),
            trust_env=False,
        )


@dataclass(frozen=True)
class _Session:
    caller: Caller

    async def send(self, bodies: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Send them one after another; a call takes one."""
        return [await self._send(body) for body in bodies]

    async def _send(self, body: Mapping[str, Any]) -> Answer:
        """Send one event."""
        return await self.post(EVENTS, body)

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Make one call."""
        response = await self.caller.post(path, body)
        if isinstance(response, Answer):
            return response
        if is_refusal(response):
            return Answer(Effect.REFUSED, f"HTTP {response.status_code}{_said(json_object(response), body)}")
        return Answer(Effect.TAKEN)


def _said(document: Mapping[str, Any] | None, sent: Mapping[str, Any]) -> str:
    """Return the first JSON:API error: code, where it points, and its detail, scrubbed."""
    errors = (document or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return ""
    source = first.get("source")
    place = source.get("pointer") or source.get("parameter") if isinstance(source, dict) else None
    parts = [first.get("code"), place, scrub(str(first.get("detail") or first.get("title") or ""), sent)]
    return "".join(f": {part}" for part in parts if isinstance(part, str) and part)
