"""What the messaging system reports of its messages: delivered, opened, unsubscribed and so on."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from extractors.landing.records import Record
from extractors.receiver.event_models import Rfc3339
from extractors.receiver.intake import AcceptedList, Intake
from extractors.receiver.limits import EVENTS_BYTES
from extractors.receiver.openapi import events_body
from extractors.receiver.parsing import parse_events
from extractors.receiver.problems import REFUSALS, unauthorized
from extractors.receiver.signatures import same_secret
from perennial.settings import Settings, secret

# Nobody can be taken off a list without her address.
_CLOSE_AN_ADDRESS = frozenset({"bounced", "unsubscribed", "stop", "complained"})
_TEXT: JsonDict = {"type": "string"}
_NAMES_AN_ADDRESS: JsonDict = {
    "required": ["channel", "address"],
    "properties": {"channel": _TEXT, "address": _TEXT},
}
_NAMES_AN_ENROLLMENT: JsonDict = {
    "required": ["enrollment_id"],
    "properties": {
        "enrollment_id": {"type": "string", "minLength": 1},
        "type": {"not": {"enum": [*sorted(_CLOSE_AN_ADDRESS)]}},
    },
}


class MessagingEvent(BaseModel):
    """One report about a message: to an address, or of an enrollment whose address we know."""

    model_config = ConfigDict(
        extra="allow", strict=True, json_schema_extra={"anyOf": [_NAMES_AN_ADDRESS, _NAMES_AN_ENROLLMENT]}
    )

    event_id: Annotated[str, Field(min_length=1, max_length=200)]
    type: Literal[
        "delivered", "opened", "clicked", "bounced", "unsubscribed", "stop", "complained", "flow_completed"
    ]
    occurred_at: Rfc3339
    enrollment_id: Annotated[str, Field(max_length=200)] | None = None
    channel: Literal["sms", "email"] | None = Field(default=None, validate_default=True)
    address: Annotated[str, Field(min_length=1, max_length=320)] | None = Field(
        default=None,
        validate_default=True,
        description="It and the channel may be left out where an enrollment is named, but for what closes an address.",
    )

    @field_validator("channel", "address")
    @classmethod
    def _is_about_somebody(cls, value: str | None, told: ValidationInfo) -> str | None:
        if value is None and told.data.get("type") in _CLOSE_AN_ADDRESS:
            raise ValueError("is required to take an address off a list")
        if value is None and not told.data.get("enrollment_id"):
            raise ValueError("is required without an enrollment_id")
        return value


def routes(settings: Settings, intake: Intake) -> APIRouter:
    """Return the route of messaging feedback."""
    router = APIRouter(tags=["Messaging feedback"], responses=REFUSALS)

    @router.post("/webhooks/messaging", openapi_extra=events_body("MessagingEvent", "MessagingSecret"))
    async def messaging(request: Request) -> AcceptedList:
        """Take one report or a list of up to 1,000; the good ones are kept, the others come back."""
        shared = secret(settings.messaging_webhook_secret, "MESSAGING_WEBHOOK_SECRET")
        if not same_secret(shared, request.headers.get("x-perennial-secret")):
            raise unauthorized(
                "X-Perennial-Secret is missing or wrong", "send the value of MESSAGING_WEBHOOK_SECRET"
            )
        async with intake.bodies.read(request, EVENTS_BYTES) as body:
            intake.rates.admit("messaging", len(body))
            parsed = parse_events(body, lambda _: MessagingEvent)
            now = intake.now()
            records = [
                Record(
                    source="messaging",
                    stream="feedback",
                    source_key=event.event_id,
                    received_at=now,
                    payload=text,
                )
                for text, event in parsed.good
            ]
            return await intake.keep_list(records, parsed.rejected)

    return router
