"""Reading a page: what came keeps its own text, and no bytes break the reader."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.klaviyo.pages import Metric, read_events, read_metrics
from perennial.errors import VendorError

METRIC = Metric("M1", "wv/points/added", '{"id": "M1"}')
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_events = st.fixed_dictionaries(
    {
        "type": st.just("event"),
        "id": st.from_regex(r"\A[a-zA-Z0-9]{3,11}\Z"),
        "attributes": st.fixed_dictionaries(
            {
                "datetime": st.datetimes().map(lambda instant: f"{instant.isoformat()}+00:00"),
                "event_properties": st.dictionaries(st.text(max_size=5), _json, max_size=3),
            }
        ),
        "relationships": st.fixed_dictionaries(
            {"profile": st.sampled_from([{"data": {"type": "profile", "id": "P1"}}, {"data": None}, {}])}
        ),
    }
)


@given(events=st.lists(_events, max_size=4), indent=st.sampled_from([None, 1]), profile=_json)
def test_each_event_keeps_its_own_text(
    events: list[dict[str, Any]], indent: int | None, profile: object
) -> None:
    """White space, escapes and number forms are the vendor's, of the event and of its profile."""
    texts = [json.dumps(event, indent=indent) for event in events]
    told = json.dumps({"type": "profile", "id": "P1", "attributes": {"properties": profile}}, indent=indent)
    body = f'{{"data": [{", ".join(texts)}], "included": [{told}], "links": {{"next": null}}}}'
    page = read_events(body.encode(), "/api/events", METRIC)
    assert page.next_cursor is None
    for event, text, read in zip(events, texts, page.events, strict=True):
        has_profile = bool(event["relationships"]["profile"].get("data"))
        assert (
            read.text
            == f'{{"event":{text},"metric":{METRIC.text},"profile":{told if has_profile else "null"}}}'
        )
        assert json.loads(read.text)["event"] == event
        assert read.source_key.startswith(f"{event['id']}:")
        assert read.at is not None


@given(body=st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """Every body is read, or refused with an error that names the path and nothing of the body."""
    for read in (
        lambda: read_events(body, "/api/events", METRIC),
        lambda: read_metrics(body, "/api/metrics"),
    ):
        cause = _refusal(read)
        assert cause is None or "/api/" in cause


def _refusal(read: Callable[[], object]) -> str | None:
    """Return why a body was refused, None when it was read."""
    try:
        read()
    except VendorError as error:
        return error.cause
    return None


@given(value=_json)
def test_no_json_breaks_the_reader(value: object) -> None:
    """Whatever stands where a resource is expected lands as it is."""
    body = json.dumps({"data": [value], "included": [value]}).encode()
    [event] = read_events(body, "/api/events", METRIC).events
    assert json.loads(event.text)["event"] == value


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        (None, None),
        ("https://a.klaviyo.com/api/events?page%5Bcursor%5D=bmV4dDo6aWQ%3D&sort=datetime", "bmV4dDo6aWQ="),
        ("https://elsewhere.example/?page[cursor]=abc", "abc"),
        ("https://a.klaviyo.com/api/events?sort=datetime", None),
        ("nonsense", None),
    ],
)
def test_the_cursor_is_taken_out_of_the_link(link: str | None, cursor: str | None) -> None:
    """The address is ours, the cursor is theirs."""
    body = json.dumps({"data": [], "links": {"next": link}}).encode()
    assert read_events(body, "/api/events", METRIC).next_cursor == cursor
    assert read_metrics(body, "/api/metrics") == ([], cursor)
