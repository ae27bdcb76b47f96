"""AIQ (Alpine IQ): custom attributes of personas.

Call      ``PUT {AIQ_BASE_URL}/api/v2/personas/customAttributes``, header ``X-APIKEY``; one persona a call.
Source    https://help.aiq.com/en/articles/14213193-personas-endpoints says that POST, PUT and GET *Custom Attributes
          for a Persona* exist and add an array of them. The array's shape, ``customAttributes: [{"key", "value"}]``, is
          what a third party's code sends. The path and the persona's fields beside the array are in no public text:
          they are assumed here after AIQ's other endpoints. Compare them with the account's own Swagger before the
          first use; where the path is another one the first call gets 404, and the sync stops with nothing sent.
Limits    those of enrollments (5 a second, 120 a minute, 2,000 an hour, found in one client's code), of which
          attributes take no more than half, so that a first sync starves no message.
Repeats   an attribute is set to a value: twice is once. So any call whose outcome is unknown is made again.
Clearing  a field without a value is sent as null.
Delay     attributes reach AIQ's audiences and flows after 5 to 20 minutes.
Answers   a JSON envelope; ``success: false`` in a 2xx is a refusal. 401/403 stops the sync.
Traits    every key that was ever sent stays a trait of the account for good: keys are those of the seed
          ``destination_fields``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from pyrate_limiter import Rate

from perennial.clock import Clock
from reverse_etl.destinations.aiq import DEFAULT_RATES
from reverse_etl.destinations.base import Limit
from reverse_etl.destinations.http import Caller, new_client

ATTRIBUTES: Final = "/api/v2/personas/customAttributes"
CONCURRENCY = 4


@dataclass(frozen=True)
class AiqAccount:
    """One AIQ account, known by its key; ``account`` is that of its enrollments."""

    base_url: str
    api_key: str = field(repr=False)
    account: str
    clock: Clock
    rates: Sequence[Rate] = DEFAULT_RATES

    @property
    def limits(self) -> tuple[Limit, Limit]:
        """The account's quota, and the half of it that attributes may use."""
        half = tuple(Rate(max(1, rate.limit // 2), rate.interval) for rate in self.rates)
        return Limit("attributes", half), Limit("calls", tuple(self.rates))

    def caller(self) -> Caller:
        """Return what makes the calls of one run, to be entered and left."""

        def make() -> httpx.AsyncClient:
            return new_client(self.base_url, {"X-APIKEY": self.api_key}, keeps_connections=True)

        return Caller(make, self.clock, "AIQ_API_KEY", "AIQ_BASE_URL")


def attributes_of(identifiers: Mapping[str, str], traits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that sets a persona's attributes; a field without a value is cleared."""
    return {
        **identifiers,
        "customAttributes": [{"key": name, "value": traits[name]} for name in sorted(traits)],
    }
