"""What time alone brings about: derived once, landed, and decided on in the moment that derived it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scene import Scene, stable_number
from tests.warehouse import story
from tests.warehouse.test_invariance import land_order, order
from warehouse.hot_lane import hot_models
from warehouse.project import DbtProject
from warehouse.rebuild import rebuild

DERIVED = """
select events.event_name, events.occurred_at, events.received_at
from marts.fct_events as events
where events.event_id in (select event_id from events.int_derived_events)
order by events.occurred_at, events.event_name
"""
DECIDED = """
select * from decisions.int_flow_decisions where flow_name = ? order by decided_at, trigger_key
"""


def naive(instant: datetime) -> datetime:
    """Return an instant as the warehouse keeps it."""
    return instant.replace(tzinfo=None)


def derived(scene: Scene) -> list[tuple[Any, ...]]:
    """Return name, instant and first moment of what was derived."""
    return [tuple(row.values()) for row in scene.rows(DERIVED)]


def landed(scene: Scene) -> list[str]:
    """Return the ids of the derived events in the log."""
    return [json.loads(row.payload)["event_id"] for row in scene.log.read("perennial", "derived_events")]


def with_setting(scene: Scene, **changes: int) -> None:
    """Change a setting from the next moment on."""
    scene.settings = scene.settings.model_copy(update=changes)


def stage(deployed: Path, tmp_path: Path, *people: str) -> Scene:
    """Return a scene that knows some people."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    for person in people:
        scene.know(person)
    return scene


def test_a_silent_cart_is_abandoned_once_and_decided_in_the_same_moment(
    deployed: Path, tmp_path: Path
) -> None:
    """At the threshold, whenever the moment was; where a source tells of the silence too, who is first wins.

    Of Ann's first cart nobody tells, of Bob's Jane does before us, and of Carl's after us.
    """
    scene = stage(deployed, tmp_path, "ann", "bob", "carl")
    scene.jane_cart("cart_status", "pending", story.at(18), "c1", "ann", None)
    scene.jane_cart("cart_status", "pending", story.at(17, 50), "c2", "bob", None)
    scene.jane_cart("cart_abandoned", "pending", story.at(18, 15), "c2", "bob", None)
    scene.jane_cart("cart_status", "pending", story.at(18), "c3", "carl", None)
    # the flow was deployed in January: its view must look at the points by the clock of this moment
    gone = {"value": 10, "expired_at": story.at(18, 29).isoformat()}
    scene.omni_event("wv/points/expiring", story.at(17), "ann", gone)
    scene.build(story.at(18, 29, 59))
    assert derived(scene) == [], "of Bob's cart Jane had told already"
    assert [row["reason"] for row in scene.rows(DECIDED, "points_expiring_reminder")] == ["superseded"]
    scene.build(story.at(18, 31))
    silent = ("cart_abandoned", naive(story.at(18, 30)), naive(story.at(18, 31)))
    assert derived(scene) == [silent, silent]
    scene.jane_cart("cart_abandoned", "pending", story.at(18, 36), "c3", "carl", None)
    scene.build(story.at(18, 50))
    assert len(derived(scene)) == len(landed(scene)) == 2
    decided = {row["object_id"]: row for row in scene.rows(DECIDED, "cart_abandoned_recovery")}
    assert len(scene.rows(DECIDED, "cart_abandoned_recovery")) == 3
    assert decided.keys() == {str(stable_number(cart)) for cart in ("c1", "c2", "c3")}
    assert {row["outcome"] for row in decided.values()} == {"enrolled"}
    of_ann = decided[str(stable_number("c1"))]
    assert of_ann["triggered_at"] == naive(story.at(18, 30))
    assert of_ann["trigger_key"] == f"cart:{stable_number('c1')}@2026-03-15 18:00:00"


@pytest.mark.thorough
def test_a_touch_begins_another_silence_and_late_news_or_a_setting_does_not(
    deployed: Path, tmp_path: Path
) -> None:
    """A touch that is heard of only after its silence was over changes nothing that was derived."""
    scene = stage(deployed, tmp_path, "ann")
    ann = {"email": scene.email("ann")}
    scene.partner_event("added_to_cart", story.at(17), ann, {"cart_id": "c1"})
    scene.build(story.at(17, 31))
    assert [row[1] for row in derived(scene)] == [naive(story.at(17, 30))]
    scene.partner_event("cart_updated", story.at(17, 20), ann, {"cart_id": "c1"}, story.at(17, 40))
    with_setting(scene, cart_abandoned_after_minutes=20)
    scene.build(story.at(17, 55))
    assert len(derived(scene)) == 1
    scene.partner_event("removed_from_cart", story.at(18), ann, {"cart_id": "c1"})
    scene.partner_event("added_to_cart", story.at(16), ann, {"cart_id": "ordered"})
    scene.partner_event("order_created", story.at(18), ann, {"cart_id": "ordered", "order_id": "o1"})
    scene.build(story.at(18, 45))
    assert [row[1] for row in derived(scene)] == [naive(story.at(17, 30)), naive(story.at(18, 20))]
    assert len(scene.rows(DECIDED, "cart_abandoned_recovery")) == 2


