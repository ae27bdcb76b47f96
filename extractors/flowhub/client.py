"""HTTP against Flowhub's data API: paced, patient, and clear about what went wrong.

Facts of the vendor this rests on: two headers ``clientId`` and ``key``; 429 seen near 59 requests a second,
without ``Retry-After`` or any other header; 500 under load; 404 both for an unknown path and for a date that
is not ``YYYY-MM-DD``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx
from pyrate_limiter import Duration, Rate

from extractors.flowhub.errors import ACCESS_FORM, AccessRefusedError, NotFoundError
from extractors.flowhub.order_ahead import exchange_body, grant_of, is_access_token
from extractors.http import (
    CONNECT_SECONDS,
    NOTHING_LOST,
    READ_SECONDS,
    THIS_MACHINE,
    Http,
    Patience,
    Vendor,
    header_value,
)
from perennial.errors import SettingsError, VendorError
from perennial.settings import Settings, secret

REQUESTS_PER_SECOND = 45  # a quarter below the rate at which 429 has been seen
WHOLE_LIST_READ_SECONDS = 120.0  # an inventory comes in one response; others wait this long for it too


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers that open a part of the API, and the settings they came from, for errors to name."""

    headers: Mapping[str, str] = field(repr=False)
    settings: str


class FlowhubClient:
    """One connection pool and one budget of requests; use as a context manager."""

    def __init__(self, base_url: str, credentials: Credentials, patience: Patience | None = None) -> None:
        """Open nothing yet."""
        self._credentials = credentials
        self._http = Http(
            Vendor("Flowhub", base_url, "FLOWHUB_BASE_URL"),
            credentials.headers,
            [Rate(REQUESTS_PER_SECOND, Duration.SECOND)],
            patience or Patience(),
        )
        self.host = self._http.host

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections and the pacing thread."""
        self._http.__exit__(kind, error, trace)

    def url(self, path: str) -> str:
        """Return the address of a path, without parameters."""
        return self._http.url(path)

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> bytes:
        """Return the body of a 200.

        Raises ``AccessRefusedError`` on 401 and 403, ``VendorError`` on every other refusal and when 429, 5xx
        or a broken connection outlast the patience. Texts hold path and status, never a header or a body.
        """
        return self._answer(path, self._http.get(path, params, read_seconds=read_seconds))

    def _answer(self, path: str, response: httpx.Response) -> bytes:
        status = response.status_code
        if status == httpx.codes.OK:
            return response.content
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise AccessRefusedError(
                f"Flowhub ({self.host}) answered {status} to {path}: it does not accept "
                f"{self._credentials.settings} here",
                f"compare them with what Flowhub sent, or ask for access at {ACCESS_FORM}",
                status=status,
            )
        if status == httpx.codes.NOT_FOUND and "yyyy-mm-dd" in response.text.lower():
            raise VendorError(
                f"Flowhub ({self.host}) answered 404 to {path}: it takes dates as YYYY-MM-DD only",
                "send a day, not an instant; this is a defect of the pull, please report it",
            )
        if status == httpx.codes.NOT_FOUND:
            raise NotFoundError(
                f"Flowhub ({self.host}) answered 404 to {path}: no such path or location",
                "check FLOWHUB_BASE_URL and FLOWHUB_LOCATION_ID; `perennial check` lists the locations",
            )
        raise VendorError(
            f"Flowhub ({self.host}) answered {status} to {path}",
            f"if it lasts, report the path and status to Flowhub; {NOTHING_LOST}",
        )


def flowhub_client(settings: Settings, patience: Patience | None = None) -> FlowhubClient:
    """Return a client with the credentials of the settings; ``SettingsError`` names a missing one."""
    if not settings.flowhub_client_id:
        raise SettingsError(
            "FLOWHUB_CLIENT_ID is not set", f"put it into .env; ask for access at {ACCESS_FORM}"
        )
    headers = {
        "clientId": header_value(settings.flowhub_client_id, "FLOWHUB_CLIENT_ID"),
        "key": header_value(secret(settings.flowhub_api_key, "FLOWHUB_API_KEY"), "FLOWHUB_API_KEY"),
    }
    credentials = Credentials(headers, "FLOWHUB_CLIENT_ID with FLOWHUB_API_KEY")
    return FlowhubClient(settings.flowhub_base_url, credentials, patience)


def order_ahead_client(settings: Settings, patience: Patience | None = None) -> FlowhubClient:
    """Return a client with an order-ahead token, which opens the paths that take orders and no others.

    Where the setting is no access token itself it is exchanged for one first, as ``order_ahead`` says.
    """
    token = secret(settings.flowhub_order_ahead_token, "FLOWHUB_ORDER_AHEAD_TOKEN")
    if not is_access_token(token):
        token = _exchanged(settings, token)
    headers = {"Authorization": f"Bearer {header_value(token, 'FLOWHUB_ORDER_AHEAD_TOKEN')}"}
    credentials = Credentials(headers, "FLOWHUB_ORDER_AHEAD_CLIENT_ID with FLOWHUB_ORDER_AHEAD_TOKEN")
    return FlowhubClient(settings.flowhub_base_url, credentials, patience)


def _exchanged(settings: Settings, token: str) -> str:
    url = httpx.URL(settings.flowhub_token_url)
    body = exchange_body(settings.flowhub_order_ahead_client_id or "", token, settings.flowhub_auth_audience)
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        answer = httpx.post(url, json=dict(body), timeout=timeout, trust_env=url.host not in THIS_MACHINE)
    except httpx.RequestError as error:
        said = f"no answer ({type(error).__name__})"
    else:
        grant = grant_of(answer.status_code, answer.content, token)
        if grant is not None:
            return grant.token
        said = f"it answered {answer.status_code} without a token"
    raise VendorError(
        f"no order-ahead token is to be had from {url.host}: {said}",
        "check FLOWHUB_AUTH_URL and the network, or wait until the vendor is back; nothing was pushed",
    )
