"""Reads bodies as strict JSON, and says what is wrong with one without repeating it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from extractors.receiver.problems import Problem, Rejected, malformed, too_large

MAX_EVENTS = 1_000
_Model = TypeVar("_Model", bound=BaseModel)
_SEND_JSON = "send one JSON object, encoded as UTF-8"


def parse_object(body: bytes) -> tuple[str, dict[str, Any]]:
    """Return a body's text as received and the object it holds; 422 when it holds none."""
    try:
        text = body.decode()
        value = msgspec.json.decode(body)
    except UnicodeDecodeError:
        raise malformed("the body is not UTF-8", _SEND_JSON) from None
    except (msgspec.DecodeError, RecursionError):
        raise malformed("the body is not valid JSON", _SEND_JSON) from None
    if not isinstance(value, dict):
        raise malformed("the body is not a JSON object", _SEND_JSON)
    return text, value


def required(value: Mapping[str, Any], key: str, *kinds: type, within: str = "") -> Any:  # noqa: ANN401  # JSON
    """Return what a key holds; 422 names the key when it is missing, empty or of another kind."""
    field = f"{within}.{key}" if within else key
    found = value.get(key)
    if found is None or found == "":
        raise malformed(f"{field} is missing", f"send {field}", field)
    if not isinstance(found, kinds) or isinstance(found, bool):
        words = " or ".join(_KIND_WORDS[kind] for kind in kinds)
        raise malformed(f"{field} is not {words}", f"send {field} as {words}", field)
    return found


_KIND_WORDS: Mapping[type, str] = {str: "text", int: "a whole number", dict: "an object"}


@dataclass(frozen=True)
class Parsed(Generic[_Model]):
    """The events of a body: those that are right with their own text, and what is wrong with the others."""

    good: list[tuple[str, _Model]]
    rejected: list[Rejected]


def parse_events(body: bytes, model_of: Callable[[Mapping[str, Any]], type[_Model]]) -> Parsed[_Model]:
    """Read one event or a list of up to a thousand; 422 for a body that is neither or a single bad event.

    ``model_of`` says which model an event must fit.
    """
    text = body.lstrip(b" \t\r\n")
    if not text.startswith(b"["):
        found = _event(text.rstrip(b" \t\r\n"), model_of, 0)
        if isinstance(found, Rejected):
            fix = f"correct {found.field} and send it again" if found.field else _SEND_JSON
            raise malformed(found.reason, fix, found.field)
        return Parsed([found], [])
    try:
        items = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        raise malformed(
            "the body is not valid JSON", "send a JSON list of events, encoded as UTF-8"
        ) from None
    if len(items) > MAX_EVENTS:
        raise too_large(
            f"the list has more than {MAX_EVENTS:,} events", f"send at most {MAX_EVENTS:,} at a time"
        )
    found_all = [_event(bytes(item), model_of, index) for index, item in enumerate(items)]
    return Parsed(
        [found for found in found_all if not isinstance(found, Rejected)],
        [found for found in found_all if isinstance(found, Rejected)],
    )


def all_rejected(rejected: list[Rejected]) -> Problem:
    """Refuse a list of which nothing could be kept."""
    first = rejected[0]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "malformed",
        f"none of {len(rejected)} events could be kept; the first, at index {first.index}: {first.reason}",
        "correct them and send them again",
        first.field,
        rejected,
    )


def _path(location: Sequence[int | str], value: object) -> str | None:
    """Return the path of a field, such as ``properties.lines[2].price``, without the members of unions."""
    path = ""
    for part in location:
        if isinstance(value, dict):
            path += f".{part}" if path else str(part)
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            path += f"[{part}]"
            value = value[part]
        else:
            break
    return path or None


def _event(
    item: bytes, model_of: Callable[[Mapping[str, Any]], type[_Model]], index: int
) -> tuple[str, _Model] | Rejected:
    try:
        text = item.decode()
        value = msgspec.json.decode(item)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return Rejected(index=index, reason="it is not valid JSON")
    if not isinstance(value, dict):
        return Rejected(index=index, reason="it is not a JSON object")
    try:
        return text, model_of(value).model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = _path(first["loc"], value)
        return Rejected(index=index, reason=f"{field or 'it'}: {_sentence(first)}", field=field)


def _sentence(error: ErrorDetails) -> str:
    """Say what is wrong in the words of the model's author, without what pydantic puts before them."""
    return error["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
