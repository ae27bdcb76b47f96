"""HTTP against Flowhub's data API: paced, patient, and clear about what went wrong.

Facts of the vendor this rests on: two headers ``clientId`` and ``key``; 429 seen near 59 requests a second,
without ``Retry-After`` or any other header; 500 under load; 404 both for an unknown path and for a date that
is not ``YYYY-MM-DD``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx
import stamina
from pyrate_limiter import Duration, Limiter, Rate

from extractors.flowhub.errors import ACCESS_FORM, AccessRefusedError, NotFoundError
from perennial.errors import SettingsError, VendorError
from perennial.settings import Settings, secret

REQUESTS_PER_SECOND = 45  # a quarter below the rate at which 429 has been seen
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
WHOLE_LIST_READ_SECONDS = 120.0  # an inventory comes in one response; others wait this long for it too
_NOTHING_LOST = "nothing is lost: what arrived is landed, and the next pull goes on from there"
_HEADER_VALUE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a refused or broken request is tried again: exponential back-off with jitter, in seconds."""

    attempts: int = 8
    first_wait: float = 0.25
    longest_wait: float = 15.0
    jitter: float = 0.25
    in_all: float = 90.0


class _NotNowError(Exception):
    """Flowhub answered 429 or 5xx: worth another try."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Flowhub answered {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers that open a part of the API, and the settings they came from, for errors to name."""

    headers: Mapping[str, str] = field(repr=False)
    settings: str


class FlowhubClient:
    """One connection pool and one budget of requests; use as a context manager."""

    def __init__(self, base_url: str, credentials: Credentials, patience: Patience | None = None) -> None:
        """Open nothing yet."""
        self._patience = patience or Patience()
        self._credentials = credentials
        url = httpx.URL(base_url)
        self.host = url.netloc.decode("ascii")
        # A proxy of the environment is for the outside world, never for this machine.
        outside = url.host not in {"127.0.0.1", "localhost", "::1"}
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Accept": "application/json", **credentials.headers},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            trust_env=outside,
        )
        self._limiter = Limiter(Rate(REQUESTS_PER_SECOND, Duration.SECOND))

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
        self._http.close()
        self._limiter.close()

    def url(self, path: str) -> str:
        """Return the address of a path, without parameters."""
        return f"{str(self._http.base_url).rstrip('/')}{path}"

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
        timeout = httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)
        try:
            for attempt in stamina.retry_context(
                on=(httpx.RequestError, _NotNowError),
                attempts=self._patience.attempts,
                timeout=self._patience.in_all + read_seconds,
                wait_initial=self._patience.first_wait,
                wait_max=self._patience.longest_wait,
                wait_jitter=self._patience.jitter,
            ):
                with attempt:
                    self._limiter.try_acquire("flowhub")
                    return self._answer(path, self._http.get(path, params=params, timeout=timeout))
        except _NotNowError as error:
            raise VendorError(
                f"Flowhub ({self.host}) kept answering {error.status} to {path}",
                f"wait and pull again; {_NOTHING_LOST}",
            ) from None
        except httpx.RequestError as error:
            # The cause stays out of the text: a transport error may quote what it was sending.
            raise VendorError(
                f"Flowhub can't be reached: no answer from {self.host} to {path} ({type(error).__name__})",
                f"check FLOWHUB_BASE_URL and the network, or wait until the vendor is back; {_NOTHING_LOST}",
            ) from None
        raise AssertionError("a retry ends in an answer or an error")

    def _answer(self, path: str, response: httpx.Response) -> bytes:
        status = response.status_code
        if status == httpx.codes.OK:
            return response.content
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _NotNowError(status)
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
            f"if it lasts, report the path and status to Flowhub; {_NOTHING_LOST}",
        )


def flowhub_client(settings: Settings, patience: Patience | None = None) -> FlowhubClient:
    """Return a client with the credentials of the settings; ``SettingsError`` names a missing one."""
    if not settings.flowhub_client_id:
        raise SettingsError(
            "FLOWHUB_CLIENT_ID is not set", f"put it into .env; ask for access at {ACCESS_FORM}"
        )
    headers = {
        "clientId": _header_value(settings.flowhub_client_id, "FLOWHUB_CLIENT_ID"),
        "key": _header_value(secret(settings.flowhub_api_key, "FLOWHUB_API_KEY"), "FLOWHUB_API_KEY"),
    }
    credentials = Credentials(headers, "FLOWHUB_CLIENT_ID with FLOWHUB_API_KEY")
    return FlowhubClient(settings.flowhub_base_url, credentials, patience)


def order_ahead_client(settings: Settings, patience: Patience | None = None) -> FlowhubClient:
    """Return a client with the order-ahead token, which opens the paths that take orders and no others."""
    token = secret(settings.flowhub_order_ahead_token, "FLOWHUB_ORDER_AHEAD_TOKEN")
    headers = {"Authorization": f"Bearer {_header_value(token, 'FLOWHUB_ORDER_AHEAD_TOKEN')}"}
    credentials = Credentials(headers, "FLOWHUB_ORDER_AHEAD_TOKEN")
    return FlowhubClient(settings.flowhub_base_url, credentials, patience)


def _header_value(value: str, setting: str) -> str:
    """Refuse a value with spaces, line breaks or non-ASCII: HTTP would, and would quote the secret."""
    if not _HEADER_VALUE.fullmatch(value):
        raise SettingsError(
            f"{setting} holds a character that no credential has (space, line break, non-ASCII letter)",
            f"copy {setting} again, without quotes or spaces around it",
        )
    return value
