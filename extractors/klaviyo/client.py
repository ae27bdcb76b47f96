"""HTTP against Klaviyo's reading endpoints.

Source    Klaviyo's OpenAPI document of the revision below: ``get_events`` and ``get_metrics``.
Limits    350 a second and 3,500 a minute for events, 10 and 150 for metrics (``x-klaviyo-ratelimit``), for the
          whole account; a 429 names the seconds to wait in ``Retry-After``.
Scopes    events:read, metrics:read, profiles:read (``x-klaviyo-scopes``, and the profiles that are included).
Errors    JSON:API: a refused parameter is named in ``errors[].source.parameter``.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx
import msgspec
from pyrate_limiter import Duration, Rate

from extractors.http import NOTHING_LOST, Http, Patience, Vendor, header_value
from perennial.errors import VendorError
from perennial.settings import Settings, secret

# Klaviyo keeps a revision for two years. Raise it together with a reading of the new document.
REVISION = "2026-07-15"
EVENTS_PATH = "/api/events"
METRICS_PATH = "/api/metrics"
KEY = "OMNI_KLAVIYO_API_KEY"
SCOPES = "events:read, metrics:read and profiles:read"
_RATES = {
    EVENTS_PATH: (Rate(350, Duration.SECOND), Rate(3_500, Duration.MINUTE)),
    METRICS_PATH: (Rate(10, Duration.SECOND), Rate(150, Duration.MINUTE)),
}
_CURSOR = "page[cursor]"


class CursorRefusedError(VendorError):
    """Klaviyo no longer knows a cursor: the window must be read from its start."""


class _Source(msgspec.Struct):
    parameter: str | None = None


class _Error(msgspec.Struct):
    source: _Source | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


class KlaviyoClient:
    """One read-only key with its budgets of requests; use as a context manager."""

    def __init__(self, base_url: str, key: str, patience: Patience) -> None:
        """Open nothing yet."""
        headers = {
            "Authorization": f"Klaviyo-API-Key {key}",
            "revision": REVISION,
            "Accept": "application/vnd.api+json",
        }
        vendor = Vendor("Klaviyo", base_url, "KLAVIYO_BASE_URL")
        self._by_path = {path: Http(vendor, headers, rates, patience) for path, rates in _RATES.items()}
        self.host = self._by_path[EVENTS_PATH].host

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        for http in self._by_path.values():
            http.__exit__(kind, error, trace)

    def url(self, path: str) -> str:
        """Return the address of a path, without parameters."""
        return self._by_path[path].url(path)

    def get(self, path: str, params: Mapping[str, str | int]) -> bytes:
        """Return the body of a 200.

        Raises ``CursorRefusedError`` for a cursor that is no longer good, ``VendorError`` on every other
        refusal. Texts hold path and status, never a header or a body.
        """
        response = self._by_path[path].get(path, params)
        status = response.status_code
        if status == httpx.codes.OK:
            return response.content
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise VendorError(
                f"Klaviyo ({self.host}) answered {status} to {path}: it does not accept {KEY} here",
                f"make a private key with the scopes {SCOPES} in the Klaviyo account that OMNI writes to, "
                f"and put it into {KEY}",
            )
        if status == httpx.codes.BAD_REQUEST and _CURSOR in params and _CURSOR in _refused(response.content):
            raise CursorRefusedError(
                f"Klaviyo ({self.host}) no longer knows where a pull of {path} stopped", NOTHING_LOST
            )
        raise VendorError(
            f"Klaviyo ({self.host}) answered {status} to {path}",
            f"check KLAVIYO_BASE_URL; if it lasts, report path and status to Klaviyo; {NOTHING_LOST}",
        )


def klaviyo_client(settings: Settings, patience: Patience | None = None) -> KlaviyoClient:
    """Return a client with the key of the settings; ``SettingsError`` names it when it is missing."""
    key = header_value(secret(settings.omni_klaviyo_api_key, KEY), KEY)
    return KlaviyoClient(settings.klaviyo_base_url, key, patience or Patience())


def _refused(body: bytes) -> set[str]:
    """Return the parameters that a refusal names."""
    try:
        errors = msgspec.json.decode(body, type=_Errors).errors
    except (msgspec.DecodeError, UnicodeDecodeError):
        return set()
    return {error.source.parameter for error in errors if error.source and error.source.parameter}
