"""Rows of every stream, made from its own rules: mostly good, with something odd where a rule looks."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from extractors.landing.records import Record
from extractors.validation.rules import Rule, StreamRules

RECEIVED = datetime(2026, 3, 15, 18, tzinfo=UTC)
# What senders have sent, and what readers of JSON, numbers and times disagree about.
ODD: list[Any] = [
    None,
    "",
    "   ",
    "n/a",
    "null",
    True,
    False,
    0,
    -1,
    12,
    "12",
    "12.50",
    " 12 ",
    "+5",
    ".5",
    "5.",
    "1_000",
    "1e5",
    1e30,
    "1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "0x10",
    10**19,
    -(10**12),
    "12345678901234567890123",
    3035550142,
    "2026-03-15",
    "2026-3-5",
    "2026-02-30",
    "2026-03-15T00:02:11Z",
    "2026-03-15t00:02:11z",
    "2026-03-15 00:02:11.123456789",
    "2026-03-15T00:02:11+05:30",
    "2026-03-15T00:02:11+0530",
    "2026-03-15T00:02:11 UTC",
    "2026-03-15T24:00:00Z",
    "2026-03-15T23:59:60Z",
    "2026-03-16T18:00:00Z",
    "2026-03-16T18:00:00.000001Z",
    "2099-01-01T00:00:00Z",
    "0000-01-01",
    "infinity",
    "epoch",
    "1773597731",
    "99999999999",
    "17735977310000",
    [],
    [1],
    {},
    {"a": 1},
    "[]",
    "{}",
    "é\n\t",
    "'; --",
    "dana@example.com",
    "dana@example",
    "a b@c.d",
    "+1 (303) 555-0142",
    "303-555-0142",
    "103-555-0142",
    "+44 20 7946 0958",
    "gid://shopify/Customer/12",
    "gid://shopify/Customer/",
    "PENDING",
    " pending ",
    "wv/points/added",
    "stop",
    "SMS",
    "email",
    "Cart_Abandoned",
    "cart abandoned",
    "cart_abandoned",
    "decision",
    "customers/merge",
    "customers/update",
]
BROKEN = [
    "",
    "nope",
    "[]",
    '"{}"',
    "null",
    "{",
    '{"a": 1e400}',
    '{"id": "\\ud800"}',
    "  {}  ",
    '{"id": 1, "id": null}',
]


def good_value(rule: Rule, path: str, rules: StreamRules) -> Any:
    """Return a value that keeps a rule."""
    if rule.one_of is not None:
        return rules.allowed(rule)[0]
    if rule.between is not None:
        return sum(rule.between) / 2
    if rule.form is not None:
        form = rule.form[path] if isinstance(rule.form, dict) else rule.form
        return {"email": "ann@example.com", "phone": "+13035550142"}.get(form, "gid_1")
    if rule.kind == "time" or rule.not_ahead is not None:
        return "2026-03-15T17:00:00Z"
    return {"number": 7, "object": {}}.get(rule.kind or "", "x1")


def good_values(rules: StreamRules) -> dict[str, Any]:
    """Return a value for each path that the rules speak of; what is more exact than "there" counts."""
    found: dict[str, Any] = {}
    for rule in sorted(rules.rules, key=lambda one: one.kind != "there"):
        for path in rule.paths:
            found[path] = good_value(rule, path, rules)
        for path, values in rule.only_if.items():
            found.setdefault(path, values[0])
    return found


def record(rules: StreamRules, values: Mapping[str, Any], broken: str | None = None) -> Record:
    """Return the row that has these values at these paths; ``broken`` is its payload instead."""
    payload: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for path, value in values.items():
        if path.startswith("headers."):
            if value is not None:
                headers[path.removeprefix("headers.")] = str(value)
        elif path != "payload" and not path.startswith("envelope."):
            *above, last = path.split(".")
            place = payload
            for step in above:
                inner = place.get(step)
                place[step] = place = inner if isinstance(inner, dict) else {}
            place[last] = value
    source, _, stream = rules.stream.partition("/")
    key = values.get("envelope.source_key", "k")
    return Record(
        source,
        stream,
        None if key is None else str(key),
        RECEIVED,
        json.dumps(payload, ensure_ascii=False) if broken is None else broken,
        headers,
    )


@st.composite
def odd_record(draw: st.DrawFn, rules: StreamRules) -> Record:
    """Draw a row of a stream with up to three odd values."""
    values = good_values(rules)
    paths = sorted(values)
    values["envelope.source_key"] = f"k{draw(st.integers(0, 10**9))}"
    for path in draw(st.lists(st.sampled_from(paths), max_size=3, unique=True)):
        values[path] = draw(st.sampled_from(ODD))
    broken = draw(st.none() | st.none() | st.none() | st.sampled_from(BROKEN))
    return record(rules, values, broken)
