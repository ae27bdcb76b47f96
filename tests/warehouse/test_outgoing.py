"""What of a context leaves for which destination."""

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from extractors.landing.log import LandingLog
from tests.reverse_etl.scene import NOON, SetClock
from warehouse.moments import Moment
from warehouse.outbox import export
from warehouse.outgoing import OutgoingFields
from warehouse.project import PROJECT

LINES = [
    {
        "product_name": "Blue Dream",
        "brand": "Tumbleweed",
        "strain": "sativa",
        "count": 1,
        "checkout_price": "32.00",
    }
]
CONTEXT: dict[str, Any] = {
    "cart_id": "c-1",
    "cart_amount": 32.0,
    "store_name": "Colfax",
    "product_id": "p-1",
    "product_name": "Blue Dream",
    "product_count": 1,
    "brand": "Tumbleweed",
    "category": "flower",
    "products": json.dumps(LINES),
    "programme": "med",
    "medical_id": "M-123",
    "strain_type": "sativa",
    "thc_percent": 21.5,
    "utm_medium": "flow",
    "offer": None,
}
PLAIN = ("cart_id", "cart_amount", "store_name", "utm_medium", "offer")


@pytest.fixture(scope="module")
def shipped() -> OutgoingFields:
    """Return what the seed lists as it ships."""
    with (PROJECT / "seeds" / "destination_fields.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["purpose"] == "detail"]
    return OutgoingFields((row["destination"], row["field"]) for row in rows)


def test_aiq_is_told_of_products_and_of_nothing_medical(shipped: OutgoingFields) -> None:
    """It is made for cannabis retail; a strain inside a line is left out like one beside it."""
    told = shipped.of("aiq", CONTEXT)
    assert set(told) == {
        *PLAIN,
        "product_id",
        "product_name",
        "product_count",
        "brand",
        "category",
        "products",
    }
    [line] = json.loads(told["products"])
    assert line == {name: value for name, value in LINES[0].items() if name != "strain"}


@pytest.mark.parametrize(
    ("destination", "more"), [("klaviyo", ["product_count"]), ("webhook", []), ("csv", []), ("another", [])]
)
def test_nobody_else_is_told_of_products(shipped: OutgoingFields, destination: str, more: list[str]) -> None:
    """What is not listed for a destination is in no payload."""
    assert shipped.of(destination, CONTEXT) == {name: CONTEXT[name] for name in (*PLAIN, *more)}


def test_a_row_of_the_seed_is_all_it_takes() -> None:
    """What is listed leaves, at whatever depth; listed for one it is a detail for all."""
    fields = OutgoingFields([("csv", "programme"), ("csv", "products"), ("aiq", "gift_note")])
    context = {"programme": "med", "products": [{"productName": "x", "count": 2}], "gift_note": "Enjoy"}
    assert fields.of("csv", context) == {"programme": "med", "products": [{"count": 2}]}
    assert fields.of("aiq", context) == {"gift_note": "Enjoy"}


@pytest.mark.parametrize("text", ["[no list", "{cash} only", '"just a text"', "Colfax [east]"])
def test_a_text_that_only_looks_like_json_is_kept(text: str) -> None:
    """A store may be called anything."""
    assert OutgoingFields([]).of("aiq", {"store_name": text}) == {"store_name": text}


def test_what_lands_to_be_sent_is_without_what_may_not_leave(tmp_path: Path) -> None:
    """The decision keeps its whole context, which no destination is told."""
    warehouse = duckdb.connect()
    for schema in ("decisions", "marts", "events", "seeds"):
        warehouse.execute(f"create schema {schema}")
    warehouse.execute(
        "create table seeds.destination_fields as select 'aiq' as destination, 'detail' as purpose, 'brand' as field"
    )
    warehouse.execute(
        f"""
        create table decisions.int_flow_decisions as
        select
            destination as decision_id, destination, 7 as build_no, 'enrolled' as outcome, 'f' as flow_name,
            'F' as display_name, 'c_1' as customer_id, 'cart:1' as trigger_key, 'ann@example.com' as recipient_email,
            null as recipient_phone, null as recipient_flowhub_customer_id, timestamp '2026-03-15' as triggered_at,
            timestamp '2026-03-15' as decided_at, timestamp '2026-03-15' as not_before,
            timestamp '2026-03-15' as expires_at, 'email' as channels, 'marketing' as flow_kind,
            '{json.dumps(CONTEXT)}' as context, '{{"places": "CO America/Denver, TX America/Chicago"}}' as detail
        from (values ('aiq'), ('klaviyo')) as destinations (destination)
        """
    )
    for table, columns in (
        ("decisions.int_order_pushes", "push_id varchar"),
        ("decisions.int_enrollment_watch", "enrollment_id varchar, watch_key varchar"),
        ("marts.flow_exits", "enrollment_id varchar"),
        ("marts.audience_changes", "audience_name varchar, customer_id varchar"),
        ("events.int_derived_events", "event_id varchar"),
        ("marts.customer_id_changes", "old_customer_id varchar, new_customer_id varchar"),
    ):
        warehouse.execute(f"create table {table} (build_no integer, {columns})")
    warehouse.execute(
        "insert into decisions.int_enrollment_watch values "
        "(7, 'aiq', 'item:b'), (7, 'aiq', 'buyer:a'), (6, 'klaviyo', 'c')"
    )
    log = LandingLog(str(tmp_path / "landing"), SetClock())
    export(warehouse, log, Moment(7, NOON, 0, "hot", {}))
    decisions = [json.loads(row.payload) for row in log.read("perennial", "decisions")]
    to_aiq, to_klaviyo = sorted(decisions, key=lambda decision: decision["decision_id"])
    assert set(to_aiq["enrollment"]["context"]) == {*PLAIN, "brand"}
    assert set(to_klaviyo["enrollment"]["context"]) == set(PLAIN)
    assert json.loads(to_klaviyo["context"]) == CONTEXT
    assert (to_aiq["enrollment"]["watch"], to_klaviyo["enrollment"]["watch"]) == (["buyer:a", "item:b"], None)
    assert to_aiq["enrollment"]["places"] == ["CO America/Denver", "TX America/Chicago"]
