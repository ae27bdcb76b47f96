"""What is left of a landed row that was hers: a sale without its customer, else a tombstone.

A sale belongs to the store's books: what was sold, for how much, when and where stays, as a guest's. So it is kept by a
list of what may stay; whatever else a vendor sends goes, and where what stays names her all the same, nothing stays.
That her order was decided stays as well, without whom it was for: it may reach the till once only.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from erasure.rows import Rows
from erasure.traces import Traces
from extractors.landing.tombstone import TOMBSTONE
from perennial.salt import Salt

_REDUCED = "erased:"
_ORDER = (
    "id", "_id", "orderId", "clientId", "locationId", "locationName", "createdAt", "createdOn", "completedOn",
    "orderStatus", "orderType", "customerType", "voided", "originalSaleId", "budtender", "totals", "itemsInCart",
)  # fmt: skip
_CART = (
    "id", "uuid", "status", "amount", "created_at", "checked_out_time", "updated_at", "store_id", "store_name",
    "reservation_mode", "pos_order_id", "products",
)  # fmt: skip
# Decided once: without it an order would be decided, and pushed, again.
_ORDER_PUSH = (
    "kind", "push_id", "cart_id", "order_id", "store_id", "jane_store_id", "channel", "verdict", "reason",
    "line_count", "confirmed_at", "decided_at", "build_no", "ordered_at",
)  # fmt: skip
_DECISIONS = "perennial/decisions"
_CART_HEADERS = ("X-Jane-Request-Timestamp", "stale")


def reduce_rows(table: pa.Table, rows: Rows, traces: Traces, salt: Salt) -> pa.Table:
    """Return landed rows in the columns of a batch file with hers reduced; all others are what they were.

    A row that is reduced already stays as it is, so that doing it again changes nothing.
    """
    by_seq = rows.by_seq
    seqs, numbers = table["seq"].to_pylist(), table["row_no"].to_pylist()
    hers = [
        index
        for index, (seq, row_no) in enumerate(zip(seqs, numbers, strict=True))
        if row_no in by_seq.get(seq, ())
        and not (table["source_key"][index].as_py() or "").startswith(_REDUCED)
    ]
    if not hers:
        return table
    columns = {name: table[name].to_pylist() for name in ("source_key", "headers", "request", "payload")}
    for index in hers:
        stream = f"{table['source'][index]}/{table['stream'][index]}"
        row = {name: values[index] for name, values in columns.items()}
        is_sale = stream == "flowhub/orders" or (seqs[index], numbers[index]) in rows.ordered_carts
        kept = _order_push(row) if stream == _DECISIONS else {}
        for name, value in (_reduced(row, traces, salt, is_sale=is_sale) | kept).items():
            columns[name][index] = value
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values, type=pa.string()))
    return table


def _reduced(row: Mapping[str, str], traces: Traces, salt: Salt, *, is_sale: bool) -> dict[str, str]:
    # rows with one key were one delivery: they stay alike, and nobody finds the id that the key began with
    key = f"{_REDUCED}{salt.hash('source_key', row['source_key'] or '')[:32]}"
    left = {"source_key": key, "headers": "{}", "request": "{}", "payload": TOMBSTONE}
    told = _object(row["payload"]) if is_sale else None
    if told is None:
        return left
    cart = told.get("cart")
    sale = _text({"cart": _kept(cart, _CART)} if isinstance(cart, dict) else _kept(told, _ORDER))
    if traces.found_in(sale.encode()):
        return left
    headers = _text(_kept(_object(row["headers"]) or {}, _CART_HEADERS))
    # where it landed first, if an operator landed it again
    request = _text(_kept(_object(row["request"]) or {}, ("original",)))
    return {**left, "headers": headers, "request": request, "payload": sale}


def _order_push(row: Mapping[str, str]) -> dict[str, str]:
    told = _object(row["payload"]) or {}
    return {"payload": _text(_kept(told, _ORDER_PUSH))} if told.get("kind") == "order_push" else {}


def _object(text: str) -> dict[str, Any] | None:
    try:
        told = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return told if isinstance(told, dict) else None


def _kept(told: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: told[name] for name in told if name in names}


def _text(told: Mapping[str, Any]) -> str:
    return msgspec.json.encode(told).decode()
