"""Signed webhook: what was decided, posted to a receiver of your own.

Call      ``POST WEBHOOK_URL``, up to 16 at a time; one row a call. The body is ``{"id", "type", "timestamp", "data"}``;
          types are ``enrollment.created``, ``enrollment.exited`` and ``address.opted_out``.
          With ``WEBHOOK_ROWS_A_CALL`` above 1 what waits shares calls: a message of the type ``perennial.batch``, whose
          ``data.messages`` are those that would have gone alone. A closed address always does.
Source    Standard Webhooks (https://www.standardwebhooks.com): ``webhook-id``, ``webhook-timestamp`` (seconds, of this
          try) and ``webhook-signature``, ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``. While a
          secret is rotated there is one signature for each, and a receiver needs to know only one of them.
Limits    ``WEBHOOK_CALLS_PER_SECOND``, which you know of your receiver.
Repeats   ``webhook-id`` is our own id and the same at every try: the standard tells receivers to drop an id that they
          have taken. So any call whose outcome is unknown is made again.
Retries   everything but refusals: time-outs, resets, 5xx, and what had no effect.
Answers   any 2xx is taken, and its body is not read; 410 says that nobody wants these any more and stops the run, as
          401 and 403 (the signature is refused) and 404, 405 and redirects do; any other 4xx refuses the row. A
          batch is taken or refused as a whole, and sent again in halves until the bad row is alone.
Content   the row with the addresses of its open channels; details of products only where ``destination_fields`` lists
          them.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from http import HTTPStatus
from typing import Any

import httpx
import msgspec
import standardwebhooks

from perennial.clock import Clock
from reverse_etl.addresses import Channel
from reverse_etl.destinations.base import ONE, Answer, Batch, Effect, RefusedError
from reverse_etl.destinations.head import Head
from reverse_etl.destinations.http import Caller, is_refusal, new_client
from reverse_etl.destinations.parts import ended_enrollment, identifiers, utc_text
from reverse_etl.kinds import EXIT, OPT_OUT
from reverse_etl.ledger.rows import Enrollment

_TYPES: Mapping[str, str] = {
    "marketing": "enrollment.created",
    "transactional": "enrollment.created",
    EXIT: "enrollment.exited",
    OPT_OUT: "address.opted_out",
}
BATCH = "perennial.batch"
_TRIED = "perennial.checked"  # of a call that tells nothing: is the signature taken?


@dataclass(frozen=True)
class Webhook(Head):
    """One receiver, known by its URL; whoever has a secret can tell that a call is ours."""

    url: str = field(repr=False)
    secrets: Sequence[str] = field(repr=False)
    clock: Clock
    _: KW_ONLY
    name: str = "webhook"
    dedupes: bool = True
    concurrency: int = 16

    @property
    def account(self) -> str:
        """Whose limits are used up."""
        return f"{self.name} {httpx.URL(self.url).host}"

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the message; its id is the row's."""
        kind = _TYPES.get(row.kind)
        if kind is None:
            raise RefusedError(f"a webhook is not told of a row of kind {row.kind}")
        return {
            "id": row.enrollment_id,
            "type": kind,
            "timestamp": utc_text(row.triggered_at),
            "data": _data(row, channels),
        }

    @asynccontextmanager
    async def session(self) -> AsyncIterator["_Session"]:
        """Open connections for one run."""
        async with Caller(self._client, self.clock, "WEBHOOK_SIGNING_SECRET", "WEBHOOK_URL") as caller:
            yield _Session(self, caller)

    async def check(self) -> Answer:
        """Send a message that tells nothing; a receiver that takes our signature answers it like any other."""
        message = {
            "id": f"check_{secrets.token_hex(8)}",
            "type": _TRIED,
            "timestamp": utc_text(self.clock.now()),
        }
        async with self.session() as session:
            [answer] = await session.send([{**message, "data": {}}])
        if answer.effect is Effect.REFUSED:
            # Many receivers answer 400 to a signature that they do not know.
            return Answer(Effect.STOP, f"{answer.reason}; check WEBHOOK_SIGNING_SECRET, there and here")
        return replace(answer, reason=answer.reason or "a signed call without content was taken")

    def signed(self, message_id: str, content: str) -> dict[str, str]:
        """Return the headers of a call that is made now."""
        at = self.clock.now()
        signatures = (standardwebhooks.Webhook(known).sign(message_id, at, content) for known in self.secrets)
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _client(self) -> httpx.AsyncClient:
        return new_client(headers={"user-agent": "Perennial"}, keeps_connections=True)


def _data(row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
    if row.kind == OPT_OUT:
        [channel] = row.channels
        return {"channel": channel, "address": row.address(channel), **row.context}
    told = {
        "enrollment_id": ended_enrollment(row),
        "flow": row.flow_name,
        "flow_display_name": row.flow_display_name,
        "customer_id": row.customer_id,
        "channels": list(channels),
        "recipient": identifiers(row, channels),
    }
    if row.kind == EXIT:
        return {**told, "exited_at": utc_text(row.triggered_at), **row.context}
    return {
        **told,
        "kind": row.kind,
        "triggered_at": utc_text(row.triggered_at),
        "expires_at": None if row.expires_at is None else utc_text(row.expires_at),
        "context": dict(row.context),
    }


def batches_of(rows: int) -> Batch:
    """Return how many rows share a call: the ends of enrollments too, for a flow there ends with whoever receives."""
    return ONE if rows == 1 else Batch(most=rows, least=2, takes_ends=True)


@dataclass(frozen=True)
class _Session:
    destination: Webhook
    caller: Caller

    async def send(self, bodies: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Post one message, or several as one."""
        if len(bodies) == 1:
            return [await self._post(bodies[0])]
        answer = await self._post(self._together(bodies))
        if answer.effect is Effect.REFUSED:
            answer = replace(answer, effect=Effect.SPLIT)
        return [answer] * len(bodies)

    def _together(self, bodies: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return several messages as one, whose id is the same for the same messages."""
        ids = hashlib.sha256("\n".join(str(body["id"]) for body in bodies).encode())
        return {
            "id": f"batch_{ids.hexdigest()[:32]}",
            "type": BATCH,
            "timestamp": utc_text(self.destination.clock.now()),
            "data": {"messages": list(bodies)},
        }

    async def _post(self, body: Mapping[str, Any]) -> Answer:
        """Post a message, signed for this try."""
        content = msgspec.json.encode(body)
        headers = self.destination.signed(str(body.get("id")), content.decode())
        response = await self.caller.post(self.destination.url, content, headers)
        if isinstance(response, Answer):
            return response
        if response.status_code == HTTPStatus.GONE:
            return Answer(Effect.STOP, "HTTP 410: nobody takes these calls there; check WEBHOOK_URL")
        if is_refusal(response):
            return Answer(Effect.REFUSED, f"HTTP {response.status_code}")
        return Answer(Effect.TAKEN)
