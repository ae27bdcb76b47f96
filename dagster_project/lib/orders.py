"""Which confirmed orders are not pushed, counted; no personal data."""

from typing import Any

from perennial.home import Home
from perennial.published import rows

# What a store can mend; the other reasons are as they should be.
_MENDABLE = ("no_contact", "no_lines", "unknown_store", "unknown_product")


def refused_orders(home: Home, *, only_mendable: bool = False) -> list[dict[str, Any]]:
    """Return the refused orders of the published set by store, channel and reason, with what to do about each."""
    return rows(
        home,
        "marts.order_pushes",
        "select coalesce(store_id, 'Jane ' || jane_store_id, 'unknown') as store, channel, reason, "
        "reason_sentence as sentence, count(*) as orders "
        "from marts.order_pushes where verdict = 'refused' and (not ? or list_contains(?, reason)) "
        "group by all order by all",
        [only_mendable, list(_MENDABLE)],
    )
