"""AIQ (Alpine IQ): enrollments as Flow Integrator Events.

Call      ``POST {AIQ_BASE_URL}/api/v2/integrators/events/ingest``, header ``X-APIKEY``; one event a call.
Source    https://help.aiq.com/en/articles/14210195-flow-integrator-events (fields, slug rule, header).
Limits    5 a second, 120 a minute, 2,000 an hour: found in one client's code only, AIQ publishes none; a
          constructor argument.
Repeats   nothing documented dedupes an event, so a call whose outcome is unknown is never made again. Each
          event carries our ``enrollment_id``, for a person who looks there.
Retries   only what certainly had no effect: not connected, 429, 425, 503 with ``Retry-After``.
Answers   a JSON envelope; ``success: false`` in a 2xx is a refusal (seen in clients' code). 401/403 stops the
          run.
Traits    every field that ``event`` ever held becomes a trait of the account for good: keys of a context are
          stable.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pyrate_limiter import Duration, Rate

from perennial.clock import Clock
from reverse_etl.addresses import CHANNELS, Channel
from reverse_etl.destinations.base import ONE, Answer, Batch, Effect, Limit, RefusedError
from reverse_etl.destinations.http import Caller, certificates, is_refusal, json_object
from reverse_etl.destinations.scrub import scrub
from reverse_etl.ledger.rows import Enrollment

INGEST = "/api/v2/integrators/events/ingest"
DEFAULT_RATES = (Rate(5, Duration.SECOND), Rate(120, Duration.MINUTE), Rate(2_000, Duration.HOUR))
_EVENT_NAME = re.compile(r"[a-z0-9_]+")
_TIMEOUT = httpx.Timeout(20, connect=5)


@dataclass(frozen=True)
class Aiq:
    """One AIQ account, known by its key; an integrator's slug names us there."""

    base_url: str
    api_key: str = field(repr=False)
    integrator_slug: str
    clock: Clock
    rates: Sequence[Rate] = DEFAULT_RATES
    concurrency: int = 4
    name: str = "aiq"
    dedupes: bool = False
    channels: Collection[Channel] = CHANNELS

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
        return f"{self.name} {self.base_url} {self.integrator_slug}"

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the event; identifiers of a channel that is not used are not in it."""
        if not _EVENT_NAME.fullmatch(row.flow_name):
            raise RefusedError("flow_name can't be an AIQ event name: only a-z, 0-9 and _ are")
        identifiers = {
            "phone": row.address("sms") if "sms" in channels else None,
            "email": row.address("email") if "email" in channels else None,
            "srcID": row.recipient.get("flowhub_customer_id"),
        }
        return {
            "integratorSlug": self.integrator_slug,
            "eventName": row.flow_name,
            "eventDisplayName": row.flow_display_name,
            "timestamp": int(row.triggered_at.timestamp()),
            "event": {
                **row.context,
                "enrollment_id": row.enrollment_id,
                "flow": row.flow_name,
                "channels": ",".join(channels),
            },
            **{key: value for key, value in identifiers.items() if value},
        }

    @asynccontextmanager
    async def session(self) -> AsyncIterator["_Session"]:
        """Open connections for one run."""
        caller = Caller(self._client, self.clock, "AIQ_API_KEY", "AIQ_BASE_URL")
        try:
            yield _Session(caller)
        finally:
            await caller.close()

    def _client(self) -> httpx.AsyncClient:
        """Return a client that makes a new connection for each call.

        A kept connection that the server closes in the moment we write looks like a lost answer, and here a
        lost answer needs a person.
        """
        return httpx.AsyncClient(
            base_url=self.base_url,
            headers={"X-APIKEY": self.api_key},
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_keepalive_connections=0),
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
        response = await self.caller.post(INGEST, body)
        if isinstance(response, Answer):
            return response
        envelope = json_object(response)
        if is_refusal(response):
            return Answer(Effect.REFUSED, f"HTTP {response.status_code}{_said(envelope, body)}")
        if envelope is None and response.content:
            return Answer(Effect.UNKNOWN, f"HTTP {response.status_code} without AIQ's JSON envelope")
        if envelope is not None and envelope.get("success") is False:
            return Answer(
                Effect.REFUSED, f"HTTP {response.status_code}, success false{_said(envelope, body)}"
            )
        return Answer(Effect.TAKEN)


def _said(envelope: Mapping[str, Any] | None, sent: Mapping[str, Any]) -> str:
    """Return the envelope's first error message, scrubbed."""
    errors = (envelope or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    message = first.get("message") if isinstance(first, dict) else first
    return f": {scrub(message, sent)}" if isinstance(message, str) and message else ""
