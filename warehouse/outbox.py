"""What a build decided, landed: the truth that can't be derived again, and what the push reads.

Batches are named after the build, so that exporting twice is one.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.crash import crash_point
from warehouse.moments import Moment
from warehouse.outgoing import OutgoingFields

_DECISIONS = "select * from decisions.int_flow_decisions where build_no = ? order by decision_id"
_WATCHED = (
    "select enrollment_id, list(watch_key order by watch_key) from decisions.int_enrollment_watch where build_no = ?"
    " group by enrollment_id"
)
_CLOSED = (
    "select seq, row_no, channel from identity.int_identity__closed_by_tills where build_no = ? order by all"
)
_ORDER_PUSHES = "select * from decisions.int_order_pushes where build_no = ? order by push_id"
_EXITS = "select * from marts.flow_exits where build_no = ? order by enrollment_id"
_AUDIENCES = "select * from marts.audience_changes where build_no = ? order by audience_name, customer_id"
_DERIVED = "select * from events.int_derived_events where build_no = ? order by event_id"
_PEOPLE = (
    "select * from marts.customer_id_changes where build_no = ? order by old_customer_id, new_customer_id"
)
_OUTGOING = "select destination, field from seeds.destination_fields where purpose = 'detail'"
_STREAMS = (("derived_events", _DERIVED), ("audience_changes", _AUDIENCES), ("customer_id_changes", _PEOPLE))


def export(warehouse: duckdb.DuckDBPyConnection, log: LandingLog, moment: Moment) -> int:
    """Land what a committed build decided, and return the number of decisions; doing it again changes nothing."""
    at = moment.as_of
    outgoing = OutgoingFields(warehouse.execute(_OUTGOING).fetchall())
    watched: dict[str, list[str]] = dict(warehouse.execute(_WATCHED, [moment.build_no]).fetchall())
    decisions = [_decision(row, outgoing, watched) for row in _rows(warehouse, _DECISIONS, moment.build_no)]
    pushes = [_order_push(row) for row in _rows(warehouse, _ORDER_PUSHES, moment.build_no)]
    exits = [{"kind": "exit", **row} for row in _rows(warehouse, _EXITS, moment.build_no)]
    crash_point("committed_not_exported")
    records = [
        *(_record("decisions", row["decision_id"], at, row) for row in decisions),
        *(_record("decisions", f"order_push:{row['push_id']}", at, row) for row in pushes),
        *(_record("decisions", f"exit:{row['enrollment_id']}", at, row) for row in exits),
    ]
    if records:
        log.append(f"decisions/{moment.build_no}", records)
    for stream, query in _STREAMS:
        rows = [_record(stream, None, at, row) for row in _rows(warehouse, query, moment.build_no)]
        if rows:
            log.append(f"{stream}/{moment.build_no}", rows)
    return len(decisions)


def closed_by_tills(warehouse: duckdb.DuckDBPyConnection, moment: Moment) -> list[dict[str, Any]]:
    """Return the landed records by which a committed build learned from a till that an address was closed."""
    return list(_rows(warehouse, _CLOSED, moment.build_no))


def _decision(
    row: dict[str, Any], outgoing: OutgoingFields, watched: Mapping[str, list[str]]
) -> dict[str, Any]:
    # `detail` and `context` stay the texts that they are in the warehouse: a restored row is equal to the letter; what
    # leaves is the context of the enrollment, which may be less
    told: dict[str, Any] = {"kind": "decision", **row, "enrollment": None}
    if row["outcome"] == "enrolled":
        told["enrollment"] = {
            "enrollment_id": row["decision_id"],
            "flow_name": row["flow_name"],
            "flow_display_name": row["display_name"],
            "customer_id": row["customer_id"],
            "trigger_key": row["trigger_key"],
            "triggered_at": row["triggered_at"],
            "enrolled_at": row["decided_at"],
            "not_before": row["not_before"],
            "expires_at": row["expires_at"],
            "places": _places(row["detail"]),
            "watch": watched.get(row["decision_id"]),
            "channels": row["channels"].split(","),
            "destination": row["destination"],
            "kind": row["flow_kind"],
            "recipient": {
                "email": row["recipient_email"],
                "phone": row["recipient_phone"],
                "flowhub_customer_id": row["recipient_flowhub_customer_id"],
                "customer_id": row["customer_id"],
            },
            "context": outgoing.of(row["destination"], json.loads(row["context"])),
        }
    return told


def _places(detail: str) -> list[str] | None:
    """Return the places whose quiet hours bind a message, as its decision tells them; None where none do."""
    told: str | None = json.loads(detail).get("places")
    return told.split(", ") if told else None


def _order_push(row: dict[str, Any]) -> dict[str, Any]:
    """Return a decision about an order: its row as it stands, and what is pushed under the API's own names."""
    told: dict[str, Any] = {"kind": "order_push", **row, "enrollment": None}
    if row["verdict"] == "push":
        told["enrollment"] = {
            "enrollment_id": row["push_id"],
            "flow_name": "order_push",
            "flow_display_name": "Order push",
            "customer_id": row["customer_id"],
            "triggered_at": row["confirmed_at"],
            "enrolled_at": row["decided_at"],
            "expires_at": row["expires_at"],
            "channels": [],
            "destination": "flowhub",
            "kind": "order",
            "recipient": {},
            "context": {"cart_id": row["cart_id"], "order_id": row["order_id"], **_order(row)},
        }
    return told


def _order(row: dict[str, Any]) -> dict[str, Any]:
    customer = {
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "birthDate": row["birth_date"],
        "externalId": row["customer_id"],
        "email": row["email"],
        "phone": row["phone"],
        "medRecOrBoth": row["med_or_rec"],
        "medId": row["medical_id"],
    }
    address = {
        "street1": row["street"],
        "street2": row["second_street"],
        "city": row["city"],
        "state": row["state"],
        "zip": row["postal_code"],
    }
    fee = row["delivery_fee_cents"]
    order = {
        "externalCreatedAt": row["ordered_at"],
        "customer": {name: value for name, value in customer.items() if value},
        "orderItems": json.loads(row["order_items"]),
        "address": {name: value for name, value in address.items() if value} if row["street"] else None,
        "cartDiscountNote": row["promo_code"],
        "customerNote": row["order_note"],
        "orderType": row["channel"],
        "requestedFulfillmentTimeStart": row["requested_at"],
        "fees": [{"name": "Delivery", "amount": fee}] if fee else None,
    }
    return {name: value for name, value in order.items() if value}


def _rows(warehouse: duckdb.DuckDBPyConnection, query: str, build_no: int) -> Iterator[dict[str, Any]]:
    found = warehouse.execute(query, [build_no])
    names = [column[0] for column in found.description or []]
    for row in found.fetchall():
        yield dict(zip(names, map(_plain, row), strict=True))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value


def _record(stream: str, key: str | None, at: datetime, told: dict[str, Any]) -> Record:
    return Record("perennial", stream, key, at, json.dumps(told, separators=(",", ":")))
