"""OMNI's loyalty events, sent by Shopify Flow's HTTP action with our template and a shared secret.

The receiver checks only that the envelope is there; what the event says is judged after it landed, where a
bad one is kept with its reason.
"""

from fastapi import APIRouter, Request

from extractors.landing.records import Record
from extractors.receiver.intake import Accepted, Intake
from extractors.receiver.limits import WEBHOOK_BYTES
from extractors.receiver.openapi import ID, TEXT, object_body
from extractors.receiver.parsing import parse_object, required
from extractors.receiver.problems import REFUSALS, unauthorized
from extractors.receiver.signatures import same_secret
from perennial.errors import SettingsError
from perennial.settings import Settings, secret

_ENVELOPE = object_body(
    {
        "event": {**TEXT, "description": "The trigger, such as wv/points/added"},
        "event_id": ID,
        "occurred_at": {**TEXT, "description": "An RFC 3339 time; one that is none is kept in quarantine"},
        "shop_domain": {"description": "The shop's domain, as text"},
        "customer": {"type": "object"},
        "properties": {"description": "What happened, as an object"},
        "profile": {"description": "The customer's loyalty profile after it, as an object"},
    },
    ["event", "event_id", "occurred_at", "customer"],
    "OmniSecret",
)


def routes(settings: Settings, intake: Intake) -> APIRouter:
    """Return OMNI's route."""
    router = APIRouter(tags=["OMNI"], responses=REFUSALS)

    @router.post("/webhooks/omni", openapi_extra=_ENVELOPE)
    async def omni(request: Request) -> Accepted:
        """Take one loyalty event."""
        if settings.omni_enabled is False:
            raise SettingsError("OMNI_ENABLED is off", "set OMNI_ENABLED=true to take OMNI's events")
        shared = secret(settings.omni_shared_secret, "OMNI_SHARED_SECRET")
        if not same_secret(shared, request.headers.get("x-perennial-secret")):
            raise unauthorized(
                "X-Perennial-Secret is missing or wrong", "send the value of OMNI_SHARED_SECRET"
            )
        async with intake.bodies.read(request, WEBHOOK_BYTES) as body:
            intake.rates.admit("omni", len(body))
            text, value = parse_object(body)
            required(value, "event", str)
            event_id = required(value, "event_id", str, int)
            required(value, "occurred_at", str)
            required(value, "customer", dict)
            record = Record(
                source="omni",
                stream="events",
                source_key=str(event_id),
                received_at=intake.now(),
                payload=text,
            )
            return await intake.keep([record])

    return router
