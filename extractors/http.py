"""HTTP against a vendor's API that is read: paced, patient, and silent about what it sends."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
import stamina
from pyrate_limiter import Limiter, Rate

from perennial.errors import SettingsError, VendorError

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
NOTHING_LOST = "nothing is lost: what arrived is landed, and the next pull goes on from there"
THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADER_VALUE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a refused or broken request is tried again: exponential back-off with jitter, in seconds."""

    attempts: int = 8
    first_wait: float = 0.25
    longest_wait: float = 15.0
    jitter: float = 0.25
    in_all: float = 90.0


class NotNowError(Exception):
    """The vendor answered 429 or 5xx: worth another try, at the time that it named if it did."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        """Keep what it answered."""
        super().__init__(f"answered {status}")
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who is asked: the name that errors use, and the setting that holds the address."""

    name: str
    base_url: str
    url_setting: str


class Http:
    """One connection pool and one budget of requests; use as a context manager."""

    def __init__(
        self, vendor: Vendor, headers: Mapping[str, str], rates: Sequence[Rate], patience: Patience
    ) -> None:
        """Open nothing yet."""
        self._vendor = vendor
        self._patience = patience
        url = httpx.URL(vendor.base_url)
        self.host = url.netloc.decode("ascii")
        self._http = httpx.Client(
            base_url=vendor.base_url,
            headers={"Accept": "application/json", **headers},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            # A proxy of the environment is for the outside world, never for this machine.
            trust_env=url.host not in THIS_MACHINE,
        )
        self._limiter = Limiter(list(rates))

    def __enter__(self) -> Self:
        """Return itself."""
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
    ) -> httpx.Response:
        """Return an answer that is neither 429 nor 5xx.

        Raises ``VendorError`` when those, or a broken connection, outlast the patience. Texts hold path and
        status, never a header or a body.
        """
        timeout = httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)
        try:
            for attempt in stamina.retry_context(
                on=_wait,
                attempts=self._patience.attempts,
                timeout=self._patience.in_all + read_seconds,
                wait_initial=self._patience.first_wait,
                wait_max=self._patience.longest_wait,
                wait_jitter=self._patience.jitter,
            ):
                with attempt:
                    self._limiter.try_acquire(self._vendor.name)
                    return _settled(self._http.get(path, params=params, timeout=timeout))
        except NotNowError as error:
            raise VendorError(
                f"{self._vendor.name} ({self.host}) kept answering {error.status} to {path}",
                f"wait and pull again; {NOTHING_LOST}",
            ) from None
        except httpx.RequestError as error:
            # The cause stays out of the text: a transport error may quote what it was sending.
            raise VendorError(
                f"{self._vendor.name} can't be reached: no answer from {self.host} to {path} "
                f"({type(error).__name__})",
                f"check {self._vendor.url_setting} and the network, or wait until the vendor is back; "
                f"{NOTHING_LOST}",
            ) from None
        raise AssertionError("a retry ends in an answer or an error")


def header_value(value: str, setting: str) -> str:
    """Refuse a value with spaces, line breaks or non-ASCII: HTTP would, and would quote the secret."""
    if not _HEADER_VALUE.fullmatch(value):
        raise SettingsError(
            f"{setting} holds a character that no credential has (space, line break, non-ASCII letter)",
            f"copy {setting} again, without quotes or spaces around it",
        )
    return value


def _settled(response: httpx.Response) -> httpx.Response:
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        told = response.headers.get("retry-after", "").strip()
        raise NotNowError(status, float(told) if told.isascii() and told.isdigit() else None)
    return response


def _wait(error: Exception) -> bool | float:
    """Tell whether to try again, or after how many seconds where the vendor says so."""
    if isinstance(error, NotNowError):
        return True if error.retry_after is None else error.retry_after
    return isinstance(error, httpx.RequestError)
