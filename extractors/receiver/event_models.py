"""What a partner may send of each event, as models that validate and that /openapi.json describes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, Required

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    create_model,
    with_config,
)
from pydantic_core import core_schema
from typing_extensions import TypedDict  # of which pydantic knows the required keys before Python 3.12

from extractors.receiver.taxonomy import EventType, Property, event_types

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_NAME = r"^[a-z0-9_]{1,100}$"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _rfc3339(value: str) -> str:
    if not _RFC3339.fullmatch(value):
        raise ValueError("is not an RFC 3339 time with a zone, such as 2026-03-15T00:02:11Z")
    try:
        # Python knows microseconds; more digits only have to be digits.
        datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper()))
    except ValueError:
        raise ValueError("is not a time that exists") from None
    return value


def _date(value: str) -> str:
    if not _DATE.fullmatch(value):
        raise ValueError("is not a date, such as 2026-03-15")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a date that exists") from None
    return value


def _either(sentence: str, *choices: core_schema.CoreSchema) -> GetPydanticSchema:
    """Take any of the choices; one sentence says what is expected, instead of one a choice."""
    schema = core_schema.union_schema(
        list(choices), mode="left_to_right", custom_error_type="kind", custom_error_message=sentence
    )
    return GetPydanticSchema(lambda _, __: schema)


Rfc3339 = Annotated[str, AfterValidator(_rfc3339), Field(json_schema_extra={"format": "date-time"})]
Date = Annotated[str, AfterValidator(_date), Field(json_schema_extra={"format": "date"})]
Text = Annotated[str, Field(max_length=320)]
_KINDS: Mapping[str, Any] = {
    "text": str,
    "id": Annotated[
        Any,
        _either(
            "should be text of at most 200 characters, or a whole number",
            core_schema.str_schema(strict=True, max_length=200),
            core_schema.int_schema(strict=True),
        ),
    ],
    # decimals as text say exactly what is meant, as floating point can't
    "amount": Annotated[
        Any,
        _either(
            "should be a number or a decimal as text, such as 12.50 in dollars",
            core_schema.float_schema(allow_inf_nan=False, strict=True, gt=-1e12, lt=1e12),
            core_schema.str_schema(strict=True, pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$"),
        ),
    ],
    "number": Annotated[
        Any,
        _either(
            "should be a number",
            core_schema.float_schema(allow_inf_nan=False, strict=True, gt=-1e12, lt=1e12),
        ),
    ],
    "integer": Annotated[int, Field(ge=-(10**12), le=10**12)],
    "boolean": bool,
    "date-time": Rfc3339,
    "date": Date,
}
# What can't be missing can't be empty either; an empty text elsewhere says no more than none.
_REQUIRED_KINDS: Mapping[str, Any] = {
    **_KINDS,
    "text": Annotated[str, Field(min_length=1)],
    "id": Annotated[
        Any,
        _either(
            "should be text of 1 to 200 characters, or a whole number",
            core_schema.str_schema(strict=True, min_length=1, max_length=200),
            core_schema.int_schema(strict=True),
        ),
    ],
}
_OPEN = ConfigDict(extra="allow", strict=True)


class Customer(BaseModel):
    """Who it was, as far as the sender knows; all may be missing."""

    model_config = _OPEN

    email: Text | None = None
    phone: Text | None = None
    customer_id: Text | int | None = None
    device_id: Text | int | None = None


class PartnerEvent(BaseModel):
    """One thing that happened."""

    model_config = _OPEN

    event_id: Annotated[str, Field(min_length=1, max_length=200)]
    event_name: Annotated[str, Field(pattern=_NAME)]
    occurred_at: Rfc3339
    customer: Customer | None = None
    properties: dict[str, Any] | None = None


class EventModels:
    """The model of each event that partners may send, and one for all custom events."""

    def __init__(self, types: Mapping[str, EventType]) -> None:
        self.known = {name: _event_model(event) for name, event in types.items() if event.ingestible}
        self.custom = _custom_model(types)

    def of(self, value: Mapping[str, Any]) -> type[PartnerEvent]:
        """Return the model that an event must fit, by its name."""
        name = value.get("event_name")
        return self.known.get(name, self.custom) if isinstance(name, str) else self.custom


@cache
def event_models() -> EventModels:
    """Return the models of the taxonomy, made once a process."""
    return EventModels(event_types())


def _event_model(event: EventType) -> type[PartnerEvent]:
    name = event.name.title().replace("_", "")
    properties = _object_type(f"{name}Properties", event.properties)
    needs_some = any(prop.required for prop in event.properties if "[]." not in prop.path)
    return create_model(
        name,
        __base__=PartnerEvent,
        __doc__=event.description,
        event_name=(_one_of(event.name), ...),
        properties=(properties, ...) if needs_some else (properties | None, None),
    )


def _one_of(*words: str) -> Any:  # noqa: ANN401  # a type that is made here
    one_of: Any = Literal
    return one_of[words]


def _custom_model(types: Mapping[str, EventType]) -> type[PartnerEvent]:
    """Return the model of an event that the taxonomy doesn't know: anything but a name that is taken."""

    def free(name: str) -> str:
        if name in types:
            owners = " and ".join(types[name].available_from)
            raise ValueError(f"belongs to {owners}; choose a name of your own for a custom event")
        return name

    taken = {"not": {"enum": list(types)}}
    name = Annotated[str, Field(pattern=_NAME, json_schema_extra=taken), AfterValidator(free)]
    return create_model(
        "CustomEvent",
        __base__=PartnerEvent,
        __doc__="An event of a name that is not taken: kept with whatever it holds.",
        event_name=(name, ...),
    )


@cache
def _object_type(name: str, properties: tuple[Property, ...]) -> Any:  # noqa: ANN401  # a type that is made here
    """Return the type of an object: a dictionary, which costs less to check than a model does."""
    fields: dict[str, Any] = {}
    for prop in properties:
        if "[]." in prop.path:
            continue
        kind = _kind(prop, properties)
        # a null says no more than a property that is not there
        fields[prop.path] = (
            Required[Annotated[kind, Field(description=prop.description)]]
            if prop.required
            else NotRequired[Annotated[kind | None, Field(description=prop.description)]]
        )
    made = TypedDict(name, fields)  # type: ignore[misc]  # its fields are known when the seed is read
    return with_config(_OPEN)(made)


def _kind(prop: Property, properties: tuple[Property, ...]) -> Any:  # noqa: ANN401  # a type that is made here
    """Return the type of a property; ``lines[].sku`` belongs to the objects of the list ``lines``."""
    if prop.kind == "list":
        prefix = f"{prop.path}[]."
        inner = tuple(
            replace(other, path=other.path.removeprefix(prefix))
            for other in properties
            if other.path.startswith(prefix)
        )
        many: Any = list
        return many[_object_type(prop.path.removesuffix("s").title(), inner) if inner else str]
    if "|" in prop.form:
        return _one_of(*prop.form.split("|"))
    return (_REQUIRED_KINDS if prop.required else _KINDS)[prop.form or prop.kind]
