"""Looks orders up as they were at an instant: those of the world, and those that were pushed into the till.

The place of a pushed order is negative: -1 is the first one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from sandbox.flowhub.order_body import LineColumns, OrderHead, OrderWriter
from sandbox.flowhub.switches import FlowhubSwitches
from sandbox.flowhub.till import Till
from sandbox.flowhub.till_order import TillOrder
from sandbox.world.journey import Column
from sandbox.world.orders import NOBODY
from sandbox.world.stores import STORES
from sandbox.world.world import World

_HEAD = (
    "order_no",
    "created",
    "completed",
    "visible",
    "voided",
    "status",
    "kind",
    "budtender",
    "points",
    "refund_of",
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a list endpoint was asked for: 1-based page, its size, the order by creation."""

    number: int
    size: int
    descending: bool

    def cut(self, places: Column, overlap: int = 0) -> Column:
        """Return the places on this page, the first ``overlap`` of them those that ended the page before."""
        ordered = places[::-1] if self.descending else places
        first = (self.number - 1) * (self.size - min(overlap, self.size - 1))
        return ordered[first : first + self.size]


class OrderBook:
    """The orders of the world; ``now`` decides what exists and what it looks like."""

    def __init__(self, world: World, switches: FlowhubSwitches, till: Till) -> None:
        """Index the orders by store."""
        self._world = world
        self._till = till
        self._writer = OrderWriter(world.menu, switches)
        edges = np.searchsorted(world.orders.store, np.arange(len(STORES) + 1))
        self._of_store = [(int(edges[n]), int(edges[n + 1])) for n in range(len(STORES))]
        self._account = {record.account_id: place for place, record in enumerate(world.records)}

    def at_store(self, store: int, created: tuple[int, int], now: int) -> Column:
        """Return the places of a store's orders that exist now and were created in the range."""
        first, last = self._of_store[store]
        times = self._world.orders.created[first:last]
        start = first + int(np.searchsorted(times, created[0]))
        end = first + int(np.searchsorted(times, min(created[1], now + 1)))
        places = start + np.flatnonzero(self._world.orders.visible[start:end] <= now)
        return self._with_pushed(places, created, now, lambda order: order.store == store)

    def of_customer(self, account_id: str, created: tuple[int, int], now: int) -> Column:
        """Return the places of a customer's orders, oldest first."""
        place = self._account.get(account_id)
        orders = self._world.orders
        if place is None:
            return np.zeros(0, dtype=np.int64)

        def is_hers(order: TillOrder) -> bool:
            return order.account == place

        mine = np.flatnonzero(
            (orders.account == place)
            & (orders.created >= created[0])
            & (orders.created < min(created[1], now + 1))
            & (orders.visible <= now)
        )
        return self._with_pushed(mine[np.argsort(orders.created[mine], kind="stable")], created, now, is_hers)

    def _with_pushed(
        self, places: Column, created: tuple[int, int], now: int, wanted: Callable[[TillOrder], bool]
    ) -> Column:
        """Return the places with those of the pushed orders among them, oldest first."""
        pushed = [
            -1 - number
            for number, order in enumerate(self._till.orders)
            if wanted(order) and created[0] <= order.created < min(created[1], now + 1)
        ]
        if not pushed:
            return places
        times = [self._till.orders[-1 - place].created for place in pushed]
        together = np.concatenate([places, np.array(pushed, dtype=np.int64)])
        at = np.concatenate([self._world.orders.created[places], np.array(times, dtype=np.int64)])
        ordered: Column = together[np.argsort(at, kind="stable")]
        return ordered

    def write(self, places: Column, now: int) -> list[msgspec.Raw]:
        """Return the order objects at these places as JSON."""
        ours = iter(self._write(places[places >= 0], now))
        encoder = msgspec.json.Encoder()
        return [
            next(ours) if place >= 0 else msgspec.Raw(encoder.encode(self._pushed(place)))
            for place in places.tolist()
        ]

    def _pushed(self, place: int) -> dict[str, object]:
        order = self._till.orders[-1 - place]
        customer = None if order.account == NOBODY else self._world.records[order.account]
        return self._writer.till_body(order, STORES[order.store], customer)

    def _write(self, places: Column, now: int) -> list[msgspec.Raw]:
        orders, lines = self._world.orders, self._world.lines
        heads = [getattr(orders, name)[places].tolist() for name in _HEAD]
        stores = orders.store[places].tolist()
        accounts = orders.account[places].tolist()
        encoder = msgspec.json.Encoder()
        written = []
        spans = zip(orders.first[places].tolist(), orders.count[places].tolist(), strict=True)
        for columns, store, account, (first, count) in zip(
            zip(*heads, strict=True), stores, accounts, spans, strict=True
        ):
            number, created, completed, _, voided, status, kind, budtender, points, refund_of = columns
            head = OrderHead(
                order_no=number,
                created=created,
                completed=completed,
                is_voided=voided <= now,
                is_pending=completed > now,
                status=status,
                kind=kind,
                budtender=budtender,
                points=points,
                refund_of=refund_of,
            )
            cut = slice(first, first + count)
            rows = zip(
                lines.item[cut].tolist(),
                lines.quantity[cut].tolist(),
                lines.price[cut].tolist(),
                lines.discount[cut].tolist(),
                lines.coupon[cut].tolist(),
                strict=True,
            )
            customer = None if account == NOBODY else self._world.records[account]
            body = self._writer.body(head, [LineColumns(*row) for row in rows], STORES[store], customer)
            written.append(msgspec.Raw(encoder.encode(body)))
        return written
