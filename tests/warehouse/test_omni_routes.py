"""One loyalty event is one event, whichever of the two routes brings it, in any order, in one build or many."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scene import Scene
from tests.warehouse import story

ANN = {"email": "Ann@Example.com", "phone": "(303) 555-0142"}


@dataclass(frozen=True)
class Happening:
    """What happened to a member, before any route tells of it."""

    name: str
    at: datetime
    properties: dict[str, Any]
    profile: dict[str, Any] = field(default_factory=dict)
    customer: dict[str, Any] = field(default_factory=lambda: {"id": "gid://shopify/Customer/11", **ANN})

    def by_flow(self, event_id: str) -> Callable[[Scene], None]:
        """Return the delivery of Shopify Flow."""
        body = {
            "event": self.name,
            "event_id": event_id,
            "occurred_at": self.at.isoformat().replace("+00:00", ".250Z"),
            "customer": self.customer,
            "properties": {key: str(value) for key, value in self.properties.items()},
            "profile": self.profile,
        }
        return lambda scene: scene.land("omni", "events", scene.clock.now(), body, event_id)

    def by_klaviyo(self, event_id: str, *, version: str = "1") -> Callable[[Scene], None]:
        """Return what the pull landed of Klaviyo's event."""
        contact = {"email": self.customer.get("email"), "phone_number": "+13035550142"}
        body = {
            "event": {
                "type": "event",
                "id": event_id,
                "attributes": {
                    "datetime": self.at.isoformat(),
                    "timestamp": int(self.at.timestamp()),
                    "event_properties": {**self.properties, "$event_id": event_id, "note": version},
                },
            },
            "metric": {"type": "metric", "id": "M1", "attributes": {"name": self.name}},
            "profile": {
                "type": "profile", "id": "P1", "attributes": {**contact, "properties": self.profile},
            },
        }  # fmt: skip
        key = f"{event_id}:{version}"
        return lambda scene: scene.land("omni", "klaviyo_events", scene.clock.now(), body, key)


ADDED = Happening(
    "wv/points/added", story.at(17), {"value": 35, "source": "purchase"}, {"wv_point_balance": 219}
)
REWARD = Happening(
    "wv/reward/issued",
    story.at(17, 5),
    {
        "source": "points_redemption", "reward_type": "Discount_code", "discount_code": "HM-1",
        "expired_at": "2026-04-01T00:00:00Z",
    },
)  # fmt: skip
OTHER_REWARD = Happening(REWARD.name, REWARD.at, {**REWARD.properties, "discount_code": "HM-2"})

FACTS = {
    "added by flow": ADDED.by_flow("f1"),
    "added by klaviyo": ADDED.by_klaviyo("k1"),
    "the same delivery again": ADDED.by_flow("f1"),
    "the same event read again": ADDED.by_klaviyo("k1", version="2"),
}
KEPT, GONE = {"id": 21, "email": "eve@example.com"}, {"id": 22, "email": "old_eve@example.com"}
MANUAL = {"value": 10, "source": "manual"}
MERGE = [
    Happening("wv/points/added", story.at(15), MANUAL, {"wv_point_balance": 100}, KEPT).by_flow("a"),
    Happening("wv/points/added", story.at(16), MANUAL, {"wv_point_balance": 700}, GONE).by_flow("b"),
    Happening(
        "wv/customer/merged", story.at(16, 45), {"source_customer_id": 22, "destination_customer_id": 21},
        {"wv_point_balance": 640}, KEPT,
    ).by_flow("c"),
    Happening("wv/points/added", story.at(16, 30), MANUAL, {"wv_point_balance": 710}, GONE).by_flow("late"),
]  # fmt: skip
WORDS = "select omni_event, reason from seeds.omni_reasons order by all"
EVENTS = """
select event_name, reason, cast(amount as varchar) as amount, count(*) as n
from marts.fct_events where source = 'omni' and occurred_at >= timestamp '2026-03-15 17:00:00' group by all order by all
"""


def _tell(scene: Scene, facts: Sequence[Callable[[Scene], None]], *, one_by_one: bool) -> None:
    for minute, fact in enumerate(facts):
        scene.clock.set(story.at(18, minute), running=False)
        fact(scene)
        if one_by_one:
            scene.build(story.at(18, minute, 30))
    if not one_by_one:
        scene.build(story.at(18, 40))


