"""Which confirmed orders are not pushed, counted; no personal data."""

from typing import Any

from perennial.home import Home
from perennial.published import open_published

# What a store can mend; the other reasons are as they should be.
_MENDABLE = ("no_contact", "no_lines", "unknown_store", "unknown_product")


def refused_orders(home: Home, *, only_mendable: bool = False) -> list[dict[str, Any]]:
    """Return the refused orders of the published set by store, channel and reason, with what to do about each."""
    if not (home.published / "current.json").exists():
        return []
    published = open_published(home)
    with published.connection as connection:
        if "marts.order_pushes" not in published.names:
            return []
        rows = connection.execute(
            "select coalesce(store_id, 'Jane ' || jane_store_id, 'unknown'), channel, reason, reason_sentence, "
            "count(*) "
            "from marts.order_pushes where verdict = 'refused' and (not ? or list_contains(?, reason)) "
            "group by all order by all",
            [only_mendable, list(_MENDABLE)],
        ).fetchall()
    names = ("store", "channel", "reason", "sentence", "orders")
    return [dict(zip(names, row, strict=True)) for row in rows]
