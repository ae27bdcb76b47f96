"""Bodies: what is right keeps its own text, what is wrong is named without being repeated."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.receiver.parsing import Parsed, parse_events, parse_object
from extractors.receiver.partners import PartnerEvent
from extractors.receiver.problems import Problem

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
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
    parsed = parse_events(f" [{' , '.join(texts)}]\n".encode(), PartnerEvent)
    assert [text for text, _ in parsed.good] == texts
    assert [event.event_id for _, event in parsed.good] == [event["event_id"] for event in events]
    assert parsed.rejected == []
    for text in texts:
        assert [good for good, _ in parse_events(f"\n{text} ".encode(), PartnerEvent).good] == [text]


@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_parser(body: bytes) -> None:
    """Every body is read, or refused with a problem."""
    for parse in (lambda: parse_events(body, PartnerEvent), lambda: parse_object(body)):
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
    parsed = parse_events(body, PartnerEvent)
    assert [event.event_id for _, event in parsed.good] == ["e1", "e3"]
    [rejected] = parsed.rejected
    assert (rejected.index, rejected.field) == (1, field)
    assert field in rejected.reason
    for value in ("secret@example.com", "yesterday", "Viewed"):
        assert value not in rejected.model_dump_json()
    with pytest.raises(Problem) as caught:
        parse_events(json.dumps({**GOOD, **change}).encode(), PartnerEvent)
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
    assert (
        len(parse_events(json.dumps({**GOOD, "occurred_at": occurred_at}).encode(), PartnerEvent).good) == 1
    )


@pytest.mark.parametrize(
    "body", [b"[1, NaN]", b'[{"a": NaN}', b"{} {}", b"[" * 100_000, b'{"a":' * 100_000, b"", b"\xff"]
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    """Numbers that JSON doesn't know and nesting without end included."""
    with pytest.raises(Problem) as caught:
        parse_events(body, PartnerEvent)
    assert caught.value.status == 422
