"""Looks the stock up as it was at an instant."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from sandbox.credentials import FLOWHUB_CLIENT_ID
from sandbox.flowhub.batches import BATCH_DAYS, Batch, batch, batch_number
from sandbox.flowhub.order_body import COST_SHARE, REC_TAX_PERCENT, parent_id, variant_id
from sandbox.world.ids import DAY, SECOND, from_us, iso_us, number
from sandbox.world.journey import Column
from sandbox.world.menu import Item
from sandbox.world.orders import SOLD
from sandbox.world.stores import STORES, Store
from sandbox.world.world import World

OVERLAP = 2 * DAY
"""The next batch is on the shelf this long before the old one ends: two lots share one display name."""
SALES_FLOOR_SHARE = 0.7
PLENTY = 1.6
"""A delivery is this much above the usual sales of its time, give or take its own strength."""
SUPPLIERS = ("Green Growers", "Mile High Supply", "Plains Distribution")


@dataclass(frozen=True, slots=True)
class Stock:
    """What is left of a batch of an item at a store."""

    store: Store
    item: Item
    batch: Batch
    quantity: int

    @property
    def price(self) -> int:
        """What it costs now, in cents."""
        return self.item.price * 4 // 5 if self.batch.on_sale else self.item.price


class Inventory:
    """The shelves of all stores; ``now`` decides which batches are there and how much is left of them."""

    def __init__(self, world: World) -> None:
        """Index the units sold by store and item; ``taken`` is what pushed orders reserve, by product id."""
        self._menu = world.menu
        self.taken: Counter[str] = Counter()
        orders, lines = world.orders, world.lines
        size = len(world.menu)
        line = np.concatenate([np.arange(a, a + n) for a, n in zip(orders.first, orders.count, strict=True)])
        order = np.repeat(np.arange(len(orders.order_no)), orders.count)
        sold = (orders.status[order] == SOLD) & (lines.quantity[line] > 0)
        line, order = line[sold], order[sold]
        key = orders.store[order] * size + lines.item[line]
        self._start = int(orders.completed.min()) if len(order) else 0
        second = (orders.completed[order] - self._start) // SECOND
        sorting = np.lexsort((second, key))
        self._when = (key[sorting] << 32) | second[sorting]
        self._units = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lines.quantity[line][sorting])])
        self._carried = np.unique(key)
        days = max(1.0, (int(orders.completed.max(initial=self._start)) - self._start) / DAY)
        total = np.bincount(key, weights=lines.quantity[line], minlength=size * len(STORES))
        self._usual = np.ceil(total / days * BATCH_DAYS).astype(np.int64).tolist()

    def stock(self, now: int, store: int | None = None) -> list[Stock]:
        """Return what is on the shelves, sold out or not, by store and item."""
        size = len(self._menu)
        keys = self._carried if store is None else self._carried[self._carried // size == store]
        places = [(*divmod(key, size), key) for key in keys.tolist()]
        current = [(batch_number(at, item, now), at, item, key) for at, item, key in places]
        batches = [batch(at, item, place) for place, at, item, _ in current]
        sold = self._sold(keys, np.array([known.start for known in batches], dtype=np.int64), now).tolist()
        shelves = []
        for (place, at, item, key), known, gone in zip(current, batches, sold, strict=True):
            left = max(0, self._delivered(key, known) - gone - self.taken[known.product_id])
            shelves.append(Stock(STORES[at], self._menu[item], known, left))
            if known.start + BATCH_DAYS * DAY - now <= OVERLAP:
                following = batch(at, item, place + 1)
                full = max(0, self._delivered(key, following) - self.taken[following.product_id])
                shelves.append(Stock(STORES[at], self._menu[item], following, full))
        return shelves

    def _delivered(self, key: int, delivery: Batch) -> int:
        return 6 + int(self._usual[key] * delivery.strength * PLENTY)

    def _sold(self, keys: Column, starts: Column, now: int) -> Column:
        since = np.maximum(0, (starts - self._start) // SECOND)
        until = max(0, (now - self._start) // SECOND)
        first = np.searchsorted(self._when, (keys << 32) | since, side="right")
        last = np.searchsorted(self._when, (keys << 32) | until, side="right")
        gone: Column = self._units[last] - self._units[first]
        return gone


def inventory_body(stock: Stock) -> dict[str, object]:
    """Return the inventory object, without rooms."""
    item, delivery = stock.item, stock.batch
    price = stock.price
    grams = item.grams or None
    cannabinoids = [_range("thc", item.thc, "%", None)] if item.thc else []
    return {
        "brand": item.brand,
        "cannabinoidInformation": cannabinoids,
        "category": item.category,
        "clientId": FLOWHUB_CLIENT_ID,
        "costInMinorUnits": int(price * COST_SHARE),
        "createdAt": iso_us(delivery.start),
        "currencyCode": "USD",
        "customCategoryName": None,
        "effects": [],
        "expirationDate": f"{from_us(delivery.start + 365 * DAY):%Y-%m-%d}" if grams else None,
        "inventoryUnitOfMeasure": "grams" if grams else "each",
        "inventoryUnitOfMeasureToGramsMultiplier": 1 if grams else None,
        "invoiceNumber": None,
        "isMixAndMatch": None,
        "isSoldByWeight": False,
        "isStackable": None,
        "locationId": stock.store.location_id,
        "locationName": stock.store.name,
        "manifestId": None,
        "nutrients": None,
        "parentProductId": parent_id(stock.store.index, item.index),
        "parentProductName": item.title,
        "postTaxPriceInPennies": round(price * (1 + REC_TAX_PERCENT / 100)),
        "preTaxPriceInPennies": price,
        "priceInMinorUnits": price,
        "priceProfileName": "Default",
        "productDescription": "",
        "productId": delivery.product_id,
        "productName": item.name,
        "productPictureURL": None,
        "productUnitOfMeasure": "grams" if grams else "each",
        "productUnitOfMeasureToGramsMultiplier": 1 if grams else None,
        "productUpdatedAt": iso_us(delivery.start),
        "productWeight": grams,
        "purchaseCategory": "med" if number("purchase", item.index) % 9 == 0 else "rec",
        "quantity": stock.quantity,
        "regulatoryId": delivery.regulatory_id,
        "sku": delivery.sku,
        "speciesName": item.species,
        "strainName": item.strain,
        "supplierName": SUPPLIERS[number("supplier", item.brand) % len(SUPPLIERS)],
        "tags": [],
        "terpenes": [_range(name, amount, "mg/g", 1) for name, amount in item.terpenes],
        "type": item.species,
        "variantId": variant_id(item.index),
        "variantName": item.variant,
        "weightTierInformation": None,
    }


def room_bodies(stock: Stock) -> list[dict[str, object]]:
    """Return the inventory objects by room: most of a batch is on the sales floor, the rest in the vault."""
    body = inventory_body(stock)
    floor = int(stock.quantity * SALES_FLOOR_SHARE)
    quantities = (floor, stock.quantity - floor)
    return [
        {**body, "quantity": quantity, "roomId": room_id, "roomName": name, "upc": None}
        for (room_id, name), quantity in zip(stock.store.rooms, quantities, strict=True)
    ]


def analytics(body: dict[str, object]) -> dict[str, object]:
    """Return the object as the analytics endpoints write it."""
    return {**body, "forSale": True, "supplierLicense": None}


def _range(name: str, amount: float, unit: str, grams: int | None) -> dict[str, object]:
    return {
        "lowerRange": amount,
        "name": name,
        "unitOfMeasure": unit,
        "unitOfMeasureToGramsMultiplier": grams,
        "upperRange": amount,
    }
