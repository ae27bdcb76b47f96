"""What a push would send, without sending it; and that it sends that and nothing else, or refuses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from perennial.errors import PerennialError
from perennial.salt import Salt, salt_of
from reverse_etl.guards import Guards
from reverse_etl.holds import decide
from reverse_etl.ledger.tables import metadata
from reverse_etl.pauses import say
from reverse_etl.plan import Plan, PlanError, let_through, make_plan
from reverse_etl.plan_file import read_plan, write_plan
from reverse_etl.push import apply, plan
from reverse_etl.quiet import Hours, read_rules
from tests.reverse_etl.pushing import killed
from tests.reverse_etl.scene import NOON, Scene, decision, settings_for
from tests.reverse_etl.test_guards import GUARDS
from tests.reverse_etl.vendor import Reply, Vendor

HOURS = Hours(read_rules())
# At any hour: some of these are sent by the clock on the wall.
LASTING: dict[str, Any] = {"expires_at": None, "not_before": None, "places": []}


def planned(scene: Scene, guards: Guards = GUARDS) -> Plan:
    """Make a plan with the scene's destinations."""
    with scene.desk() as desk:
        return make_plan(desk, scene.destinations(), guards, HOURS)


def applied(scene: Scene, made: Plan, guards: Guards = GUARDS) -> dict[str, Any]:
    """Apply a plan; return what the push did, by destination."""
    with scene.desk() as desk:
        plan_id = let_through(desk, made, make_plan(desk, scene.destinations(), guards, HOURS, made))
    return dict(scene.push(guards=guards, plan_id=plan_id).by_destination)


def contents(scene: Scene) -> dict[str, int]:
    """Count what the ledger's tables hold."""
    with scene.desk() as desk, desk.ledger.read() as connection:
        tables = metadata.sorted_tables
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables
        }


def test_a_plan_says_what_the_push_then_does_and_touches_nothing(scene: Scene, vendor: Vendor) -> None:
    """Decisions that no push has read are part of it; what is held, suppressed, too early or expired is not."""
    scene.decide(
        decision(1),
        decision(2, destination="klaviyo"),
        decision(3, not_before="2026-03-16T14:00:00Z", expires_at=None),
        decision(4, expires_at="2026-03-15T17:00:00Z"),
        decision(5, channels=["sms"]),
        decision(6, destination="klaviyo", channels=["sms"]),
        *(decision(number, flow_name="winback") for number in range(20, 31)),
    )
    scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": "+13035550005"})
    seq, before = scene.log.last_seq(), contents(scene)
    made = planned(scene)
    assert made.counts == {("aiq", "cart_abandoned_recovery"): 1, ("klaviyo", "cart_abandoned_recovery"): 1}
    assert [call.enrollment_ids for call in made.first_calls] == [("d000001",), ("d000002",)]
    assert "event.enrollment_id" in made.first_calls[0].fields
    assert made.others == {"aiq": {"held": 11, "not due, or in another push's hands": 1}}
    assert (scene.log.last_seq(), contents(scene), vendor.calls) == (seq, before, [])
    again = planned(scene)
    assert (again.plan_id, again.rows) == (made.plan_id, made.rows), "the same is one plan"
    report = scene.push(guards=GUARDS)
    assert report.sent == len(made.rows) == len(vendor.calls)


def test_a_plan_is_applied_and_nothing_else_is_sent(scene: Scene, vendor: Vendor) -> None:
    """What came since waits for the next push; applied once, it is used up."""
    scene.decide(decision(1, **LASTING), decision(2, destination="klaviyo", **LASTING))
    made = planned(scene)
    scene.decide(decision(3, **LASTING))
    assert applied(scene, made) == {"aiq": {"accepted": 1, "pending": 1}, "klaviyo": {"accepted": 1}}
    [word] = [json.loads(record.payload) for record in scene.log.read("perennial", "operations")]
    assert (word["operation"], word["subject"]) == ("push_applied", {"plan_id": made.plan_id, "rows": 2})
    with pytest.raises(PlanError, match=r"d000001 is accepted; d000002 is accepted"):
        applied(scene, made)
    assert len(vendor.calls) == 2
    assert contents(scene)["planned"] == 0, "nothing of a person is left of it"
    assert scene.push().by_destination == {"aiq": {"accepted": 1}}


def test_what_has_changed_is_named_and_nothing_is_sent(scene: Scene, vendor: Vendor) -> None:
    """Paused, held, gone, refused, said in other words, tried meanwhile: each by its id."""
    scene.decide(*(decision(number, **LASTING) for number in range(1, 6)))
    made = planned(scene)
    with scene.desk() as desk:
        desk.catch_up()
        say(desk, "pause", flow="cart_abandoned_recovery")
    with pytest.raises(PlanError, match=r"5 of its 5 rows have changed: d000001 is paused"):
        applied(scene, made)
    with scene.desk() as desk:
        say(desk, "resume", flow="cart_abandoned_recovery")
    scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": "+13035550002"})
    with pytest.raises(PlanError, match=r"1 of its 5 rows have changed: d000002 would say something else"):
        applied(scene, made)
    scene.decide(
        {"kind": "exit", "enrollment_id": "d000001", "exited_at": "2026-03-15T18:00:00Z", "reason": "x"}
    )
    with pytest.raises(PlanError, match=r"d000001 is exited(.|\n)*nothing was sent"):
        applied(scene, made)
    fresh = planned(scene)
    assert len(fresh.rows) == 4
    vendor.script = lambda _number, _body: Reply(429)
    scene.push()
    with pytest.raises(PlanError, match="was tried meanwhile"):
        applied(scene, fresh)
    assert len(vendor.kept) == 0
    gone = Plan(
        "p_x",
        fresh.ledger,
        fresh.made_at,
        (fresh.rows[0].__class__("nobody", "aiq", "f", "marketing", 0, "x"),),
    )
    with pytest.raises(PlanError, match="nobody is gone"):
        applied(scene, gone)


