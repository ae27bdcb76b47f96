"""Describes bodies that are read by hand, because signatures are over their bytes, in /openapi.json."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from extractors.receiver.event_models import EventModels
from extractors.receiver.parsing import MAX_EVENTS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
ID: Schema = {"anyOf": [TEXT, {"type": "integer"}]}
_AT = "#/components/schemas/"
_HEADERS = {
    "JaneSignature": (
        "X-Jane-Signature",
        "Hex HMAC-SHA256 of X-Jane-Request-Timestamp, a colon and the body.",
    ),
    "OmniSecret": ("X-Perennial-Secret", "The shared secret that Shopify Flow sends."),
    "ShopifySignature": (
        "X-Shopify-Hmac-SHA256",
        "Base64 HMAC-SHA256 of the body by the app's client secret.",
    ),
    "PartnerKey": ("X-API-Key", "The key that the partner was given."),
    "MessagingSecret": ("X-Perennial-Secret", "The secret that the messaging system was given."),
}


def object_body(properties: Schema, required: list[str], *proofs: str) -> Schema:
    """Describe a body of one JSON object, and how its sender proves who it is."""
    described: Schema = {"type": "object"}
    if required:
        described |= {"properties": properties, "required": required}
    return _body(described, proofs)


def events_body(model: str, *proofs: str) -> Schema:
    """Describe a body of one event of a model or a list of them."""
    event = {"$ref": f"{_AT}{model}"}
    return _body({"oneOf": [event, {"type": "array", "items": event, "maxItems": MAX_EVENTS}]}, proofs)


def event_schemas(events: EventModels, *others: type[BaseModel]) -> Schema:
    """Return the schema of each event, that of all as ``PartnerEvent``, and those of other models, by name."""
    known = {name: f"{_AT}{model.__name__}" for name, model in events.known.items()}
    every = [*events.known.values(), events.custom, *others]
    _, made = models_json_schema([(model, "validation") for model in every], ref_template=f"{_AT}{{model}}")
    schemas: Schema = made["$defs"]
    return {
        **schemas,
        "KnownEvent": {
            "description": "An event of the taxonomy: its name says what its properties are.",
            "oneOf": [{"$ref": place} for place in known.values()],
            "discriminator": {"propertyName": "event_name", "mapping": known},
        },
        "PartnerEvent": {
            "description": "One thing that happened.",
            "oneOf": [{"$ref": f"{_AT}KnownEvent"}, {"$ref": f"{_AT}{events.custom.__name__}"}],
        },
    }


def describe(app: FastAPI, schemas: Schema) -> None:
    """Add to an app's description what the bodies refer to: their schemas, and the proofs that senders give."""
    proofs: Schema = {
        name: {"type": "apiKey", "in": "header", "name": header, "description": meaning}
        for name, (header, meaning) in _HEADERS.items()
    }
    proofs["JaneToken"] = {"type": "http", "scheme": "bearer"}

    def description() -> Schema:
        document = FastAPI.openapi(app)
        document["components"]["schemas"] |= schemas
        document["components"]["securitySchemes"] = proofs
        return document

    app.openapi = description  # type: ignore[method-assign]  # as FastAPI documents it


def _body(schema: Schema, proofs: tuple[str, ...]) -> Schema:
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "security": [{proof: [] for proof in proofs}],
    }
