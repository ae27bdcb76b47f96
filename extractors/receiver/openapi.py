"""Describes bodies that are read by hand, because signatures are over their bytes, in /openapi.json."""

from typing import Any

from pydantic import BaseModel

from extractors.receiver.parsing import MAX_EVENTS

Schema = dict[str, Any]


def object_body(properties: Schema, required: list[str]) -> Schema:
    """Describe a body of one JSON object."""
    return _body(
        {"type": "object", "properties": properties, "required": required} if required else {"type": "object"}
    )


def events_body(model: type[BaseModel]) -> Schema:
    """Describe a body of one event or a list of them."""
    event = _inlined(model.model_json_schema())
    return _body({"oneOf": [event, {"type": "array", "items": event, "maxItems": MAX_EVENTS}]})


def _body(schema: Schema) -> Schema:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _inlined(schema: Schema) -> Schema:
    """Put definitions where they are used: a reference would look for them at the document's root."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:  # noqa: ANN401  # JSON
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref", "")
        own = {key: resolve(value) for key, value in node.items() if key != "$ref"}
        return {**resolve(definitions[reference.rpartition("/")[2]]), **own} if reference else own

    resolved: Schema = resolve(schema)
    return resolved
