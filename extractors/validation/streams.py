"""The streams that models read. A row of any other pair of source and stream is read by nobody."""

# Every stream here gives its rows a source key, by which models tell a repetition from news.
KEYED_STREAMS = frozenset(
    {
        "flowhub/locations",
        "flowhub/inventory",
        "flowhub/customers",
        "flowhub/orders",
        "flowhub/pulls",
        "jane/cart_status",
        "jane/cart_abandoned",
        "omni/events",
        "omni/klaviyo_events",
        "shopify/webhooks",
        "partners/events",
        "messaging/feedback",
        "perennial/decisions",
        "perennial/receipts",
        "perennial/order_receipts",
        "perennial/operations",
        "perennial/erasures",
    },
)
KNOWN_STREAMS = KEYED_STREAMS | {
    "perennial/moments",
    "perennial/audience_changes",
    "perennial/customer_id_changes",
    "perennial/derived_events",
}
