"""What is too much to be sent unseen: which clause trips, what is held, and that nothing else waits for it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from perennial.errors import PerennialError
from perennial.home import Home
from reverse_etl.bounds import Bounds, Rules, read_bounds, too_many, too_many_removed
from reverse_etl.guards import Guards, known_people
from reverse_etl.holds import decide, held_rows, the_hold
from reverse_etl.push import push
from reverse_etl.restore import restore_ledger
from tests.reverse_etl.pushing import killed
from tests.reverse_etl.scene import NOON, Scene, decision, settings_for
from tests.reverse_etl.vendor import Vendor

BOUNDS = Bounds(5, times_median=2, jump_percent=300, share_percent=50)
# Small numbers stand for large ones: five are fine, half of twenty people is not.
GUARDS = Guards(Rules({"marketing": BOUNDS, "mirror": Bounds(5, removed_percent=20)}), lambda: 20)


def people(count: int | None) -> Any:
    """Return who says how many people there are."""
    return lambda: count


@pytest.mark.parametrize(
    ("new", "recent", "days", "known", "clause"),
    [
        (5, 0, [], None, None),
        (3, 2, [1, 1, 1], None, None),
        (6, 0, [], None, "share_unknown"),
        (6, 0, [], 0, "share_unknown"),
        (6, 0, [], 12, None),
        (4, 3, [], 12, "share"),
        (8, 0, [5, 3, 3], 100, "volume"),
        (6, 0, [5, 3, 3], 100, None),
        (8, 0, [0, 4, 0, 4, 5], 100, None),
        (9, 0, [0, 4, 0, 4, 5], 100, "volume"),
        (9, 0, [2], 100, "jump"),
        (8, 0, [2], 100, None),
        (9, 0, [0, 0, 2], 100, "jump"),
    ],
)
def test_each_clause_trips_beyond_its_bound_and_not_on_it(
    new: int, recent: int, days: Sequence[int], known: int | None, clause: str | None
) -> None:
    """Small volumes are fine whoever is known; a flow without earlier days is measured by its share alone."""
    trip = too_many(BOUNDS, new, recent, days, people(known))
    assert (trip.clause if trip else None) == clause


@pytest.mark.parametrize(
    ("removed", "members", "clause"),
    [
        (5, None, None),
        (6, None, "removed_unknown"),
        (6, 0, "removed_unknown"),
        (6, 30, None),
        (7, 30, "removed"),
    ],
)
def test_too_many_removals_trip_and_so_does_a_size_that_nobody_knows(
    removed: int, members: int | None, clause: str | None
) -> None:
    """A mirror asks before it takes people out of a list."""
    trip = too_many_removed(Bounds(5, removed_percent=20), removed, members)
    assert (trip.clause if trip else None) == clause


def test_the_seed_is_read_and_a_flow_may_have_bounds_of_its_own() -> None:
    """What analysts edit: a kind's bounds, one flow's; exits and opt-outs wait for nobody."""
    rules = read_bounds()
    assert rules.of("marketing", "any") == Bounds(500, 5, 900, 50)
    assert rules.of("marketing", "birthday_month") == Bounds(500, share_percent=50)
    assert rules.of("mirror", "any") == Bounds(50, share_percent=50, removed_percent=20)
    assert rules.of("of tomorrow", "any") == rules.of("marketing", "any")
    assert [rules.of(kind, "any") for kind in ("exit", "opt_out")] == [None, None]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("scope,always_fine\nmarketing,1\n", "no column times_median"),
        ("", "no row for marketing, mirror"),
        ("{head}\nmarketing,many,,,,,\nmirror,1,,,,,\n", "line 2: always_fine"),
        ("{head}\nmarketing,1,,,-5,,\nmirror,1,,,,,\n", "line 2: share_percent"),
        ("{head}\nmarketing,,,,,,\nmirror,1,,,,,\n", "line 2: always_fine"),
        ("{head}\nmarketing,inf,,,,,\nmirror,1,,,,,\n", "line 2: always_fine"),
        ("{head}\nmarketing,1,,,nan,,\nmirror,1,,,,,\n", "line 2: share_percent"),
        ("{head}\nmarketing,1,,,,,\nmirror,1,,,,,\nmirror,9,,,,,\n", "two rows of one scope"),
        ("{head}\nmarketing,1,,,,,\nflwo:winback,1,,,,,\n", "line 3: scope"),
        ("{head}\n,1,,,,,\n", "line 2: scope"),
    ],
)
def test_bounds_that_cannot_be_read_stop_the_push(tmp_path: Path, text: str, named: str) -> None:
    """Without bounds nobody knows what is too much; the error names line and column."""
    file = tmp_path / "send_guards.csv"
    head = "scope,always_fine,times_median,jump_percent,share_percent,removed_percent,why"
    file.write_text(text.format(head=head), encoding="utf-8")
    with pytest.raises(PerennialError, match=named):
        read_bounds(file)


def test_a_home_without_a_published_set_knows_nobody(tmp_path: Path) -> None:
    """Nothing published, or nothing readable: the share can't be computed."""
    assert known_people(Home(tmp_path)) is None
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "current.json").write_text("{", encoding="utf-8")
    assert known_people(Home(tmp_path)) is None


