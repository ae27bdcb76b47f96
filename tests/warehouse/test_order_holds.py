"""Stock that e-commerce orders hold: from the order until the till counts it itself, between the syncs too."""

import json
from pathlib import Path

import pytest

from dagster_project.lib.backlog import uncovered
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.published import open_published
from tests.scene import Scene
from tests.warehouse import counter
from tests.warehouse.shelves import FLOOR, VAULT, item, land_shelves
from tests.warehouse.story import at
from warehouse.builder import Builder
from warehouse.order_stock import set_stock

ONE = [("Blue Dream", 3)]
GELATO = [("Gelato", 1)]
FULFILLED = "select object_id from marts.fct_events where event_name = 'order_fulfilled'"


@pytest.fixture
def scene(deployed: Path, tmp_path: Path) -> Scene:
    """Open a store with five units on the floor and two in the vault."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    counter.land_location(scene, at(16))
    shelve(scene, 16, 0, 5, gelato=5)
    scene.build(at(16, 1))
    return scene


def shelve(scene: Scene, hour: int, minute: int, floor: float, *, gelato: float = 0, **marker: str) -> None:
    """Land a list of the shelves that began and ended at that minute."""
    shelves = [item(quantity=floor, roomId=FLOOR), item(quantity=2, roomId=VAULT)]
    land_shelves(scene, at(hour, minute), [*shelves, *([item("Gelato", gelato)] if gelato else [])], **marker)


def test_a_hold_lasts_until_a_list_that_began_after_the_till_had_the_order(scene: Scene) -> None:
    """A cart holds nothing; an order does at once, and no list counts it twice or not at all.

    An order of Gelato that Jane put into the till, and one that the shopper has, are the till's word too: the next list
    knows them.
    """
    counter.land_cart(scene, at(17), "c1", "pending", ONE)
    counter.land_cart(scene, at(17), "theirs", "verification", GELATO)
    counter.land_cart(scene, at(17, 1), "theirs", "preparing", GELATO, pos_order_id="pos-2")
    counter.land_cart(scene, at(17, 1), "handed", "finished", GELATO)
    scene.build(at(17, 1))
    assert counter.levels(scene) == {"Blue Dream": (7, 0, 7), "Gelato": (5, 2, 3)}
    counter.land_cart(scene, at(17, 2), "c1", "verification", ONE)
    scene.build(at(17, 3))
    assert counter.levels(scene) == {"Blue Dream": (7, 3, 4), "Gelato": (5, 2, 3)}
    shelve(scene, 17, 4, 5, gelato=3)
    scene.build(at(17, 5))
    assert counter.holds(scene)["c1"] == ("held", None), "the till does not know it yet"
    assert counter.levels(scene)["Gelato"] == (3, 0, 3)
    counter.land_order_receipt(scene, at(17, 6), "c1", "accepted", "pos-1")
    shelve(scene, 17, 7, 5, gelato=3, started_at=at(17, 5).isoformat())
    scene.build(at(17, 8))
    assert counter.levels(scene)["Blue Dream"] == (7, 3, 4), "that list began before"
    land_shelves(scene, at(17, 9), [item(quantity=2)], complete=False)
    scene.build(at(17, 10))
    assert counter.holds(scene)["c1"] == ("held", None), "that list is not complete"
    shelve(scene, 17, 11, 2, gelato=3)
    scene.build(at(17, 12))
    assert counter.levels(scene) == {"Blue Dream": (4, 0, 4), "Gelato": (3, 0, 3)}
    assert counter.holds(scene)["c1"] == ("released_to_pos", "counted_by_pos")
    assert scene.rows("select status from marts.fct_orders where order_id like '%c1'") == [
        {"status": "created"}
    ]
    assert [row["object_id"] for row in scene.rows(FULFILLED)] == ["jane-handed"]


@pytest.mark.thorough
def test_a_person_pins_and_releases(scene: Scene) -> None:
    """Pinned outlasts lists and cancellation; released by hand it is free at once, and may be pinned again."""
    counter.land_cart(scene, at(17), "c1", "preparing", ONE, pos_order_id="pos-1")
    counter.operate(scene, at(17, 1), "order_hold", "c1")
    scene.build(at(17, 2))
    shelve(scene, 17, 3, 2)
    counter.land_cart(scene, at(17, 4), "c1", "dismissed", ONE)
    scene.build(at(17, 5))
    assert counter.holds(scene) == {"c1": ("pinned", None)}
    assert counter.levels(scene) == {"Blue Dream": (4, 3, 1)}
    counter.operate(scene, at(17, 6), "order_release", "c1")
    scene.build(at(17, 7))
    assert counter.holds(scene) == {"c1": ("released_to_pos", "by_hand")}
    assert counter.levels(scene) == {"Blue Dream": (4, 0, 4)}


@pytest.mark.thorough
def test_what_is_canceled_or_has_no_lines_blocks_nothing(scene: Scene) -> None:
    """Both are listed; more than there is on hold is owed by one room, so that the sum is right."""
    counter.land_cart(scene, at(17), "gone", "verification", ONE)
    counter.land_cart(scene, at(17, 1), "gone", "cancelled", ONE)
    counter.land_cart(scene, at(17), "empty", "verification")
    counter.land_cart(scene, at(17), "many", "verification", [("Blue Dream", 6)])
    scene.build(at(17, 2))
    assert counter.holds(scene) == {
        "empty": ("held", None),
        "gone": ("released_to_pos", "canceled"),
        "many": ("held", None),
    }
    [empty] = scene.rows("select line_no, quantity from marts.order_holds where cart_id = 'empty'")
    assert (empty["line_no"], float(empty["quantity"])) == (0, 0)
    rooms = scene.rows("select room_id, on_hold, available from marts.fct_inventory_levels order by on_hold")
    assert [(row["room_id"], float(row["on_hold"]), float(row["available"])) for row in rooms] == [
        (VAULT, 1, 1),
        (FLOOR, 5, 0),
    ]
    counter.land_cart(scene, at(17, 3), "more", "verification", ONE)
    scene.build(at(17, 4))
    assert counter.levels(scene) == {"Blue Dream": (7, 9, -2)}


def published_hold(scene: Scene) -> float:
    """Return what consumers see on hold."""
    published = open_published(Home(scene.home))
    with published.connection as connection:
        [[held]] = connection.execute("select sum(on_hold) from marts.fct_inventory_levels").fetchall()
    return float(held)


@pytest.mark.thorough
def test_consumers_see_holds_between_the_syncs_and_a_person_names_the_order(scene: Scene) -> None:
    """After a hot moment the two tables of stock are published; what is pinned by hand is news for the next one."""
    scene.clock.set(at(17), running=False)
    with Builder(scene.settings) as builder:
        scheduled = builder.build(lane="scheduled")
        assert scheduled.ok, scheduled.error
        counter.land_cart(scene, at(17, 1), "c1", "preparing", ONE, pos_order_id="pos-1")
        scene.clock.set(at(17, 1), running=False)
        report = builder.build(lane="hot")
        assert report.ok, report.error
        assert published_hold(scene) == 0
        assert builder.publish_stock(report) == ["marts.fct_inventory_levels", "products.int_order_holds"]
        assert published_hold(scene) == 3
        assert builder.publish_stock(report) == [], "what did not change keeps its file"
    pointer = json.loads((scene.home / "published" / "current.json").read_text(encoding="utf-8"))
    assert pointer["build_no"] == scheduled.build_no
    assert pointer["fresher"]["marts.fct_inventory_levels"]["build_no"] == report.build_no

    with pytest.raises(PerennialError, match="no placed e-commerce order has the id pos-9"):
        set_stock(scene.settings, "hold", "pos-9")
    assert uncovered(scene.log) is None
    assert set_stock(scene.settings, "hold", "pos-1") == "jane-c1"
    assert uncovered(scene.log) == scene.log.last_seq(), "a person's word is news"
    [told] = scene.log.read("perennial", "operations")
    assert json.loads(told.payload)["subject"] == {"cart_id": "c1"}
    scene.build(at(17, 2))
    assert counter.holds(scene) == {"c1": ("pinned", None)}
    assert uncovered(scene.log) is None, "what the build itself lands is none"
