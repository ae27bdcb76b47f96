"""A shop that sells while something is available, against syncs and builds that come when they like."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.scene import Scene
from tests.warehouse import counter
from tests.warehouse.shelves import FLOOR, VAULT, item, land_shelves
from tests.warehouse.story import at
from warehouse.builder import Builder

UNITS = 7
STEPS = 26


@dataclass
class Till:
    """The store's own truth: what lies there, without what accepted orders reserve."""

    left: int = UNITS
    reserved: dict[str, int] = field(default_factory=dict)

    def take(self, cart: str, units: int) -> None:
        """Accept an order; the till has no less than nothing."""
        self.left -= units
        self.reserved[cart] = units
        assert self.left >= 0, "more was sold than there was"


@dataclass
class Race:
    """One shop, one till, and what is on its way between them."""

    scene: Scene
    builder: Builder
    dice: random.Random
    now: datetime = field(default_factory=lambda: at(17))
    till: Till = field(default_factory=Till)
    placed: dict[str, int] = field(default_factory=dict)  # not yet at the till
    lists: list[tuple[datetime, int]] = field(default_factory=list)  # pulls that began, with what they saw
    is_built: bool = True
    orders: int = 0
    refused: int = 0

    def step(self) -> None:
        """Let one thing happen."""
        self.now += timedelta(seconds=self.dice.randint(1, 50))
        deeds = [self.order, self.order, self.accept, self.begin_list, self.end_list, self.cancel, self.build]
        self.dice.choice(deeds)()

    def order(self) -> None:
        """Sell one or two, when the warehouse says that they are available."""
        if not self.is_built:
            self.build()  # a shop waits for its last order to be counted
        units = self.dice.randint(1, 2)
        if self.available() < units:
            self.refused += 1
            return
        self.orders += 1
        cart = f"c{self.orders}"
        self.placed[cart] = units
        counter.land_cart(self.scene, self.now, cart, "verification", [("Blue Dream", units)])
        self.is_built = False

    def accept(self) -> None:
        """Let the till accept an order: pushed by us, or by Jane."""
        if not self.placed:
            return
        cart = self.dice.choice(sorted(self.placed))
        units = self.placed.pop(cart)
        self.till.take(cart, units)
        if self.dice.random() < 0.5:
            counter.land_order_receipt(self.scene, self.now, cart, "accepted", f"pos-{cart}")
        else:
            lines = [("Blue Dream", units)]
            counter.land_cart(self.scene, self.now, cart, "preparing", lines, pos_order_id=f"pos-{cart}")

    def begin_list(self) -> None:
        """Let a pull read the till's shelves; what it read lands later."""
        self.lists.append((self.now, self.till.left))

    def end_list(self) -> None:
        """Land the oldest list that is on its way, as it was when it began."""
        if not self.lists:
            return
        began, left = self.lists.pop(0)
        shelve(self.scene, began, self.now, left)

    def cancel(self) -> None:
        """Let a shopper cancel what is not at the till."""
        if not self.placed:
            return
        cart = self.dice.choice(sorted(self.placed))
        units = self.placed.pop(cart)
        counter.land_cart(self.scene, self.now, cart, "cancelled", [("Blue Dream", units)])

    def build(self) -> None:
        """Run a moment."""
        self.scene.clock.set(self.now, running=False)
        report = self.builder.build(lane="hot")
        assert report.ok, report.error
        self.is_built = True

    def available(self) -> float:
        """Return what the warehouse says is available."""
        with duckdb.connect(str(self.scene.home / "warehouse.duckdb")) as warehouse:
            [[free]] = warehouse.execute("select sum(available) from marts.fct_inventory_levels").fetchall()
        return float(free)


def shelve(scene: Scene, began: datetime, ended: datetime, left: int) -> None:
    """Land a list of the shelves that began earlier."""
    floor = left // 2
    rooms = [item(quantity=floor, roomId=FLOOR), item(quantity=left - floor, roomId=VAULT)]
    land_shelves(scene, ended, rooms, started_at=began.isoformat())


@contextmanager
def race(deployed: Path, home: Path, seed: int) -> Iterator[Race]:
    """Open the shop with its first list on the shelves."""
    scene = Scene.on(deployed, home, {})
    scene.set_flows()
    counter.land_location(scene, at(16))
    shelve(scene, at(16), at(16), UNITS)
    with Builder(scene.settings) as builder:
        run = Race(scene, builder, random.Random(seed))  # noqa: S311 - an interleaving, no secret
        run.build()
        yield run


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [3, 11])
def test_no_interleaving_sells_more_than_there_is(seed: int, deployed: Path, tmp_path: Path) -> None:
    """Orders, acceptances, lists that began earlier, cancellations and builds in any order: never oversold."""
    with race(deployed, tmp_path / "home", seed) as run:
        for _ in range(STEPS):
            run.step()
        assert run.orders >= 3
        # all come to rest: what is left is what the till says
        for cart, units in sorted(run.placed.items()):
            run.till.take(cart, units)
            counter.land_order_receipt(run.scene, run.now, cart, "accepted", f"pos-{cart}")
        run.now += timedelta(seconds=1)
        shelve(run.scene, run.now, run.now, run.till.left)
        run.build()
        assert run.available() == run.till.left