def test_a_flow_out_of_bounds_is_held_and_nothing_else_is(scene: Scene, vendor: Vendor) -> None:
    """Ten at once go to AIQ, two of another flow, three of the same one to Klaviyo: the ten wait."""
    scene.decide(
        *(decision(number) for number in range(11)),
        *(decision(number, flow_name="winback") for number in (20, 21)),
        *(decision(number, destination="klaviyo") for number in (30, 31, 32)),
    )
    lines: list[str] = []
    report = scene.push(guards=GUARDS, on_progress=lines.append)
    assert report.by_destination == {"aiq": {"accepted": 2, "held": 11}, "klaviyo": {"accepted": 3}}
    [hold] = scene.holds()
    assert report.holds == [hold]
    assert (hold.destination, hold.flow_name, hold.rows, hold.clause) == (
        "aiq",
        "cart_abandoned_recovery",
        11,
        "share",
    )
    assert hold.measured["people"] == 20
    assert any(hold.hold_id in line for line in lines)
    assert scene.report().counts["aiq"] == {"accepted": 2, "held": 11}
    held = [receipt for receipt in scene.receipts() if receipt["status"] == "held"]
    assert len(held) == 11
    assert scene.push(guards=GUARDS).holds == []
    assert len(vendor.calls) == 5


def test_a_flood_in_small_builds_is_one_flood(scene: Scene, vendor: Vendor) -> None:
    """The last day's rows count together; what follows while a hold is open joins it."""
    for build in range(4):
        scene.decide(*(decision(build * 4 + number) for number in range(4)))
        scene.push(guards=GUARDS)
    assert scene.report().counts["aiq"] == {"accepted": 8, "held": 8}
    assert [hold.rows for hold in scene.holds()] == [8]
    assert len(vendor.calls) == 8


def test_a_usual_day_is_measured_by_the_days_before_it(scene: Scene, vendor: Vendor) -> None:
    """Six a day are usual after three days; thirteen are more than twice that."""
    lasting = {"expires_at": None, "not_before": None}
    for day in range(4):
        at = (NOON + timedelta(days=day)).isoformat()
        scene.decide(*(decision(day * 6 + number, enrolled_at=at, **lasting) for number in range(6)))
        assert scene.push(guards=GUARDS).by_destination == {"aiq": {"accepted": 6}}
        scene.clock.advance(days=1)
    guards = Guards(GUARDS.rules, people(1_000))
    at = scene.clock.now().isoformat()
    scene.decide(*(decision(100 + number, enrolled_at=at, **lasting) for number in range(13)))
    scene.push(guards=guards)
    [hold] = scene.holds()
    assert (hold.clause, hold.measured["median"], hold.rows) == ("volume", 6, 13)
    assert len(vendor.calls) == 24


def test_what_is_released_passes_the_gates_and_is_never_held_again(scene: Scene, vendor: Vendor) -> None:
    """An opt-out meanwhile ends one, the time of another is over; the rest goes out, and new ones count anew."""
    scene.decide(
        *(decision(number, expires_at=None) for number in range(9)),
        decision(9, expires_at=None, channels=["sms"]),
        decision(10),
    )
    scene.push(guards=GUARDS)
    scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": "+13035550009"})
    scene.clock.advance(minutes=31)
    [hold] = scene.holds()
    with scene.desk() as desk:
        done = decide(desk, "release", hold.hold_id, by="kim")
        assert (done.rows, done.hold.ended, done.hold.ended_by) == (11, "released", "kim")
        assert decide(desk, "release", hold.hold_id).rows == 0
        with pytest.raises(PerennialError, match="was released"):
            decide(desk, "cancel", hold.hold_id)
    scene.decide(*(decision(20 + number, expires_at=None) for number in range(5)))
    report = scene.push(guards=GUARDS)
    assert report.by_destination == {"aiq": {"accepted": 14, "exited": 1, "expired": 1}}
    assert report.holds == []
    assert scene.holds() == []
    assert len(vendor.calls) == 14
    told = [record.payload for record in scene.log.read("perennial", "operations")]
    assert len(told) == 1, "said twice, landed once"


