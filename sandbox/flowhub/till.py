"""The till's side of order-ahead: pushed orders reserve stock at once, and are sold or deleted later.

They lie in a file, so that a sandbox that is started again still has them. The same order pushed twice is two orders:
nothing that the vendor says dedupes them.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sandbox.flowhub.customer_book import CustomerBook
from sandbox.flowhub.inventory import Inventory, Stock
from sandbox.flowhub.till_order import GIVEN_UP, TillLine, TillOrder
from sandbox.world.ids import uid


class Line(msgspec.Struct):
    """What a pushed line asks for."""

    product_id: str
    quantity: int


class Till:
    """The pushed orders of all stores."""

    def __init__(self, inventory: Inventory, customers: CustomerBook, path: Path | None = None) -> None:
        """Take up the orders that the file holds."""
        self._inventory, self._customers, self._path = inventory, customers, path
        self._lock = threading.Lock()
        self.orders: list[TillOrder] = []
        if path is not None and path.exists():
            self.orders = msgspec.json.decode(path.read_bytes(), type=list[TillOrder])
        inventory.taken = self._taken()

    def take(self, order: TillOrder, wanted: Sequence[Line]) -> TillOrder:
        """Take an order and reserve its stock; ``ValueError`` names the line that can't be had."""
        with self._lock:
            shelves = {stock.batch.product_id: stock for stock in self._inventory.stock(order.created)}
            found = [self._found(place, line, shelves) for place, line in enumerate(wanted)]
            stores = {stock.store.index for stock in found}
            if len(stores) != 1:
                raise ValueError("orderItems: the products belong to different locations")
            order.store = stores.pop()
            order.lines = [
                TillLine(
                    stock.item.index,
                    stock.batch.product_id,
                    stock.batch.sku,
                    line.quantity,
                    stock.price * line.quantity,
                )
                for stock, line in zip(found, wanted, strict=True)
            ]
            order.order_id = uid("till order", len(self.orders), order.external_id, order.created)
            self.orders.append(order)
            self._keep()
        return order

    def find(self, order_id: str) -> TillOrder | None:
        """Return a pushed order."""
        return next((order for order in self.orders if order.order_id == order_id), None)

    def move(self, order: TillOrder, status: str, at: int) -> None:
        """Give an order its next status; sold and given up close it."""
        with self._lock:
            order.status = status
            order.closed = at if status == "sold" or status in GIVEN_UP else 0
            self._keep()

    def customer_of(self, phone: str | None, now: int) -> int:
        """Return the place of the customer with a phone number; -1 where there is none."""
        place = self._customers.find_phone(phone[-10:], now) if phone else None
        return -1 if place is None else int(place[0])

    @staticmethod
    def _found(place: int, line: Line, shelves: dict[str, Stock]) -> Stock:
        stock = shelves.get(line.product_id)
        if stock is None:
            raise ValueError(f"orderItems[{place}].productId: unknown product")
        if line.quantity < 1:
            raise ValueError(f"orderItems[{place}].quantityPurchased: must be at least 1")
        return stock

    def _keep(self) -> None:
        self._inventory.taken = self._taken()
        if self._path is not None:
            draft = self._path.with_suffix(".tmp")
            draft.write_bytes(msgspec.json.encode(self.orders))
            draft.replace(self._path)

    def _taken(self) -> Counter[str]:
        taken: Counter[str] = Counter()
        for order in self.orders:
            if order.status not in GIVEN_UP:
                for line in order.lines:
                    taken[line.product_id] += line.quantity
        return taken
