"""An order that was pushed into the till."""

import msgspec

STATUSES = (
    "new",
    "started",
    "ready",
    "inQueue",
    "inTransit",
    "delivered",
    "unableToComplete",
    "unableToVerify",
    "deleted",
    "sold",
)
GIVEN_UP = frozenset({"unableToComplete", "unableToVerify", "deleted"})
"""With one of these the reserved stock is for sale again."""


class TillLine(msgspec.Struct):
    """A line: an item's delivery at the store, and how many of it."""

    item: int
    product_id: str
    sku: str
    quantity: int
    price: int


class TillOrder(msgspec.Struct):
    """A pushed order; times are in microseconds since 1970. ``account`` is the customer's place, -1 for none."""

    order_id: str
    external_id: str
    store: int
    kind: str
    created: int
    account: int
    lines: list[TillLine]
    fees: int = 0
    note: str = ""
    status: str = "new"
    closed: int = 0

    def answer(self) -> dict[str, str]:
        """Return what order-ahead says of it."""
        return {"customerExternalId": self.external_id, "orderId": self.order_id, "status": self.status}
