"""The world: made from real baskets, the same every time, with its truth beside."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from sandbox.world.build import build_world
from sandbox.world.cache import load_world
from sandbox.world.ids import from_us, to_us
from sandbox.world.orders import NOBODY, SOLD
from sandbox.world.spec import STORE_ZONE, WorldSpec, spec_from_json, spec_to_json
from sandbox.world.truth import Truth
from sandbox.world.world import World
from tests.sandbox.running import TINY


@pytest.fixture(scope="module")
def made() -> tuple[World, Truth]:
    """Return the tiny world."""
    return build_world(TINY)


def test_the_same_spec_makes_the_same_world(made: tuple[World, Truth]) -> None:
    """A seed that leaks (a set's order, a clock) would show here."""
    again, truth = build_world(TINY)
    assert again.emissions == made[0].emissions
    assert again.records == made[0].records
    assert np.array_equal(again.orders.created, made[0].orders.created)
    assert truth.expected == made[1].expected


def test_another_seed_makes_other_people(made: tuple[World, Truth]) -> None:
    """The seed reaches the people, not the baskets."""
    first = made[0]
    other, _ = build_world(replace(TINY, seed=1))
    assert {record.email for record in other.records} != {record.email for record in first.records}
    assert set(other.orders.order_no.tolist()) & set(first.orders.order_no.tolist())


def test_a_cached_world_is_the_same(tmp_path: Path, made: tuple[World, Truth]) -> None:
    """What is read back equals what was made."""
    said: list[str] = []
    load_world(tmp_path, TINY, said.append)
    read = load_world(tmp_path, TINY, said.append)
    assert len(said) == 1
    assert read.emissions == made[0].emissions
    assert read.menu == made[0].menu
    assert read.records == made[0].records
    assert read.changes == made[0].changes
    assert np.array_equal(read.lines.price, made[0].lines.price)


def test_a_cache_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    """A killed first start must not leave half a world."""
    place = tmp_path / "world" / TINY.key
    place.mkdir(parents=True)
    (place / "orders.npz").write_bytes(b"half")
    assert len(load_world(tmp_path, TINY, lambda _: None).orders.order_no) > 0


def test_baskets_are_those_of_the_journey(made: tuple[World, Truth]) -> None:
    """Sales keep the source's wall time: nearly all lie in opening hours, and money adds up."""
    orders, lines = made[0].orders, made[0].lines
    hours = Counter(from_us(at).astimezone(STORE_ZONE).hour for at in orders.completed.tolist())
    open_hours = sum(count for hour, count in hours.items() if 6 <= hour < 24)
    assert open_hours > 0.95 * len(orders.order_no) > 200
    spent = lines.price - lines.discount - lines.coupon
    assert (spent[lines.quantity > 0] >= 0).all()
    sold = orders.completed[(orders.status == SOLD) & (orders.refund_of == 0)]
    assert to_us(TINY.history_start) <= sold.min()
    assert sold.max() <= to_us(TINY.horizon) + 3_600_000_000


def test_scale_clones_households_with_new_people(made: tuple[World, Truth]) -> None:
    """Twice the scale: twice the orders, and no e-mail, phone or id that two people share by cloning."""
    one = made[0]
    two, truth = build_world(replace(TINY, scale=2))
    assert len(two.orders.order_no) > 1.9 * len(one.orders.order_no)
    assert len(set(two.orders.order_no.tolist())) == len(two.orders.order_no)
    ids = [record.account_id for record in two.records]
    assert len(set(ids)) == len(ids) > 1.8 * len(one.records)
    owners = {(row.record_type, row.record_id): row.person_id for row in truth.people}
    assert all(owners[(row.record_type, row.record_id)] == row.person_id for row in truth.people)


def test_truth_names_every_record(made: tuple[World, Truth]) -> None:
    """Each account, cart and guest sale belongs to exactly one person."""
    world, truth = made
    rows = {(row.record_type, row.record_id) for row in truth.people}
    assert {("flowhub_customer", record.account_id) for record in world.records} <= rows
    carts = {
        str(json.loads(one.body)["cart"]["id"])
        for one in world.emissions
        if one.path.startswith("/webhooks/jane")
    }
    assert {("jane_cart", cart) for cart in carts} <= rows
    guests = (world.orders.account == NOBODY).sum()
    assert sum(kind == "flowhub_guest_order" for kind, _ in rows) == guests


def test_the_window_lives_for_the_webhook_flows(made: tuple[World, Truth]) -> None:
    """Even a tiny window triggers each of them, some to be enrolled and some to be skipped."""
    expected = made[1].expected
    window = to_us(TINY.window_start), to_us(TINY.window_end)
    flows = Counter(row.flow_name for row in expected if window[0] <= row.at <= window[1])
    assert {"cart_abandoned_recovery", "order_ready_for_pickup", "points_expiring_reminder"} <= set(flows)
    assert any(row.eligible for row in expected)
    assert any(row.reason for row in expected)


def test_the_truth_is_written_as_parquet(tmp_path: Path, made: tuple[World, Truth]) -> None:
    """Tests read it with DuckDB."""
    made[1].write(tmp_path)
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select flow_name, eligible, reason is null, person_id from read_parquet($1)",
            [str(tmp_path / "expected.parquet")],
        ).fetchall()
        people = connection.execute(
            "select count(*) from read_parquet($1)", [str(tmp_path / "people.parquet")]
        ).fetchall()
    assert len(rows) == len(made[1].expected)
    assert all(eligible == without_reason for _, eligible, without_reason, _ in rows)
    assert people == [(len(made[1].people),)]


def test_carts_that_became_orders_name_them(made: tuple[World, Truth]) -> None:
    """A cart's ``pos_order_id`` appears once it is pushed, and Flowhub has that order from then on."""
    from sandbox.flowhub.order_body import order_id  # noqa: PLC0415 - only this test needs it

    world = made[0]
    created = {
        order_id(int(n)): int(at) for n, at in zip(world.orders.order_no, world.orders.created, strict=True)
    }
    pushed = 0
    for one in world.emissions:
        if one.path != "/webhooks/jane/cart-status":
            continue
        cart = json.loads(one.body)["cart"]
        if cart["pos_order_id"] is not None:
            pushed += 1
            assert created[cart["pos_order_id"]] <= one.signed
            assert cart["status"] not in {"pending", "verification", "staff_member_review"}
    assert pushed > 0


def test_a_window_outside_of_the_year_is_refused() -> None:
    """The error names the field."""
    with pytest.raises(ValueError, match="window_start"):
        WorldSpec(window_start=datetime(2019, 1, 1, tzinfo=UTC))


def test_a_spec_survives_json() -> None:
    """Another process gets the same spec."""
    spec = WorldSpec(window_start=datetime(2017, 9, 2, 15, tzinfo=UTC), households=12, scale=3)
    assert spec_from_json(spec_to_json(spec)) == spec


@pytest.mark.parametrize("month", [1, 12])
def test_any_part_of_the_year_can_be_replayed(month: int) -> None:
    """The edges of the year have less history or future, and work."""
    spec = replace(TINY, window_start=datetime(2017, month, 31, 17, tzinfo=UTC), households=20)
    world, _ = build_world(spec)
    assert len(world.orders.order_no) > 0
