"""What is known of a person from moment to moment: traits, audiences, lists; a merge is no news of hers."""

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from perennial.errors import PerennialError
from perennial.home import Home
from tests.scene import Scene
from warehouse.publish import publish

ROOT = Path(__file__).parents[2]

FIRST = datetime(2026, 3, 15, tzinfo=UTC)
# The first moment sees both; then Bob spends enough to be a VIP; then both turn out to be one person; then time passes.
MOMENTS = [
    FIRST + timedelta(hours=12),
    FIRST + timedelta(days=5),
    FIRST + timedelta(days=6),
    FIRST + timedelta(days=40),
]


def order(scene: Scene, order_id: str, who: str, total: float, at: datetime) -> None:
    """Land an order as Flowhub writes it."""
    line = {
        "productId": "p", "productName": "Blue Dream", "category": "Flower", "brand": "High Mesa", "quantity": 1,
        "totalPrice": total,
    }  # fmt: skip
    told = {
        "id": order_id, "customerId": f"fh-{who}", "orderStatus": "sold", "voided": False, "orderType": "walk-in",
        "locationId": "store", "createdAt": at.isoformat(), "completedOn": at.isoformat(), "originalSaleId": "",
        "totals": {"finalTotal": total, "subTotal": total}, "itemsInCart": [line],
    }  # fmt: skip
    scene.land("flowhub", "orders", at, told, order_id)


@pytest.fixture(name="scene", scope="module")
def make_scene(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Play it once."""
    scene = Scene.on(deployed, tmp_path_factory.mktemp("traits") / "home", {})
    scene.set_flows()
    for who, total in (("ann", 2000.0), ("bob", 50.0)):
        scene.know(who)
        order(scene, f"first-{who}", who, total, FIRST + timedelta(hours=10))
    told = {
        "tags": ["vip"], "atdata_age": "45-54", "shirt": "M", "cashback_balance": 5,
        "cashback_expires_at": "2026-04-01T00:00:00Z",
    }  # fmt: skip
    ann = {"email": scene.email("ann")}
    scene.partner_event("customer_updated", FIRST + timedelta(hours=11), ann, told)
    scene.partner_event("list_joined", FIRST + timedelta(hours=11), ann, {"list_name": "news"})
    scene.build(MOMENTS[0])
    order(scene, "big", "bob", 1600.0, FIRST + timedelta(days=4))
    scene.build(MOMENTS[1])
    scene.merge("ann", "bob", FIRST + timedelta(days=5, hours=1))
    scene.build(MOMENTS[2])
    scene.build(MOMENTS[3])
    return scene


def changes(scene: Scene, moment: datetime, audience: str) -> list[tuple[str, bool]]:
    """Return who entered or left an audience in a moment, and whether in silence."""
    rows = scene.rows(
        "select change, is_baseline from marts.audience_changes where changed_at = ? and audience_name = ?",
        moment.replace(tzinfo=None),
        audience,
    )
    return [(row["change"], row["is_baseline"]) for row in rows]


def test_an_entering_is_seen_and_a_merge_is_neither_entering_nor_leaving(scene: Scene) -> None:
    """Ann is a VIP from the first look on and Bob enters; that they are one moves nobody; time alone does."""
    assert changes(scene, MOMENTS[0], "vip_customers") == [("entered", True)]
    assert changes(scene, MOMENTS[1], "vip_customers") == [("entered", False)]
    assert changes(scene, MOMENTS[2], "vip_customers") == [("exited", True)], "the id that ended, in silence"
    assert changes(scene, MOMENTS[3], "vip_customers") == []
    assert changes(scene, MOMENTS[3], "new_customers") == [("exited", False)], "by the clock alone"


def test_audiences_are_events_of_the_person_that_she_is_by_now(scene: Scene) -> None:
    """Under the id that a flow knew the occurrence by, with the audience as object, in the moment after."""
    [ann] = scene.rows("select customer_id from marts.dim_customers")
    events = scene.rows(
        "select event_name, object_id, customer_id, occurred_at from marts.fct_events "
        "where object_type = 'audience' and object_id = 'vip_customers'"
    )
    assert events == [
        {"event_name": "segment_entered", "object_id": "vip_customers", "occurred_at": MOMENTS[1].replace(tzinfo=None),
         **ann}
    ]  # fmt: skip
    told = scene.rows(
        "select trait_name, count(*) as times from marts.trait_events group by all order by all"
    )
    assert {"trait_name": "list_joined", "times": 1} in told
    assert scene.rows("select list_name, customer_id from marts.list_members") == [
        {"list_name": "news", **ann}
    ]


def test_traits_follow_the_person_and_the_clock(scene: Scene) -> None:
    """What was told of either is told of both; what has expired is gone."""
    [traits] = scene.rows("select * from marts.customer_traits")
    expected: dict[str, Any] = {
        "orders_count": 3, "monetary_score": 5, "lifecycle_stage": "lapsed", "engagement_score": 0, "tags": '["vip"]',
        "properties": '{"shirt":"M"}', "atdata": '{"atdata_age":"45-54"}', "cashback_expires_at": None,
        "favourite_brand": "High Mesa",
    }  # fmt: skip
    assert {name: traits[name] for name in expected} == expected
    assert float(traits["cashback_balance"]) == 0


def test_what_a_trait_was_can_be_asked(scene: Scene) -> None:
    """At each moment the traits that it found; whoever had become part of another by then has none."""
    asked = """
        select orders_count, lifecycle_stage, cast(cashback_balance as varchar) as cashback
        from (
            select *, row_number() over (partition by customer_id order by build_no desc) as recency
            from marts.customer_trait_history where valid_from <= ?
        ) where recency = 1 and not has_ended order by lifetime_value desc
    """
    then = [[tuple(row.values()) for row in scene.rows(asked, at.replace(tzinfo=None))] for at in MOMENTS]
    assert then[0] == [(1, "active", "5.00"), (1, "active", None)]
    assert then[1] == [(1, "active", "5.00"), (2, "active", None)]
    assert then[2] == [(3, "active", "5.00")]
    assert then[3] == [(3, "lapsed", "0.00")]
    assert scene.rows(asked, (MOMENTS[0] - timedelta(seconds=1)).replace(tzinfo=None)) == []


def test_an_audience_is_tried_on_what_is_published(scene: Scene) -> None:
    """An analyst sees who would be in it as of the last moment; a wrong name is told; nothing in use is changed."""
    home = Home(scene.home)
    with duckdb.connect(str(home.warehouse)) as warehouse:
        publish(warehouse, home.published, 99, MOMENTS[3])
    spec = importlib.util.spec_from_file_location("try_audience", ROOT / "scripts" / "try_audience.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    said = script.try_audience(home, "new_customers")
    assert any(line.startswith("pass") and "at_the_edges" in line for line in said)
    assert "0 people are in new_customers: 0 would enter, 0 would leave" in said
    said = script.try_audience(home, "vip_customers")
    assert "1 people are in vip_customers: 0 would enter, 0 would leave" in said
    with pytest.raises(PerennialError, match="there is no audience vips"):
        script.try_audience(home, "vips")
