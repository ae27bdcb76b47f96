"""A store's shelves as Flowhub shows them and a pull lands them: what is new of each list, with its marker."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from extractors.landing.records import Record
from tests.scene import Scene

Item = dict[str, Any]
FLOOR, VAULT = "f" * 32, "a" * 32


def item(name: str = "Blue Dream", quantity: float = 20, price: int | None = 3500, **changes: Any) -> Item:
    """Return an inventory item as Flowhub writes it; ``price`` is in cents, ``lot`` tells its batches apart."""
    lot = changes.pop("lot", "1")
    return {
        "locationId": "store", "roomId": FLOOR, "productId": f"{name}-{lot}", "variantId": "v",
        "sku": f"sku-{name}-{lot}",
        "productName": f"{name} - Eighth", "parentProductName": name, "variantName": "Eighth", "brand": "High Mesa",
        "strainName": name, "speciesName": "Sativa-dom", "customCategoryName": None, "type": "Sativa",
        "category": "Flower", "purchaseCategory": "rec", "quantity": quantity, "priceInMinorUnits": price,
        "terpenes": [], **changes,
    }  # fmt: skip


def land_shelves(
    scene: Scene, at: datetime, items: Iterable[Item], *, store: str = "store", **marker: Any
) -> None:
    """Land a list of a store's shelves as one batch; keys of the marker can be told otherwise."""
    records, keys = [], []
    known: dict[str, str] = scene.__dict__.setdefault("shelves", {})
    for one in items:
        told = {**one, "locationId": store}
        key = ":".join(str(told[part]) for part in ("locationId", "roomId", "productId", "variantId"))
        text = json.dumps(told)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        keys.append(key)
        if known.get(key) != digest:
            records.append(Record("flowhub", "inventory", f"{key}:{digest}", at, text))
            known[key] = digest
    for gone in [key for key in known if key.startswith(f"{store}:") and key not in keys]:
        del known[gone]  # it lands again when it comes back
    pull_id = f"{store}-{at:%Y%m%dT%H%M%S}"
    body = {
        "pull_id": pull_id, "stream": "inventory", "location_id": store, "started_at": at.isoformat(),
        "ended_at": at.isoformat(), "complete": True, "records": len(keys), "changed": len(records),
        "keys": sorted(keys), "room_ids": [], "purchase_categories": [], **marker,
    }  # fmt: skip
    records.append(Record("flowhub", "pulls", pull_id, at, json.dumps(body)))
    scene.batches += 1
    scene.log.append(f"shelves/{scene.batches}", records)