def _together(*facts: Callable[[Scene], None]) -> Callable[[Scene], None]:
    """Return what lands several facts at once."""

    def land(scene: Scene) -> None:
        for fact in facts:
            fact(scene)

    return land


def _scene(deployed: Path, home: Path) -> Scene:
    scene = Scene.on(deployed, home, {})
    scene.set_flows()
    return scene


@pytest.fixture(scope="module")
def told(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Tell four times, a moment each, of one event, while two other members become one; every word comes at last."""
    scene = _scene(deployed, tmp_path_factory.mktemp("routes") / "home")
    facts = list(FACTS.values())
    words = [(row["omni_event"], {"value": 1, "source": row["reason"]}) for row in scene.rows(WORDS)]
    last = [Happening(name, story.at(14), told).by_flow(f"w{at}") for at, (name, told) in enumerate(words)]
    new = {"value": 1, "source": "moon_phase"}
    last.append(Happening("wv/points/added", story.at(14), new).by_klaviyo("new"))
    last += [REWARD.by_flow("r1"), OTHER_REWARD.by_klaviyo("r2")]
    moments = [_together(facts[place], merge) for place, merge in zip((1, 0, 3, 2), MERGE, strict=True)]
    _tell(scene, [*moments[:3], _together(moments[3], *last)], one_by_one=True)
    return scene


def _is_one_event(scene: Scene) -> None:
    """Check that what was told four times is one event, with the id that the content alone gives."""
    at = "occurred_at between timestamp '2026-03-15 17:00:00' and timestamp '2026-03-15 17:00:01'"
    assert [row for row in scene.rows(EVENTS) if row["event_name"] == "points_added"] == [
        {"event_name": "points_added", "reason": "purchase", "amount": "35.00", "n": 1}
    ]
    [[event_id]] = [
        list(row.values())
        for row in scene.rows(f"select event_id from marts.fct_events where source = 'omni' and {at}")
    ]
    [row] = scene.rows(
        "select min(happening_key) as key, count(distinct happening_key) as n "
        f"from staging.base_omni__events where {at}"
    )
    assert row["n"] == 1
    [content] = scene.rows("select md5('omni|' || ? || '|1') as id", row["key"])
    assert event_id == content["id"]
    counted = scene.rows(
        f"select disposition, count(*) as n from staging.base_omni__events where {at} group by 1 order by 1"
    )
    assert counted == [{"disposition": "duplicate", "n": 3}, {"disposition": "loaded", "n": 1}]


def test_both_routes_and_every_repetition_are_one_event(told: Scene) -> None:
    """Milliseconds, spelling of the address and numbers as text differ between the routes; the event does not."""
    _is_one_event(told)


@pytest.mark.thorough
def test_both_routes_are_one_event_in_one_moment(deployed: Path, tmp_path: Path) -> None:
    """As in many."""
    scene = _scene(deployed, tmp_path / "home")
    _tell(scene, list(FACTS.values()), one_by_one=False)
    _is_one_event(scene)


@pytest.mark.thorough
def test_equal_events_of_one_route_stay_two_and_meet_their_twins(deployed: Path, tmp_path: Path) -> None:
    """Two equal happenings in one second are two ids of a route; the other route's two are the same two."""
    found = []
    tellings = [
        [ADDED.by_flow("f1"), ADDED.by_flow("f2"), ADDED.by_klaviyo("k1"), ADDED.by_klaviyo("k2")],
        [
            ADDED.by_klaviyo("k1"),
            ADDED.by_flow("f1"),
            ADDED.by_flow("f2"),
            ADDED.by_flow("f1"),
            ADDED.by_klaviyo("k2"),
        ],
    ]
    for telling, one_by_one in zip(tellings, (False, True), strict=True):
        scene = _scene(deployed, tmp_path / str(one_by_one))
        _tell(scene, telling, one_by_one=one_by_one)
        found.append(scene.rows("select event_id from marts.fct_events where source = 'omni' order by 1"))
    assert len(found[0]) == 2
    assert all(one == found[0] for one in found)


def test_what_differs_in_content_is_two_events(told: Scene) -> None:
    """Two rewards of one second with other codes, one by each route."""
    rewards = [row for row in told.rows(EVENTS) if row["event_name"] == "reward_issued"]
    assert [row["n"] for row in rewards] == [2]


@pytest.mark.thorough
def test_a_history_that_is_read_again_doubles_nothing(deployed: Path, tmp_path: Path) -> None:
    """Months later: the state of the pull is lost, or the other route is added, and old events come again."""
    scene = _scene(deployed, tmp_path / "home")
    _tell(scene, [ADDED.by_klaviyo("k1"), REWARD.by_flow("f9")], one_by_one=False)
    later = story.at(18).replace(month=9)
    scene.clock.set(later, running=False)
    for again in (ADDED.by_klaviyo("k1"), ADDED.by_flow("f1"), REWARD.by_klaviyo("k9")):
        again(scene)
    scene.build(later)
    assert sorted((row["event_name"], row["n"]) for row in scene.rows(EVENTS)) == [
        ("points_added", 1), ("reward_issued", 1),
    ]  # fmt: skip


@pytest.mark.thorough
def test_an_event_without_a_profile_is_set_aside_and_taken_once_it_has_one(
    deployed: Path, tmp_path: Path
) -> None:
    """Klaviyo shows no profile of an event in rare cases; nobody can be told by it, until it does."""
    scene = _scene(deployed, tmp_path / "home")
    body = {
        "event": {"id": "k1", "attributes": {"datetime": story.at(17).isoformat(), "event_properties": {"value": 35}}},
        "metric": {"attributes": {"name": "wv/points/added"}},
        "profile": None,
    }  # fmt: skip
    scene.clock.set(story.at(18), running=False)
    scene.land("omni", "klaviyo_events", story.at(18), body, "k1:0")
    scene.build(story.at(18, 10))
    [aside] = scene.rows("select reason, payload from marts.quarantine")
    assert "neither email nor phone" in aside["reason"]
    assert json.loads(aside["payload"]) == body
    ADDED.by_klaviyo("k1")(scene)
    scene.build(story.at(18, 20))
    assert [row["n"] for row in scene.rows(EVENTS)] == [1]


def _became_one(scene: Scene) -> None:
    """Check that the two are one person, with the balance that was stated last."""
    nodes = scene.rows(
        "select node, customer_id from identity.int_identity__map where node like 'shopify_customer:2_'"
    )
    assert {row["node"] for row in nodes} == {"shopify_customer:21", "shopify_customer:22"}
    [person] = {row["customer_id"] for row in nodes}
    [traits] = scene.rows(
        "select cast(points_balance as varchar) as points from marts.customer_traits where customer_id = ?",
        person,
    )
    assert traits["points"] == "640.00"


def test_a_merge_joins_the_two_and_rebases_the_balance(told: Scene) -> None:
    """OMNI's word alone makes two customers one; what it states counts, also when an old sum comes late."""
    _became_one(told)


@pytest.mark.thorough
def test_a_merge_is_the_same_in_one_moment(deployed: Path, tmp_path: Path) -> None:
    """As in many."""
    scene = _scene(deployed, tmp_path / "home")
    _tell(scene, MERGE, one_by_one=False)
    _became_one(scene)


def test_every_way_and_an_unknown_one_reach_the_events(told: Scene) -> None:
    """All words of the seed are read as they stand; a new one is kept and listed by its check."""
    words = told.rows(WORDS)
    reasons = told.rows(
        "select reason from marts.fct_events "
        "where source = 'omni' and occurred_at = timestamp '2026-03-15 14:00:00'"
    )
    assert len(words) == 30
    assert sorted(row["reason"] for row in reasons) == sorted(
        [*(row["reason"] for row in words), "moon_phase"]
    )
    check = (Path(__file__).parents[2] / "dbt" / "tests" / "assert_omni_words_are_known.sql").read_text(
        encoding="utf-8"
    )
    listed = told.rows(
        check.replace("{{ ref('stg_omni__events') }}", "staging.stg_omni__events")
        .replace("{{ ref('omni_reasons') }}", "seeds.omni_reasons")
        .replace("{{ ref('omni_reward_types') }}", "seeds.omni_reward_types")
    )
    assert listed == [{"omni_event": "wv/points/added", "kind": "reason", "word": "moon_phase", "times": 1}]