def test_what_is_canceled_never_goes_out_and_is_no_measure(scene: Scene, vendor: Vendor) -> None:
    """It ends as exited; the next day is not measured by it."""
    scene.decide(*(decision(number, expires_at=None) for number in range(11)))
    scene.push(guards=GUARDS)
    [hold] = scene.holds()
    with scene.desk() as desk:
        assert decide(desk, "cancel", hold.hold_id).rows == 11
    assert scene.push(guards=GUARDS).by_destination == {}
    assert scene.report().counts["aiq"] == {"exited": 11}
    assert {receipt["error"] for receipt in scene.receipts()[11:]} == {
        f"{hold.hold_id} was canceled by a person"
    }
    scene.clock.advance(days=1)
    at = scene.clock.now().isoformat()
    fresh = {"enrolled_at": at, "not_before": None, "expires_at": None}
    scene.decide(*(decision(20 + number, **fresh) for number in range(6)))
    assert scene.push(guards=GUARDS).by_destination == {"aiq": {"accepted": 6}}
    assert len(vendor.calls) == 6


def test_a_release_frees_what_was_seen_and_not_what_joined_since(scene: Scene, vendor: Vendor) -> None:
    """The word names the newest decision that was there; the hold stays open for the others."""
    scene.decide(*(decision(number, expires_at=None) for number in range(11)))
    scene.push(guards=GUARDS)
    [hold] = scene.holds()
    with scene.desk() as desk, desk.ledger.read() as connection:
        upto = max(row.decision_seq for row in held_rows(connection, hold.hold_id))
    scene.decide(decision(50, expires_at=None))
    scene.push(guards=GUARDS)
    with scene.desk() as desk:
        desk.land("hold_release", {"hold_id": hold.hold_id, "upto_seq": upto})
    [still] = scene.holds()
    assert (still.hold_id, still.rows) == (hold.hold_id, 1)
    assert scene.push(guards=GUARDS).by_destination == {"aiq": {"accepted": 11}}
    assert len(vendor.calls) == 11


def test_an_unknown_hold_is_named(scene: Scene) -> None:
    """With where to look."""
    with scene.desk() as desk, pytest.raises(PerennialError, match=r"no hold 'h_nobody'(.|\n)*holds list"):
        decide(desk, "release", "h_nobody")


def test_holds_and_what_was_said_of_them_survive_the_ledger(scene: Scene, vendor: Vendor) -> None:
    """Made anew from the landing log: the one that was released is sent or in doubt, the other is still held."""
    scene.decide(*(decision(number, expires_at=None, destination="klaviyo") for number in range(11)))
    scene.decide(*(decision(20 + number, expires_at=None, flow_name="winback") for number in range(11)))
    scene.push(guards=GUARDS)
    scene.clock.advance(minutes=20)
    one, other = sorted(scene.holds(), key=lambda hold: hold.destination, reverse=True)
    with scene.desk() as desk:
        decide(desk, "release", one.hold_id)
    for file in scene.home.glob("ledger.sqlite*"):
        file.unlink()
    with scene.desk() as desk:
        assert restore_ledger(desk.ledger, scene.log, scene.clock) == {"held": 11, "pending": 11}
        with desk.ledger.read() as connection:
            again = the_hold(connection, other.hold_id)
            assert the_hold(connection, one.hold_id).ended == "released"
    assert again == other, "with what it was measured by, and since when"
    assert scene.push(guards=GUARDS).by_destination == {"klaviyo": {"accepted": 11}}
    with scene.desk() as desk:
        assert decide(desk, "release", other.hold_id).rows == 11
    assert scene.push(guards=GUARDS).by_destination == {"aiq": {"accepted": 11}}
    assert len(vendor.calls) == 22


def push_guarded(home: Path, url: str) -> None:
    """Push in a process of its own."""
    Scene(home, aiq_url=url).push(guards=GUARDS)


def release(home: Path, hold_id: str) -> None:
    """Release a hold in a process of its own."""
    with Scene(home).desk() as desk:
        decide(desk, "release", hold_id)


def test_a_push_that_dies_while_it_looks_holds_once(scene: Scene, vendor: Vendor) -> None:
    """Before the look, in it, and after the word has landed: the next push or command ends with the same."""
    scene.decide(*(decision(number, expires_at=None) for number in range(11)))
    for place in ("not_judged", "judging"):
        killed(place, push_guarded, scene.home, vendor.url)
        assert scene.holds() == []
    scene.push(guards=GUARDS)
    [hold] = scene.holds()
    assert (hold.rows, len(scene.receipts())) == (11, 11)
    killed("operation_landed", release, scene.home, hold.hold_id)
    assert [one.hold_id for one in scene.holds()] == [hold.hold_id], "landed, and not read yet"
    assert scene.push(guards=GUARDS).by_destination == {"aiq": {"accepted": 11}}
    with scene.desk() as desk:
        assert decide(desk, "release", hold.hold_id).rows == 0
    assert len(vendor.calls) == 11


def test_the_push_of_the_command_and_the_worker_is_guarded(scene: Scene, vendor: Vendor) -> None:
    """They call `push`, which takes the seed's bounds and the published people, of which there are none here."""
    scene.decide(*(decision(number, not_before=None, expires_at=None, places=[]) for number in range(501)))
    report = push(settings_for(scene))
    assert [(hold.rows, hold.clause) for hold in report.holds] == [(501, "share_unknown")]
    assert vendor.calls == []
