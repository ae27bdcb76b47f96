"""Flowhub's order-ahead: e-commerce orders that were confirmed, put into the till.

Call      ``POST {FLOWHUB_BASE_URL}/order-ahead/v0/create``, ``Authorization: Bearer``; one order a call.
Token     as ``extractors.flowhub.order_ahead`` says: the setting itself, or what it is exchanged for; kept until
          shortly before its end. A 401 under an exchanged token gets one call more, with a new one: nothing was done.
Source    the vendor's specification as typed by a client (yerba-buena/flowhub-client-ts): body, answer, statuses.
Limits    none is published; five a second are far below what the data API bears.
Repeats   there is no idempotency key, and nothing says that the same order twice is one. What was created can't be
          found again without the id that the lost answer held: order status asks for that id, and an order in the
          list of orders shows no field of ours. So an unknown outcome is ``ambiguous`` and waits for a person.
Retries   only what certainly had no effect: not connected, no token, 429, 425, 503 with ``Retry-After``.
Answers   ``{customerExternalId, orderId, status}``; ``orderId`` is what the receipt refers to. 422 is a refusal with
          ``{"errors": […]}``; 401 and 403 stop the run.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
from pyrate_limiter import Duration, Rate

from extractors.flowhub.order_ahead import (
    CREATE_PATH,
    Grant,
    exchange_body,
    grant_of,
    is_access_token,
)
from perennial.clock import Clock
from reverse_etl.addresses import Channel
from reverse_etl.destinations.base import Answer, Effect, RefusedError
from reverse_etl.destinations.head import Head
from reverse_etl.destinations.http import Caller, OneAtATime, is_refusal, json_object, new_client
from reverse_etl.destinations.scrub import scrub
from reverse_etl.ledger.rows import Enrollment

DEFAULT_RATES = (Rate(5, Duration.SECOND),)
_KEYS = "FLOWHUB_ORDER_AHEAD_CLIENT_ID and FLOWHUB_ORDER_AHEAD_TOKEN"
# The body's parts that the decision brings under the API's own names; what is not known is left out.
_PARTS = ("externalCreatedAt", "customer", "orderItems", "address", "cartDiscountNote", "customerNote", "orderType",
          "requestedFulfillmentTimeStart", "requestedFulfillmentTimeEnd", "fees")  # fmt: skip
_NEEDED = ("externalCreatedAt", "customer", "orderItems")


@dataclass(frozen=True)
class Flowhub(Head):
    """One client of Flowhub, known by its order-ahead client id."""

    base_url: str
    token_url: str
    audience: str
    client_id: str
    token: str = field(repr=False)
    clock: Clock
    _: KW_ONLY
    name: str = "flowhub"
    dedupes: bool = False
    concurrency: int = 2
    channels: Collection[Channel] = ()
    rates: Sequence[Rate] = DEFAULT_RATES

    @property
    def account(self) -> str:
        """Whose limits are used up."""
        return f"{self.name} {self.base_url} {self.client_id}"

    def body(self, row: Enrollment, channels: Sequence[Channel]) -> Mapping[str, Any]:
        """Return the order as the API takes it."""
        del channels
        order = row.context
        missing = [name for name in _NEEDED if not order.get(name)]
        if missing:
            raise RefusedError(f"the decision brought no {' and no '.join(missing)}")
        return {name: order[name] for name in _PARTS if order.get(name)}

    @asynccontextmanager
    async def session(self) -> AsyncIterator["_Session"]:
        """Open connections for one run."""
        async with Caller(self._client, self.clock, _KEYS, "FLOWHUB_BASE_URL") as caller:
            yield _Session(self, caller)

    def _client(self) -> httpx.AsyncClient:
        return new_client(self.base_url, keeps_connections=False)


@dataclass
class _Session(OneAtATime):
    destination: Flowhub
    caller: Caller
    _grant: Grant | None = None
    _until: float | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send_one(self, body: Mapping[str, Any]) -> Answer:
        """Push one order."""
        answer = await self._push(body)
        if isinstance(answer, httpx.Response) and answer.status_code == HTTPStatus.UNAUTHORIZED:
            if not self._is_exchanged():
                return _refused_credentials(answer)
            self._grant = None  # it may have ended early; the call had no effect
            answer = await self._push(body)
        if isinstance(answer, Answer):
            return answer
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            return _refused_credentials(answer)
        said = json_object(answer)
        if is_refusal(answer):
            return Answer(Effect.REFUSED, f"HTTP {answer.status_code}{_errors(said, body)}")
        order_id = (said or {}).get("orderId")
        if not isinstance(order_id, str | int) or not str(order_id):
            return Answer(Effect.UNKNOWN, f"HTTP {answer.status_code} without an order id")
        return Answer(Effect.TAKEN, reference=str(order_id))

    async def _push(self, body: Mapping[str, Any]) -> Answer | httpx.Response:
        token = await self._token()
        if isinstance(token, Answer):
            return token
        return await self.caller.post(CREATE_PATH, body, {"Authorization": f"Bearer {token}"}, reads_401=True)

    def _is_exchanged(self) -> bool:
        return self._grant is not None and self._grant.seconds is not None

    async def _token(self) -> str | Answer:
        """Return a token that may be used now; or why there is none, which is known to have had no effect."""
        destination = self.destination
        async with self._asking:
            if self._grant is not None and (self._until is None or time.monotonic() < self._until):
                return self._grant.token
            if is_access_token(destination.token):
                grant: Grant | None = Grant(destination.token)
            else:
                body = exchange_body(destination.client_id, destination.token, destination.audience)
                try:
                    async with self.caller.make() as client:
                        answer = await client.post(destination.token_url, json=dict(body))
                except httpx.HTTPError as error:
                    said = f"no token ({type(error).__name__}); check FLOWHUB_AUTH_URL"
                    return Answer(Effect.NONE, said, reached=False)
                grant = grant_of(answer.status_code, answer.content, destination.token)
                if grant is None:
                    return Answer(Effect.NONE, f"no token: HTTP {answer.status_code}; check FLOWHUB_AUTH_URL")
            self._grant = grant
            self._until = None if grant is None or grant.seconds is None else time.monotonic() + grant.seconds
            return grant.token if grant is not None else Answer(Effect.NONE, "no token")


def _refused_credentials(response: httpx.Response) -> Answer:
    return Answer(Effect.STOP, f"HTTP {response.status_code}: the credentials are refused; check {_KEYS}")


def _errors(said: Mapping[str, Any] | None, sent: Mapping[str, Any]) -> str:
    """Return the vendor's reasons, scrubbed of what was sent."""
    errors = (said or {}).get("errors")
    words = [error for error in errors if isinstance(error, str)] if isinstance(errors, list) else []
    return f": {scrub('; '.join(words), sent)}" if words else ""
