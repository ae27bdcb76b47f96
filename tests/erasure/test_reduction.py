"""What is found of a person in landed text, and what is left of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from erasure.person import Person
from erasure.reduction import reduce_rows
from erasure.rows import Rows
from erasure.traces import Traces
from extractors.landing.tombstone import TOMBSTONE
from perennial.salt import Salt

SALT = Salt("salt")
ANN = Person(
    customer_id="c_13975ed90fcb940f",
    customer_ids=frozenset({"c_13975ed90fcb940f"}),
    nodes=frozenset({"jane_user:42", "flowhub_customer:fh-customer-1"}),
    record_keys=frozenset({"812345678901234567"}),
    emails=frozenset({"ann@example.com"}),
    phones=frozenset({"+13035550142"}),
    shared=frozenset(),
    ids=frozenset({"42", "fh-customer-1"}),
    names=frozenset({"Zoë Ann Okoye"}),
    birth_dates=frozenset({"1987-11-23"}),
    streets=frozenset({"12 Quillwort Lane"}),
    decisions=frozenset({"0123456789abcdef"}),
)


def row(payload: str, stream: str = "partners/events", **texts: str) -> dict[str, Any]:
    """Return a row of a landed file."""
    source, _, name = stream.partition("/")
    return {
        "seq": 7, "row_no": 1, "source": source, "stream": name, "source_key": "key", "headers": "{}", "request": "{}",
        "payload": payload, **texts,
    }  # fmt: skip


def table(*rows: Mapping[str, Any]) -> pa.Table:
    """Return rows as a landed file holds them."""
    return pa.Table.from_pylist([{**one, "row_no": number} for number, one in enumerate(rows, 1)])


@pytest.mark.parametrize(
    "text",
    [
        '{"email": "Ann@Example.COM"}',
        '{"phone": "+13035550142"}',
        '{"phone": "(303) 555-0142"}',
        '{"phone": 13035550142}',
        '{"phone": "303.555.0142"}',
        '{"id": "fh-customer-1"}',
        '{"subject_node": "jane_user:42"}',
        '{"record_key": 812345678901234567}',
        '{"enrollment_id": "0123456789abcdef"}',
        '{"name": "Zo\\u00eb  Ann Okoye", "birthDate": "1987-11-23"}',
        '{"name": "ZOË ANN OKOYE", "street": "12 Quillwort Lane"}',
        'not JSON at all: ann@example.com"',
    ],
)
def test_a_value_of_hers_is_found_however_it_is_written(text: str) -> None:
    """Case, separators and JSON's escapes hide nothing."""
    assert Traces(ANN).mask(table(row(text))).to_pylist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        '{"email": "joann@example.com"}',
        '{"email": "ann@example.community"}',
        '{"phone": "+13035550143"}',
        '{"total": 130355501420}',
        '{"id": "fh-customer-11"}',
        '{"quantity": 42}',
        '{"name": "Zoë Ann Okoye"}',
        '{"birthDate": "1987-11-23"}',
    ],
)
def test_what_only_looks_like_hers_is_not(text: str) -> None:
    """Part of a longer value, a short number, a name or a birthday alone: other people's rows stay."""
    assert Traces(ANN).mask(table(row(text))).to_pylist() == [False]


def test_other_rows_of_a_file_keep_every_byte() -> None:
    """Hers becomes a tombstone at its place, and doing it again changes nothing."""
    others = row('{"email":  "bob@example.com"}', headers='{"partner":"p"}', request='{"page":1}')
    before = table(others, row('{"email": "ann@example.com"}'), others)
    rows = Rows({"partners/events": frozenset({(7, 2)})}, frozenset(), {})
    after = reduce_rows(before, rows, Traces(ANN), SALT)
    assert after.schema == before.schema
    found = after.to_pylist()
    assert [found[0], found[2]] == [before.to_pylist()[0], before.to_pylist()[2]]
    assert (found[1]["payload"], found[1]["headers"], found[1]["request"]) == (TOMBSTONE, "{}", "{}")
    assert found[1]["source_key"].startswith("erased:")
    assert reduce_rows(after, rows, Traces(ANN), SALT) == after


def test_a_sale_stays_as_a_guest_s() -> None:
    """What was sold stays; every field that is not on the list goes, known or not."""
    order = {
        "id": "o1", "customerId": "fh-customer-1", "fullName": "Zoë Ann Okoye", "orderStatus": "sold",
        "itemsInCart": [{"productName": "Blue Dream", "totalPrice": 40}], "totals": {"finalTotal": 44},
        "someday": {"contact": "ann@example.com"},
    }  # fmt: skip
    cart = {
        "cart": {"id": 5, "status": "preparing", "customer_name": "Zoë", "products": [], "queue_number": "G1"}
    }
    before = table(row(json.dumps(order), "flowhub/orders"), row(json.dumps(cart), "jane/cart_status"))
    rows = Rows({"": frozenset({(7, 1), (7, 2)})}, frozenset({(7, 2)}), {})
    kept, left = (
        json.loads(one["payload"]) for one in reduce_rows(before, rows, Traces(ANN), SALT).to_pylist()
    )
    assert kept == {name: order[name] for name in ("id", "orderStatus", "itemsInCart", "totals")}
    assert left == {"cart": {"id": 5, "status": "preparing", "products": []}}
    abandoned = reduce_rows(before, replace(rows, ordered_carts=frozenset()), Traces(ANN), SALT)
    assert abandoned.to_pylist()[1]["payload"] == TOMBSTONE, "a cart that was left is no sale"


def test_that_an_order_was_decided_stays() -> None:
    """Which order, and what was decided; nobody it was for, and nothing to push."""
    decided = {
        "kind": "order_push", "push_id": "p", "cart_id": "5", "verdict": "push", "reason": None, "build_no": 3,
        "decided_at": "2026-03-15T12:00:00+00:00", "store_id": "s",
    }  # fmt: skip
    hers = {"record_key": 812345678901234567, "customer_id": "c_13975ed90fcb940f", "phone": "+13035550142"}
    told = {**decided, **hers, "enrollment": {"enrollment_id": "p", "context": {"customer": hers}}}
    other = {"kind": "decision", "outcome": "enrolled", "decision_id": "0123456789abcdef"}
    before = table(*(row(json.dumps(one), "perennial/decisions") for one in (told, other)))
    rows = Rows({"": frozenset({(7, 1), (7, 2)})}, frozenset(), {})
    push, enrollment = reduce_rows(before, rows, Traces(ANN), SALT).to_pylist()
    assert json.loads(push["payload"]) == decided
    assert enrollment["payload"] == TOMBSTONE


def test_a_sale_that_names_her_where_nobody_expects_it_goes_whole() -> None:
    """A list of fields is no promise about what a vendor writes into them."""
    order = {"id": "o1", "itemsInCart": [{"productName": "Gift for ann@example.com"}]}
    rows = Rows({"": frozenset({(7, 1)})}, frozenset(), {})
    [left] = reduce_rows(table(row(json.dumps(order), "flowhub/orders")), rows, Traces(ANN), SALT).to_pylist()
    assert left["payload"] == TOMBSTONE


def test_nothing_shows_a_person_by_accident() -> None:
    """An exception's text or a log line may hold a repr."""
    assert "ann" not in repr(ANN).lower()
    assert "salt" not in repr(SALT)
    assert msgspec.json.decode(msgspec.json.encode(ANN), type=Person) == ANN
