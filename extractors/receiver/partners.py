"""Events that partners send: one or a list, known or new, of identified or anonymous customers."""

from fastapi import APIRouter, Request

from extractors.landing.records import Record
from extractors.receiver.event_models import event_models
from extractors.receiver.intake import AcceptedList, Intake
from extractors.receiver.limits import EVENTS_BYTES
from extractors.receiver.openapi import events_body
from extractors.receiver.parsing import parse_events
from extractors.receiver.problems import REFUSALS, unauthorized
from extractors.receiver.signatures import owner_of
from perennial.errors import SettingsError
from perennial.settings import Settings


def routes(settings: Settings, intake: Intake) -> APIRouter:
    """Return the route of partner events."""
    models = event_models()
    router = APIRouter(tags=["Partner events"], responses=REFUSALS)

    @router.post("/v1/events", openapi_extra=events_body("PartnerEvent", "PartnerKey"))
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
            intake.rates.admit(f"partners/{partner}", len(body))
            parsed = parse_events(body, models.of)
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
