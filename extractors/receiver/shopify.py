"""Shopify's webhooks about customers, with a base64 HMAC over the body by the app's client secret."""

import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Path, Request

from extractors.landing.records import Record
from extractors.receiver.intake import Accepted, Intake
from extractors.receiver.limits import WEBHOOK_BYTES
from extractors.receiver.openapi import object_body
from extractors.receiver.parsing import parse_object
from extractors.receiver.problems import REFUSALS, ProblemBody, malformed, unauthorized
from extractors.receiver.signatures import shopify_signed
from perennial.settings import Settings, secret

_TOPIC_FORM = re.compile(r"[a-z0-9_]+([./][a-z0-9_]+)*")
Topic = Annotated[str, Path(json_schema_extra={"pattern": f"^{_TOPIC_FORM.pattern}$"})]
_TOPIC = "X-Shopify-Topic"
_WEBHOOK_ID = "X-Shopify-Webhook-Id"
_KEPT_HEADERS = ("X-Shopify-Shop-Domain", _WEBHOOK_ID, "X-Shopify-Triggered-At")


def routes(settings: Settings, intake: Intake) -> APIRouter:
    """Return Shopify's route."""
    router = APIRouter(tags=["Shopify"], responses=REFUSALS)

    @router.post(
        "/webhooks/shopify/{topic:path}",
        openapi_extra=object_body({}, [], "ShopifySignature"),
        responses={404: {"model": ProblemBody, "description": "The path is no topic; nothing was kept."}},
    )
    async def shopify(topic: Topic, request: Request) -> Accepted:
        """Take a webhook of a topic, such as customers/merge."""
        client_secret = secret(settings.shopify_client_secret, "SHOPIFY_CLIENT_SECRET")
        async with intake.bodies.read(request, WEBHOOK_BYTES) as body:
            if not shopify_signed(client_secret, body, request.headers.get("x-shopify-hmac-sha256", "")):
                raise unauthorized(
                    "X-Shopify-Hmac-SHA256 is not that of this body",
                    "set SHOPIFY_CLIENT_SECRET to the client secret of the app that sends",
                )
            intake.rates.admit("shopify", len(body))
            # The header is Shopify's own word; the path is what somebody typed into the subscription.
            named = request.headers.get(_TOPIC) or topic
            if not _TOPIC_FORM.fullmatch(named):
                raise malformed(
                    "the topic is not one of Shopify's", "send a topic such as customers/merge", _TOPIC
                )
            text, _ = parse_object(body)
            headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
            record = Record(
                source="shopify",
                stream="webhooks",
                source_key=headers.get(_WEBHOOK_ID) or f"{hashlib.sha256(body).hexdigest()}:{named}",
                received_at=intake.now(),
                payload=text,
                headers={_TOPIC: named, **headers},
            )
            return await intake.keep([record])

    return router