@pytest.mark.parametrize("longer_notice", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_months_and_points_come_due_by_the_clock(
    deployed: Path, tmp_path: Path, *, longer_notice: bool
) -> None:
    """Nothing lands after April; OMNI's own notice is news, and a longer one of ours reaches it and repeats nothing."""
    scene = stage(deployed, tmp_path, "ann")  # born in May
    last_of_april, may = datetime(2026, 4, 30, 20, tzinfo=UTC), datetime(2026, 5, 1, 6, 5, tzinfo=UTC)
    for day, value in (("2026-05-30", 40), ("2026-06-20", 60)):
        told = {"value": value, "source": "purchase", "expired_at": f"{day}T06:00:00Z"}
        scene.omni_event("wv/points/added", datetime(2026, 4, 1, value % 24, tzinfo=UTC), "ann", told)
    scene.build(last_of_april)
    assert [row[0] for row in derived(scene)] == ["points_expiring"]
    scene.build(may)
    midnight = datetime(2026, 5, 1, 6)  # noqa: DTZ001 -- as the warehouse keeps it
    assert derived(scene)[1] == ("birth_month_entered", midnight, naive(may))
    expiring = 1
    if longer_notice:
        expiring = 2
        with_setting(scene, points_expiring_days=60)
        scene.build(may.replace(hour=7))
        assert [row[0] for row in derived(scene)].count("points_expiring") == expiring
    notice = {"value": 60, "expired_at": "2026-06-20T06:00:00Z"}
    scene.omni_event("wv/points/expiring", may.replace(hour=8), "ann", notice)
    scene.build(may.replace(hour=9))
    assert len(derived(scene)) == len(landed(scene)) == 1 + expiring
    reminders = scene.rows(DECIDED, "points_expiring_reminder")
    assert [row["trigger_key"] for row in reminders] == ["points:2026-05-30", "points:2026-06-20"]
    assert [row["outcome"] for row in reminders] == ["enrolled", "skipped"], (
        "a second one came within its 7 days"
    )


def day(month: int, number: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of 2026."""
    return datetime(2026, month, number, hour, minute, tzinfo=UTC)


@pytest.mark.thorough
def test_orders_and_accounts_come_due_once_and_a_rebuild_brings_them_back(
    deployed: Path, tmp_path: Path
) -> None:
    """A week after the goods, three days after the switch, a month before the end, on the 1st, when all is used up."""
    scene = stage(deployed, tmp_path, "ann", "bob")
    ann = {"email": scene.email("ann")}
    for cart, person in (("c1", "ann"), ("c2", "bob")):
        scene.jane_cart("cart_status", "finished", story.at(18), cart, person, None)
    for order_id, on in (("o1", 1), ("o2", 8), ("o3", 15)):
        land_order(scene, order(order_id, 10.0, day(3, on, 17)), story.at(17, 30))
    account = {"software_expires_on": "2026-04-22", "software_name": "Till", "store_credit": 12.5}
    scene.partner_event("customer_updated", story.at(17), ann, account)
    scene.partner_event("auto_order_disabled", story.at(17), ann, {"auto_order_id": "s1"})
    scene.partner_event("order_shipped", story.at(17), ann, {"order_id": "w1", "delivery_date": "2026-03-18"})
    scene.build(story.at(18, 5))
    assert [row[:2] for row in derived(scene)] == [
        ("item_not_reviewed", naive(day(3, 8, 16))),  # the clocks changed in that week
        ("item_not_reviewed", naive(day(3, 15, 17))),
    ]
    implied = scene.rows(
        "select event_name, count(*) as times from marts.fct_events where source = 'perennial' "
        "and event_id not in (select event_id from events.int_derived_events) group by all order by all"
    )
    assert [tuple(row.values()) for row in implied] == [
        ("delivery_date_changed", 1),
        ("marketing_opted_in", 4),
        ("product_purchased", 3),
    ]
    scene.jane_cart("cart_status", "with_review", story.at(19), "c2", "bob", None)
    scene.build(day(3, 22, 18))
    due = [
        ("auto_order_disable_recovery", naive(day(3, 18, 17))),
        ("software_expiring", naive(day(3, 22, 6))),
        ("item_not_reviewed", naive(day(3, 22, 17))),
        ("replenishment_due", naive(day(3, 22, 17))),
        ("item_not_reviewed", naive(day(3, 22, 18))),
    ]
    assert [row[:2] for row in derived(scene)[2:]] == due
    assert rebuild(scene.settings, day(3, 22, 18, 1)).ok
    scene.build(day(4, 1, 6))
    assert [row[:2] for row in derived(scene)[2:]] == [*due, ("store_credit_statement", naive(day(4, 1, 6)))]
    assert len(landed(scene)) == len(derived(scene))


def test_the_hot_lane_lets_time_bring_events(deployed: Path) -> None:
    """Where nothing has landed the rules run, and what is made of them; other facts stand still."""
    manifest = DbtProject(deployed / "warehouse.duckdb", deployed / "dbt").manifest
    chosen = set(hot_models(manifest, [], ["points_expiring_reminder", "order_ready_for_pickup"]))
    rules = {name for name in chosen if name.startswith("int_clock__")}
    assert {"silent_carts", "points_expiring", "birth_months", "orders", "accounts"} <= {
        name.removeprefix("int_clock__") for name in rules
    }
    assert {"int_derived_events", "int_events", "int_flow_triggers", "points_expiring_reminder"} <= chosen
    assert not chosen & {
        "base_jane__carts",
        "int_carts",
        "int_birth_months",
        "fct_events",
        "order_ready_for_pickup",
    }


def test_a_draft_costs_a_moment_nothing(deployed: Path, tmp_path: Path) -> None:
    """Its view isn't made again, and nobody reads it."""
    manifest = DbtProject(deployed / "warehouse.duckdb", deployed / "dbt").manifest
    assert "points_expiring_reminder" not in hot_models(manifest, [], [])
    scene = stage(deployed, tmp_path)
    scene.flows = {"cart_abandoned_recovery": {}}
    scene.set_flows()
    scene.build(story.at(18))
    [[view]] = [
        row.values()
        for row in scene.rows("select sql from duckdb_views() where view_name = ?", "int_flow_candidates")
    ]
    assert "cart_abandoned_recovery" in view
    assert "lapsed_customer_winback" not in view
