"""The golden cases, decided by the models as they are shipped."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scene import KNOWN_SINCE, Scene, stable_number
from warehouse.project import PROJECT

CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("decisions.yaml").read_text(encoding="utf-8")
)
SHIPPED = {path.stem for path in (PROJECT / "models" / "flows").glob("*.sql")} | {"none"}
# Who sends what is no word about a cart.
OF_OMNI = {"points_added": "wv/points/added", "birth_month_entered": "wv/birth_month/entered"}
OF_PARTNERS = {"customer_created", "viewed_product"}


def instant(value: object) -> datetime:
    """Read a time of the file."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(value))


def flows_of(case: dict[str, Any]) -> list[str]:
    """Return the flows that a case is about."""
    return list(case["flows"]) if "flows" in case else [case["flow"]]


def is_played(case: dict[str, Any]) -> bool:
    """Return whether the case's flows are shipped and its facts are ones that a source sends."""
    entering = any("enters_audience" in fact for fact in case["given"])
    return set(flows_of(case)) <= SHIPPED and not entering


def cases() -> Iterator[Any]:
    """Yield the cases that can be played, named by section and sentence."""
    for section, listed in CASES.items():
        if section == "operators":
            continue
        for case in listed:
            if is_played(case):
                yield pytest.param(case, id=f"{section}: {case['case']}")


def play(case: dict[str, Any], scene: Scene) -> None:
    """Land the facts and build the moments, in the order in which they were received."""
    settings = case.get("settings", {})
    overrides = case.get("person_overrides", {})
    people = [fact["person"] for fact in case["given"] if "person" in fact]
    people += [name for fact in case["given"] if "merge" in fact for name in fact["merge"]]
    late_arrivals = {fact["person"]: instant(fact["at"]) for fact in case["given"] if fact.get("known")}
    for person in dict.fromkeys(people):
        if not person.startswith("new_") and person not in late_arrivals:
            scene.know(person, **overrides.get(person, {}))
    steps: list[tuple[datetime, int, dict[str, Any] | None]] = [
        (instant(fact.get("received", fact["at"])), 0, fact) for fact in case["given"]
    ]
    steps += [(instant(moment), 1, None) for moment in case["moments"]]
    if {"active_since", "status"} & settings.keys():
        # the flow has another status than that of the deployed home: a moment must see it first
        steps.append((KNOWN_SINCE + timedelta(days=1), 1, None))
    if "active_since" in settings:
        steps.append((instant(settings["active_since"]), 1, None))
    for at, _, fact in sorted(steps, key=lambda step: step[:2]):
        if fact is None:
            scene.set_flows(status_at(settings, at))
            scene.build(at)
        else:
            tell(scene, fact, overrides)


