"""Bodies: what is right keeps its own text, what is wrong is named without being repeated."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from extractors.receiver.event_models import event_models
from extractors.receiver.openapi import event_schemas
from extractors.receiver.parsing import Parsed, parse_events, parse_object
from extractors.receiver.problems import Problem
from extractors.receiver.taxonomy import EventType, event_types

MODELS = event_models()
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    # JSON Schema holds 7.0 for a whole number; an id must be 7, or it would be another text
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
_events = st.fixed_dictionaries(
    {
        "event_id": st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
        "event_name": st.from_regex(r"\A[a-z0-9_]{1,20}\Z"),
        "occurred_at": st.datetimes().map(lambda instant: instant.isoformat() + "Z"),
    },
    optional={
        "customer": st.fixed_dictionaries(
            {}, optional={"email": st.text(max_size=20), "customer_id": st.integers()}
        ),
        "properties": st.dictionaries(st.text(max_size=5), _json, max_size=3),
    },
)


@given(events=st.lists(_events, max_size=5), indent=st.sampled_from([None, 1]))
def test_each_event_keeps_its_own_text(events: list[dict[str, Any]], indent: int | None) -> None:
    """White space, escapes and number forms inside an event are what the sender wrote."""
    texts = [json.dumps(event, indent=indent) for event in events]
    parsed = parse_events(f" [{' , '.join(texts)}]\n".encode(), MODELS.of)
    assert [text for text, _ in parsed.good] == texts
    assert [event.event_id for _, event in parsed.good] == [event["event_id"] for event in events]
    assert parsed.rejected == []
    for text in texts:
        assert [good for good, _ in parse_events(f"\n{text} ".encode(), MODELS.of).good] == [text]


@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_parser(body: bytes) -> None:
    """Every body is read, or refused with a problem."""
    for parse in (lambda: parse_events(body, MODELS.of), lambda: parse_object(body)):
        assert isinstance(_read(parse), Parsed | tuple | Problem)


@given(value=_json)
def test_only_objects_are_taken(value: object) -> None:
    """The text comes back untouched."""
    text = json.dumps(value)
    if isinstance(value, dict):
        assert parse_object(text.encode()) == (text, value)
    else:
        with pytest.raises(Problem, match="not a JSON object"):
            parse_object(text.encode())


def _read(parse: Callable[[], object]) -> object:
    try:
        return parse()
    except Problem as problem:
        return problem


GOOD = {"event_id": "e1", "event_name": "viewed_product", "occurred_at": "2017-03-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_id": None}, "event_id"),
        ({"event_id": ""}, "event_id"),
        ({"event_name": "Viewed Product"}, "event_name"),
        ({"event_name": "viewed\n"}, "event_name"),
        ({"occurred_at": "2017-03-01T12:00:00"}, "occurred_at"),
        ({"occurred_at": "2017-02-30T12:00:00Z"}, "occurred_at"),
        ({"occurred_at": 1488369600}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"customer": "secret@example.com"}, "customer"),
        ({"customer": {"email": ["secret@example.com"]}}, "customer.email"),
        ({"customer": {"customer_id": ["secret@example.com"]}}, "customer.customer_id"),
        ({"properties": ["secret@example.com"]}, "properties"),
    ],
)
def test_a_bad_field_is_named_and_its_value_is_not(change: dict[str, Any], field: str) -> None:
    """In a list with its place, and the good ones beside it stay."""
    body = json.dumps([GOOD, {**GOOD, **change}, {**GOOD, "event_id": "e3"}]).encode()
    parsed = parse_events(body, MODELS.of)
    assert [event.event_id for _, event in parsed.good] == ["e1", "e3"]
    [rejected] = parsed.rejected
    assert (rejected.index, rejected.field) == (1, field)
    assert field in rejected.reason
    for value in ("secret@example.com", "yesterday", "Viewed"):
        assert value not in rejected.model_dump_json()
    with pytest.raises(Problem) as caught:
        parse_events(json.dumps({**GOOD, **change}).encode(), MODELS.of)
    assert (caught.value.status, caught.value.body.field) == (422, field)


@pytest.mark.parametrize(
    "occurred_at",
    [
        "2017-03-01T12:00:00Z",
        "2017-03-01t12:00:00.123456789z",
        "2017-03-01 05:00:00-07:00",
        "2016-12-31T23:59:59.5+14:00",
    ],
)
def test_times_of_rfc_3339_are_taken(occurred_at: str) -> None:
    """With any zone and any number of decimals."""
    assert len(parse_events(json.dumps({**GOOD, "occurred_at": occurred_at}).encode(), MODELS.of).good) == 1


@pytest.mark.parametrize(
    "body", [b"[1, NaN]", b'[{"a": NaN}', b"{} {}", b"[" * 100_000, b'{"a":' * 100_000, b"", b"\xff"]
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    """Numbers that JSON doesn't know and nesting without end included."""
    with pytest.raises(Problem) as caught:
        parse_events(body, MODELS.of)
    assert caught.value.status == 422


