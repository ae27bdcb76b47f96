"""Jane's two webhooks: an order's cart changed its status; a cart was abandoned.

Bearer token and hex HMAC over ``timestamp:body``. Delivery is at least once, out of order, with duplicates;
an old timestamp is normal and only marked, because deduplication stops a replay.
"""

import hashlib

from fastapi import APIRouter, Request

from extractors.landing.records import Record
from extractors.receiver.intake import Accepted, Intake
from extractors.receiver.limits import WEBHOOK_BYTES
from extractors.receiver.openapi import ID, TEXT, Schema, object_body
from extractors.receiver.parsing import parse_object, required
from extractors.receiver.problems import REFUSALS, unauthorized
from extractors.receiver.signatures import bearer_token, is_stale, jane_signed, same_secret
from perennial.errors import SettingsError
from perennial.settings import Settings, secret

_TIMESTAMP = "X-Jane-Request-Timestamp"


def _cart_body(**properties: Schema) -> Schema:
    cart = {"type": "object", "properties": properties, "required": list(properties)}
    return object_body({"cart": cart}, ["cart"], "JaneToken", "JaneSignature")


def routes(settings: Settings, intake: Intake) -> APIRouter:
    """Return Jane's routes."""
    router = APIRouter(prefix="/webhooks/jane", tags=["Jane"], responses=REFUSALS)

    @router.post("/cart-status", openapi_extra=_cart_body(id=ID, status=TEXT))
    async def cart_status(request: Request) -> Accepted:
        """Take a whole cart whenever its status changes."""
        return await _take(request, "cart_status", settings, intake)

    @router.post("/cart-abandoned", openapi_extra=_cart_body(id=ID))
    async def cart_abandoned(request: Request) -> Accepted:
        """Take a cart that was left before checkout."""
        return await _take(request, "cart_abandoned", settings, intake)

    return router


async def _take(request: Request, stream: str, settings: Settings, intake: Intake) -> Accepted:
    token, secrets = _keys(settings)
    if not same_secret(token, bearer_token(request.headers.get("authorization"))):
        raise unauthorized(
            "the bearer token is missing or wrong", "send the token given to Jane for this URL"
        )
    async with intake.bodies.read(request, WEBHOOK_BYTES) as body:
        timestamp = request.headers.get(_TIMESTAMP, "")
        signature = request.headers.get("x-jane-signature", "")
        if not timestamp or not jane_signed(secrets, timestamp, body, signature):
            raise unauthorized(
                f"X-Jane-Signature is not that of {_TIMESTAMP} and this body",
                "sign timestamp:body with the signing secret of this subscription",
            )
        intake.rates.admit("jane", len(body))
        text, value = parse_object(body)
        cart = required(value, "cart", dict)
        required(cart, "id", int, str, within="cart")
        if stream == "cart_status":
            required(cart, "status", str, within="cart")
        now = intake.now()
        stale = {"stale": "true"} if is_stale(timestamp, now) else {}
        record = Record(
            source="jane",
            stream=stream,
            # A cart that returns to an earlier state is news, so the instant belongs to the key.
            source_key=f"{hashlib.sha256(timestamp.encode() + b':' + body).hexdigest()}:{stream}",
            received_at=now,
            payload=text,
            headers={_TIMESTAMP: timestamp, **stale},
        )
        return await intake.keep([record])


def _keys(settings: Settings) -> tuple[str, list[str]]:
    """Return the token and the valid signing secrets: one a subscription, and those before them."""
    if settings.jane_enabled is False:
        raise SettingsError("JANE_ENABLED is off", "set JANE_ENABLED=true to take Jane's webhooks")
    token = secret(settings.jane_webhook_token, "JANE_WEBHOOK_TOKEN")
    told = [secret(settings.jane_signing_secret, "JANE_SIGNING_SECRET")]
    if settings.jane_signing_secret_previous is not None:
        told.append(settings.jane_signing_secret_previous.get_secret_value())
    # Jane makes a secret for each subscription; no secret has a comma in it.
    return token, [one.strip() for secrets in told for one in secrets.split(",") if one.strip()]