def status_at(settings: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Return the status that a case's settings give a flow at a moment."""
    if "active_since" in settings and at < instant(settings["active_since"]):
        return {"status": "draft"}
    if "becomes_active" in settings and at >= instant(settings["becomes_active"]):
        return {"status": "active"}
    return {"status": settings.get("status", "active")}


def tell(scene: Scene, fact: dict[str, Any], overrides: dict[str, Any]) -> None:
    """Land one fact as its source sends it."""
    at = instant(fact["at"])
    received = instant(fact["received"]) if "received" in fact else None
    person = fact.get("person", "")
    if fact.get("known"):
        scene.know(person, at, **overrides.get(person, {}))
    elif "merge" in fact:
        scene.merge(fact["merge"][0], fact["merge"][1], at)
    elif fact.get("identifies"):
        scene.partner_event(
            "customer_updated", at, {"email": scene.email(person), "device_id": fact["device"]}, {}
        )
    elif "device" in fact:
        scene.partner_event(
            fact["event"], at, {"device_id": fact["device"]}, {"cart_id": fact["cart"]}, received
        )
    elif "consent" in fact:
        scene.consent(person, at, fact["channel"], fact["consent"], received)
    elif "feedback" in fact:
        scene.feedback(person, at, fact["feedback"], fact["channel"])
    elif "flowhub_row" in fact:
        scene.flowhub_row(person, at, consents=fact["flowhub_row"])
    else:
        happen(scene, fact, at, received)


def happen(scene: Scene, fact: dict[str, Any], at: datetime, received: datetime | None) -> None:
    """Let an event be told by who sends such events."""
    person = fact["person"]
    if fact.get("event") in OF_OMNI:
        if fact.get("source") != "derived":  # that one comes by itself: she was born in May
            properties = {"value": 10, "source": fact["reason"]} if "reason" in fact else {}
            scene.omni_event(OF_OMNI[fact["event"]], at, person, properties)
    elif fact.get("event") in OF_PARTNERS:
        properties = {"product_id": fact["product"]} if "product" in fact else {}
        scene.partner_event(fact["event"], at, {"email": scene.email(person)}, properties, received)
    else:
        # what Jane says of a cart: a status, or that it was left; touching it is being pending again
        stream = "cart_abandoned" if fact.get("event") == "cart_abandoned" else "cart_status"
        scene.jane_cart(stream, fact.get("status", "pending"), at, fact["cart"], person, received)


def decisions_of(scene: Scene, expected: dict[str, Any], case: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the decisions that an expectation speaks of."""
    flow = expected.get("flow", flows_of(case)[0])
    node = (
        f"device:{expected['device']}"
        if "device" in expected
        else f"flowhub_customer:fh-{expected['person']}"
    )
    rows = scene.rows(
        """
        with person as (select customer_id from identity.int_identity__map where node = ?)
        select decisions.*, exits.reason as exit_reason
        from decisions.int_flow_decisions as decisions
        left join identity.int_identity__map as decided on decisions.record_key = decided.record_key
        left join marts.flow_exits as exits on decisions.decision_id = exits.enrollment_id
        where decisions.flow_name = ?
            and (decided.customer_id = (select customer_id from person) or decisions.subject_node = ?)
        order by decided_at
        """,
        node,
        flow,
        node,
    )
    if "mode" in expected:
        rows = [row for row in rows if row["mode"] == expected["mode"]]
    if "trigger" in expected:
        about = expected["trigger"]
        at = [
            instant(fact["at"]).replace(tzinfo=None) for fact in case["given"] if fact.get("trigger") == about
        ]
        rows = [
            row for row in rows if row["object_id"] == str(stable_number(about)) or row["triggered_at"] in at
        ]
    return rows


@pytest.mark.parametrize("case", list(cases()))
def test_the_models_decide_as_the_case_says(case: dict[str, Any], deployed: Path, tmp_path: Path) -> None:
    """Each expectation is met by exactly the decisions that it speaks of."""
    plain = {
        key: value
        for key, value in case.get("settings", {}).items()
        if key not in {"active_since", "becomes_active", "status"}
    }
    flows = {
        name: {**plain, **case.get("flows", {}).get(name, {})} for name in flows_of(case) if name != "none"
    }
    scene = Scene.on(deployed, tmp_path / "home", flows)
    play(case, scene)
    for expected in case.get("expect", []):
        rows = decisions_of(scene, expected, case)
        if expected["outcome"] == "none":
            assert rows == []
            continue
        assert len(rows) == expected.get("count", 1), rows
        for row in rows:
            check(row, expected)
    for expected in case.get("expect_consent", []):
        address = (
            scene.email(expected["person"])
            if expected["channel"] == "email"
            else scene.phone(expected["person"])
        )
        found = scene.rows(
            "select * from marts.address_consent where channel = ? and address = ?",
            expected["channel"],
            address,
        )
        status = found[0]["status"] if found else "unknown"
        assert status == expected["status"]
        if "changed_at" in expected:
            assert found[0]["changed_at"] == instant(expected["changed_at"]).replace(tzinfo=None)


def check(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """Hold one decision against what is expected of it."""
    assert row["outcome"] == expected["outcome"]
    assert row["reason"] == expected.get("reason")
    if "channels" in expected:
        assert row["channels"].split(",") == expected["channels"]
    if "decided_at" in expected:
        assert row["decided_at"] == instant(expected["decided_at"]).replace(tzinfo=None)
    if "not_before" in expected:
        assert row["not_before"] == instant(expected["not_before"]).replace(tzinfo=None)
    if "exit" in expected:
        assert row["exit_reason"] == expected["exit"]
    if "trigger_key" in expected:
        assert row["trigger_key"] == expected["trigger_key"]
    if "context" in expected:
        assert json.loads(row["context"]) | expected["context"] == json.loads(row["context"])


def test_known_since_is_before_every_case() -> None:
    """The people of the cases are there before anything happens to them."""
    assert all(
        instant(moment) > KNOWN_SINCE
        for listed in CASES.values()
        for case in listed
        for moment in case.get("moments", [])
    )
