"""AIQ (Alpine IQ): enrollments, their ends and closed addresses as Flow Integrator Events.

Call      ``POST {AIQ_BASE_URL}/api/v2/integrators/events/ingest``, header ``X-APIKEY``; one event a call.
Source    https://help.aiq.com/en/articles/14210195-flow-integrator-events (fields, slug rule, header).
Limits    5 a second, 120 a minute, 2,000 an hour: found in one client's code only, AIQ publishes none; a
          constructor argument.
Names     an enrollment is the event ``<flow>``, its end ``<flow>_ended``, a closed address ``address_opted_out`` with
          its channel: a flow there with a Persona Update node makes that an opt-out (docs/activation.md).
Repeats   nothing documented dedupes an event, so an enrollment whose outcome is unknown is never sent again. Each
          carries our ``enrollment_id``, for a person who looks there. An end or a closed address is told again:
          twice does no harm.
Retries   of enrollments only what certainly had no effect: not connected, 429, 425, 503 with ``Retry-After``.
Answers   a JSON envelope; ``success: false`` in a 2xx is a refusal (seen in clients' code). 401/403 stops the
          run.
Traits    every field that ``event`` ever held becomes a trait of the account for good: keys of a context are
          stable.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import httpx
from pyrate_limiter import Duration, Rate

from perennial.clock import Clock
from reverse_etl.addresses import Channel
from reverse_etl.destinations.base import Answer, Effect, RefusedError
from reverse_etl.destinations.head import Head
from reverse_etl.destinations.http import Caller, OneAtATime, is_refusal, json_object, new_client
from reverse_etl.destinations.parts import ended_enrollment, ended_name, identifiers
from reverse_etl.destinations.scrub import scrub
from reverse_etl.kinds import EXIT, OPT_OUT
from reverse_etl.ledger.rows import Enrollment

INGEST = "/api/v2/integrators/events/ingest"
DEFAULT_RATES = (Rate(5, Duration.SECOND), Rate(120, Duration.MINUTE), Rate(2_000, Duration.HOUR))
OPTED_OUT = "address_opted_out"
_NAMES = {"flowhub_customer_id": "srcID"}  # AIQ's own word for the till's id
_EVENT_NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class Aiq(Head):
    """One AIQ account, known by its key; an integrator's slug names us there."""

    base_url: str
    api_key: str = field(repr=False)
    integrator_slug: str
    clock: Clock
    _: KW_ONLY
    name: str = "aiq"
    dedupes: bool = False
    concurrency: int = 4
    rates: Sequence[Rate] = DEFAULT_RATES

    @property
    def account(self) -> str:
        """Whose limits are used up."""
        return f"{self.name} {self.base_url} {self.integrator_slug}"

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the event; identifiers of a channel that is not used are not in it."""
        if not _EVENT_NAME.fullmatch(row.flow_name):
            raise RefusedError("flow_name can't be an AIQ event name: only a-z, 0-9 and _ are")
        if row.kind == OPT_OUT:
            return self._event(
                row, row.channels, OPTED_OUT, "Address opted out", {"channel": row.channels[0]}
            )
        told = {"enrollment_id": ended_enrollment(row), "flow": row.flow_name}
        if row.kind == EXIT:
            name, shown = f"{row.flow_name}_ended", ended_name(row)
            return self._event(row, channels, name, shown, told)
        told["channels"] = ",".join(channels)
        return self._event(row, channels, row.flow_name, row.flow_display_name, told)

    def _event(
        self, row: Enrollment, channels: Sequence[Channel], name: str, shown: str, told: Mapping[str, str]
    ) -> Mapping[str, Any]:
        known = identifiers(row, channels)
        return {
            "integratorSlug": self.integrator_slug,
            "eventName": name,
            "eventDisplayName": shown,
            "timestamp": int(row.triggered_at.timestamp()),
            "event": {**row.context, **told},
            **{_NAMES.get(key, key): value for key, value in known.items()},
        }

    @asynccontextmanager
    async def session(self) -> AsyncIterator["_Session"]:
        """Open connections for one run."""
        async with Caller(self._client, self.clock, "AIQ_API_KEY", "AIQ_BASE_URL") as caller:
            yield _Session(caller)

    def _client(self) -> httpx.AsyncClient:
        return new_client(self.base_url, {"X-APIKEY": self.api_key}, keeps_connections=False)


@dataclass(frozen=True)
class _Session(OneAtATime):
    caller: Caller

    async def send_one(self, body: Mapping[str, Any]) -> Answer:
        """Send one event."""
        response = await self.caller.post(INGEST, body)
        if isinstance(response, Answer):
            return response
        envelope = json_object(response)
        if is_refusal(response):
            return Answer(Effect.REFUSED, f"HTTP {response.status_code}{said(envelope, body)}")
        if envelope is None and response.content:
            return Answer(Effect.UNKNOWN, f"HTTP {response.status_code} without AIQ's JSON envelope")
        if envelope is not None and envelope.get("success") is False:
            return Answer(Effect.REFUSED, f"HTTP {response.status_code}, success false{said(envelope, body)}")
        return Answer(Effect.TAKEN)


def said(envelope: Mapping[str, Any] | None, sent: Mapping[str, Any]) -> str:
    """Return the envelope's first error message, scrubbed."""
    errors = (envelope or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    message = first.get("message") if isinstance(first, dict) else first
    return f": {scrub(message, sent)}" if isinstance(message, str) and message else ""
