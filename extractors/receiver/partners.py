"""Events that partners send: one or a list, known or new, of identified or anonymous customers."""

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from extractors.landing.records import Record
from extractors.receiver.intake import AcceptedList, Intake
from extractors.receiver.limits import EVENTS_BYTES
from extractors.receiver.openapi import events_body
from extractors.receiver.parsing import parse_events
from extractors.receiver.problems import REFUSALS, unauthorized
from extractors.receiver.signatures import owner_of
from perennial.errors import SettingsError
from perennial.settings import Settings

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def _rfc3339(value: str) -> str:
    if not _RFC3339.fullmatch(value):
        raise ValueError("is not an RFC 3339 time with a zone, such as 2026-03-15T00:02:11Z")
    try:
        # Python knows microseconds; more digits only have to be digits.
        datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper()))
    except ValueError:
        raise ValueError("is not a time that exists") from None
    return value


Rfc3339 = Annotated[str, AfterValidator(_rfc3339), Field(json_schema_extra={"format": "date-time"})]
Text = Annotated[str, Field(max_length=320)]


class Customer(BaseModel):
    """Who it was, as far as the sender knows; all may be missing."""

    model_config = ConfigDict(extra="allow", strict=True)

    email: Text | None = None
    phone: Text | None = None
    customer_id: Text | int | None = None
    device_id: Text | int | None = None


class PartnerEvent(BaseModel):
    """One thing that happened; a name that is not known yet is kept as a custom event."""

    model_config = ConfigDict(extra="allow", strict=True)

    event_id: Annotated[str, Field(min_length=1, max_length=200)]
    event_name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,100}$")]
    occurred_at: Rfc3339
    customer: Customer | None = None
    properties: dict[str, Any] | None = None


def routes(settings: Settings, intake: Intake) -> APIRouter:
    """Return the route of partner events."""
    router = APIRouter(tags=["Partner events"], responses=REFUSALS)

    @router.post("/v1/events", openapi_extra=events_body(PartnerEvent))
    async def events(request: Request) -> AcceptedList:
        """Take one event or a list of up to 1,000; of a list the good ones are kept, the others come back."""
        keys = settings.partner_keys
        if not keys:
            raise SettingsError(
                "PARTNER_API_KEYS is not set", "put PARTNER_API_KEYS=name:key into .env, one pair a partner"
            )
        partner = owner_of(request.headers.get("x-api-key"), keys)
        if partner is None:
            raise unauthorized("X-API-Key is missing or wrong", "send the key that you were given")
        async with intake.bodies.read(request, EVENTS_BYTES) as body:
            parsed = parse_events(body, PartnerEvent)
            now = intake.now()
            records = [
                Record(
                    source="partners",
                    stream="events",
                    source_key=f"{partner}:{event.event_id}",
                    received_at=now,
                    payload=text,
                    headers={"partner": partner},
                )
                for text, event in parsed.good
            ]
            return await intake.keep_list(records, parsed.rejected)

    return router
