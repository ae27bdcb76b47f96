"""Reading what the network and HTTP say about a call's effect; the same for every vendor.

RFC 9110 §9.2.2: a POST may be repeated only when it is known not to have been applied. That holds for a
connection that was never made, for 429 and 425, and for 503 when the server names a time to come back; after
any other 5xx, a time-out or a reset the call may have had its effect.
"""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Self

import httpx

from perennial.clock import Clock
from reverse_etl.destinations.base import Answer, Effect

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_CREDENTIALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# No such path, or another server answers: the address is wrong for every row alike.
_WRONG_ADDRESS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
_COME_BACK = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.TOO_EARLY})
_TIMEOUT = httpx.Timeout(20, connect=5)
_LONGEST_SECONDS = 120.0  # of a whole call: a server that says a word now and then times out never
_SERVER_ERRORS = 500
_REFUSALS = 400
_REDIRECTS = 300


@cache
def certificates() -> ssl.SSLContext:
    """Return the certificates that are trusted, read once a process: it takes as long as many calls."""
    return httpx.create_ssl_context(trust_env=False)


def new_client(
    base_url: str = "",
    headers: Mapping[str, str] | None = None,
    *,
    keeps_connections: bool,
    timeout: httpx.Timeout | None = None,
) -> httpx.AsyncClient:
    """Return a client for one call at a time.

    A kept connection that the server closes in the moment we write looks like a lost answer. Where a lost answer needs
    a person each call has a connection of its own; where it is asked for again they are kept.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=timeout or _TIMEOUT,
        limits=httpx.Limits(max_keepalive_connections=None if keeps_connections else 0),
        verify=certificates(),
        trust_env=False,
    )


class OneAtATime(ABC):
    """A session whose calls take one row each."""

    async def send(self, bodies: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Send them one after another."""
        return [await self.send_one(body) for body in bodies]

    @abstractmethod
    async def send_one(self, body: Mapping[str, Any]) -> Answer:
        """Make one call."""


@dataclass(frozen=True)
class Caller:
    """Makes the calls of one vendor; names the settings that a person would have to mend.

    Each call in flight has a client of its own, with one connection: one that shares its connections looks
    through all of them at every call, which took longer than the call.
    """

    make: Callable[[], httpx.AsyncClient]
    clock: Clock
    key_setting: str
    url_setting: str
    _idle: list[httpx.AsyncClient] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Begin without a connection."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections, once no call is in flight."""
        for client in self._idle:
            await client.aclose()

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | bytes,
        headers: Mapping[str, str] | None = None,
        *,
        reads_401: bool = False,
    ) -> Answer | httpx.Response:
        """Make one call; see ``call``."""
        return await self.call("POST", path, body, headers, reads_401=reads_401)

    async def call(  # noqa: PLR0913 - a call's parts
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        reads_401: bool = False,
        reads_404: bool = False,
    ) -> Answer | httpx.Response:
        """Make one call; return its answer, or the response where the vendor's body has the last word.

        Bytes are sent as they are. A 401 is the caller's to read where it may have a newer credential, a 404 where the
        path names a thing that may not be there.
        """
        client = self._idle.pop() if self._idle else self.make()
        content: Mapping[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                response = await client.request(method, path, headers=headers, **content)
        except _NEVER_SENT as error:
            said = f"not reached ({type(error).__name__}); check {self.url_setting}"
            return Answer(Effect.NONE, said, reached=False)
        except (
            httpx.RequestError,
            TimeoutError,
        ) as error:  # the network's, or an answer that can't be unpacked
            return Answer(Effect.UNKNOWN, f"no answer ({type(error).__name__})")
        except httpx.InvalidURL:
            return Answer(Effect.STOP, f"{self.url_setting} is no usable address")
        finally:
            self._idle.append(client)
        if reads_401 and response.status_code == HTTPStatus.UNAUTHORIZED:
            return response
        if reads_404 and response.status_code == HTTPStatus.NOT_FOUND:
            return response
        return self._by_status(response) or response

    def _by_status(self, response: httpx.Response) -> Answer | None:
        status = response.status_code
        retry_after = _retry_after(response, self.clock)
        said = f"HTTP {status}"
        if status in _COME_BACK or (status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None):
            is_throttled = status == HTTPStatus.TOO_MANY_REQUESTS
            return Answer(Effect.NONE, said, retry_after, is_throttled=is_throttled)
        if status in _CREDENTIALS:
            return Answer(Effect.STOP, f"{said}: the credentials are refused; check {self.key_setting}")
        if status in _WRONG_ADDRESS or _REDIRECTS <= status < _REFUSALS:
            return Answer(Effect.STOP, f"{said}: no such API there; check {self.url_setting}")
        if status >= _SERVER_ERRORS or status == HTTPStatus.REQUEST_TIMEOUT:
            return Answer(Effect.UNKNOWN, said, retry_after)
        return None


def is_refusal(response: httpx.Response) -> bool:
    """Say whether the vendor refused the call itself."""
    return response.status_code >= _REFUSALS


def json_object(response: httpx.Response) -> Mapping[str, Any] | None:
    """Return the body where it is a JSON object."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _retry_after(response: httpx.Response, clock: Clock) -> float | None:
    """Read ``Retry-After`` (RFC 9110 §10.2.3): seconds, or a date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        at: datetime = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - clock.now()).total_seconds())