def test_a_new_hold_is_a_change(scene: Scene, vendor: Vendor) -> None:
    """More of the same flow came: all that no push had taken in yet is held, and the plan refused."""
    scene.decide(*(decision(number, **LASTING) for number in range(4)))
    made = planned(scene)
    scene.decide(*(decision(10 + number, **LASTING) for number in range(9)))
    with pytest.raises(PlanError, match=r"d000000 is held \(h_"):
        applied(scene, made)
    scene.push(guards=GUARDS)
    with pytest.raises(PlanError, match=r"d000000 is held \(h_"):
        applied(scene, made)
    [hold] = scene.holds()
    with scene.desk() as desk:
        decide(desk, "release", hold.hold_id)
    assert applied(scene, made) == {"aiq": {"accepted": 4, "pending": 9}}
    assert len(vendor.calls) == 4


def test_what_changes_after_the_check_is_left_alone(scene: Scene, vendor: Vendor) -> None:
    """An opt-out between two calls of it: her row would be another one, so it waits."""
    scene.decide(*(decision(number, customer_id="c_1", **LASTING) for number in (1, 2)))
    made = planned(scene)

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number == 1:
            scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": "+13035550002"})
        return Reply(delay=0.3)

    vendor.script = script
    assert applied(scene, made) == {"aiq": {"accepted": 1, "pending": 1}}
    assert [call["event"]["enrollment_id"] for call in vendor.calls] == ["d000001"]
    assert scene.push().by_destination == {"aiq": {"accepted": 1}}


def apply_in_a_process(home: Path, url: str) -> None:
    """Apply the plan of now."""
    scene = Scene(home, aiq_url=url)
    applied(scene, planned(scene))


def test_a_kill_while_a_plan_is_applied_loses_nothing(scene: Scene, vendor: Vendor) -> None:
    """After its word has landed, and after its rows were written down: the next push sends all of it, once."""
    scene.decide(*(decision(number, **LASTING) for number in (1, 2)))
    for place in ("operation_landed", "plan_written_down"):
        killed(place, apply_in_a_process, scene.home, vendor.url)
    assert vendor.calls == []
    assert scene.push().by_destination == {"aiq": {"accepted": 2}}
    assert len(vendor.calls) == 2


def test_a_file_holds_no_address_and_is_taken_as_it_was_written_only(scene: Scene, vendor: Vendor) -> None:
    """Edited, of another home, of another ledger, no plan at all: refused by what it is."""
    scene.decide(decision(1, **LASTING), decision(2, **LASTING))
    settings = settings_for(scene)
    salt, file = salt_of(settings), scene.home / "plan.json"
    write_plan(plan(settings, destinations=["aiq"]), file, salt)
    text = file.read_text(encoding="utf-8")
    for secret in ("@example.com", "+1303", "5550001", "ann", "fh-1"):
        assert secret not in text
    assert len(read_plan(file, salt).rows) == 2
    with pytest.raises(PlanError, match="another home"):
        read_plan(file, Salt("elsewhere"))
    other = scene.home / "other.json"
    for content, named in (
        (text.replace("d000002", "d000009"), "was edited"),
        ("{}", "is no plan"),
        ("[1]", "is no plan"),
        ("no JSON", "is no plan"),
        ("[" * 100_000, "is no plan"),
    ):
        other.write_text(content, encoding="utf-8")
        with pytest.raises(PlanError, match=named):
            read_plan(other, salt)
    with pytest.raises(PlanError, match="can't be read"):
        read_plan(scene.home / "nowhere.json", salt)
    with pytest.raises(PlanError, match="can't be written"):
        write_plan(read_plan(file, salt), scene.home / "no" / "folder.json", salt)
    report = apply(settings, str(file))
    assert report.by_destination == {"aiq": {"accepted": 2}}
    for ledger in scene.home.glob("ledger.sqlite*"):
        ledger.unlink()
    with pytest.raises(PerennialError):
        apply(settings, str(file))
    assert len(vendor.calls) == 2


def test_closed_addresses_are_part_of_a_plan_and_come_first(scene: Scene, vendor: Vendor) -> None:
    """And so are the ends of what was sent."""
    scene.decide(decision(1, **LASTING))
    scene.push()
    ended = {"kind": "exit", "enrollment_id": "d000001", "exited_at": NOON.isoformat(), "reason": "purchased"}
    scene.decide(decision(2, **LASTING), ended)
    scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": "+13035550009"})
    with scene.desk() as desk:
        made = make_plan(replace(desk, tells=("aiq",)), scene.destinations(), GUARDS, HOURS)
    assert [row.kind for row in made.rows] == ["opt_out", "marketing", "exit"]
    calls = len(vendor.calls)
    scene.push(guards=GUARDS, tells=("aiq",))
    assert len(vendor.calls) - calls == len(made.rows)