# ---------- the events of the taxonomy

_bits = st.one_of(
    _json,
    st.sampled_from(
        [0, -1, 12.5, 1.5e-300, 10**400, "12.50", "2026-03-15", "2026-02-30", "2026-03-15T10:00:00Z", ""]
    ),
    st.sampled_from(["sms", "opted_in", "x" * 201, "é\u0000", "\U0001f33f", True, None, [], {}, ["a"], [1]]),
    st.lists(
        st.dictionaries(st.sampled_from(["price", "sku", "quantity", "other"]), _json, max_size=3), max_size=2
    ),
)


def _events_of(event: EventType) -> st.SearchStrategy[dict[str, Any]]:
    """Give events of one name whose known properties hold anything, or nothing."""
    names = {prop.path for prop in event.properties if "[]" not in prop.path}
    return st.fixed_dictionaries(
        {}, optional=dict.fromkeys(sorted(names), _bits) | {"of_their_own": _json}
    ).map(lambda properties: {**GOOD, "event_name": event.name, "properties": properties})


_SCHEMAS = {"schemas": event_schemas(MODELS)}


def _is_described(event: dict[str, Any]) -> bool:
    """Tell whether the schema that /openapi.json gives for the event's name allows it."""
    at = f"#/components/schemas/{MODELS.of(event).__name__}"
    validator = OAS31Validator({"$ref": at, "components": _SCHEMAS}, format_checker=oas31_format_checker)
    return bool(validator.is_valid(event))


@given(event=st.sampled_from([*event_types().values()]).flatmap(_events_of))
@settings(max_examples=200, deadline=None)
def test_the_published_schema_and_the_receiver_agree(event: dict[str, Any]) -> None:
    """What /openapi.json calls right is kept, and what it calls wrong comes back with the field."""
    parsed = parse_events(f"[{json.dumps(event)}]".encode(), MODELS.of)
    assert bool(parsed.good) == _is_described(event), parsed.rejected
    for rejected in parsed.rejected:
        assert rejected.field
        assert rejected.field.startswith(("properties", "event_name"))


@given(kinds=st.lists(st.sampled_from(["good", "custom", "bad value", "bad name", "no object"]), max_size=12))
def test_in_a_mixed_list_places_are_right_and_the_good_keep_their_order(kinds: list[str]) -> None:
    """Each bad event comes back with its own place; the good ones stay in order with their own text."""
    texts = {
        "good": '{{"event_id": "e{0}",  "event_name": "viewed_product", "occurred_at": "2017-03-01T12:00:00Z"}}',
        "custom": '{{"event_name":"own_thing","event_id":"e{0}","occurred_at":"2017-03-01T12:00:00Z","x":1e2}}',
        "bad value": '{{"event_id":"e{0}","event_name":"price_drop","occurred_at":"2017-03-01T12:00:00Z",'
        '"properties":{{"product_id":1,"price":"secret"}}}}',
        "bad name": '{{"event_id":"e{0}","event_name":"points_added","occurred_at":"2017-03-01T12:00:00Z"}}',
        "no object": '"secret {0}"',
    }
    sent = [texts[kind].format(place) for place, kind in enumerate(kinds)]
    parsed = parse_events(f"[{', '.join(sent)}]".encode(), MODELS.of)
    good = [place for place, kind in enumerate(kinds) if kind in {"good", "custom"}]
    assert [text for text, _ in parsed.good] == [sent[place] for place in good]
    assert [item.index for item in parsed.rejected] == [
        place for place in range(len(kinds)) if place not in good
    ]
    fields = {"bad value": "properties.price", "bad name": "event_name", "no object": None}
    assert [item.field for item in parsed.rejected] == [fields[kinds[item.index]] for item in parsed.rejected]
    assert "secret" not in "".join(item.model_dump_json() for item in parsed.rejected)


@pytest.mark.parametrize(
    ("properties", "field", "words"),
    [
        ({"price": "cheap"}, "properties.price", "should be a number or a decimal as text"),
        ({"price": True}, "properties.price", "should be a number or a decimal as text"),
        ({"lines": [{}, {"sku": ["secret"]}]}, "properties.lines[1].sku", "should be text of at most 200"),
        ({"lines": {"sku": "secret"}}, "properties.lines", "should be a valid list"),
        ({"delivery_date": "2026-02-30"}, "properties.delivery_date", "is not a date that exists"),
        ({"order_id": ""}, "properties.order_id", "should be text of 1 to 200 characters"),
        ({"order_id": None}, "properties.order_id", "should be text of 1 to 200 characters"),
    ],
)
def test_a_property_of_another_type_is_named_with_its_path(
    properties: dict[str, Any], field: str, words: str
) -> None:
    """Down to the line of the order that it stands in."""
    event = {**GOOD, "event_name": "order_completed", "properties": {"order_id": 7, **properties}}
    [rejected] = parse_events(f"[{json.dumps(event)}]".encode(), MODELS.of).rejected
    assert rejected.field == field
    assert rejected.reason.startswith(f"{field}: {words}")
    assert "secret" not in rejected.reason


def test_a_null_is_a_property_that_is_not_there() -> None:
    """Senders write null for what they don't know."""
    nothing = {"order_id": "o1", "amount": None, "lines": None, "delivery_date": None}
    event = {**GOOD, "event_name": "order_completed", "properties": nothing}
    assert len(parse_events(json.dumps(event).encode(), MODELS.of).good) == 1


@pytest.mark.parametrize("name", [name for name, event in event_types().items() if not event.ingestible])
def test_a_name_that_is_taken_is_refused_with_its_owner(name: str) -> None:
    """Loyalty, messages and audiences have their own ways in; a partner's word would count twice."""
    with pytest.raises(Problem) as caught:
        parse_events(json.dumps({**GOOD, "event_name": name}).encode(), MODELS.of)
    assert caught.value.body.field == "event_name"
    assert f"belongs to {event_types()[name].available_from[0]}" in caught.value.body.reason


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"n": 123456789012345678901234567890}',
        '{"n": 1e308}',
        '{"näme": "\\u00e9", "\\ud83c\\udf3f": "\U0001f33f"}',
        '{"deep": ' + "[" * 200 + "]" * 200 + "}",
    ],
)
def test_what_json_allows_is_kept_as_it_was_sent(text: str) -> None:
    """Repeated keys, long numbers, other scripts, nesting: the text is the truth."""
    event = f'{{"event_id":"e1","event_name":"own","occurred_at":"2017-03-01T12:00:00Z","properties":{text}}}'
    [(kept, _)] = parse_events(event.encode(), MODELS.of).good
    assert kept == event
    assert parse_object(text.encode())[0] == text


@pytest.mark.parametrize("bad", ['"\\ud800"', "Infinity", "-Infinity", "NaN", "1e400", "01", "9" * 5_000])
def test_what_no_reader_agrees_on_is_refused(bad: str) -> None:
    """Half a character and numbers that are none: the fields around them are not guessed at."""
    event = f'{{"event_id":"e1","event_name":"own","occurred_at":"2017-03-01T12:00:00Z","properties":{{"x":{bad}}}}}'
    with pytest.raises(Problem) as caught:
        parse_events(event.encode(), MODELS.of)
    assert caught.value.status == 422
