"""What is kept equal: traits and lists, against the sandbox's vendors, which keep their own books."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from perennial.home import Home
from reverse_etl.destinations import klaviyo_profiles
from reverse_etl.forget import Hers, Known, forget
from reverse_etl.holds import Hold, all_holds, decide
from reverse_etl.sync.drift import read_back_with, repair_with
from reverse_etl.sync.mirror import Change, Mirror
from reverse_etl.sync.refused import discard
from reverse_etl.sync.refused import refused as refused_letters
from sandbox.faults import Fault
from tests.reverse_etl.sandbox_vendors import Vendors, serving_sandbox
from tests.reverse_etl.scene import SetClock, desk_of
from tests.reverse_etl.sync_scene import LIST, SyncScene, change_by_hand, on_the_list
from tests.reverse_etl.test_gate import feedback

TRAITS = "klaviyo traits"
VIPS = f"klaviyo lists {LIST}"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    """Serve the vendors once; their jobs take no longer than they must."""
    with serving_sandbox(tmp_path_factory.mktemp("sandbox"), SetClock()) as vendors:
        vendors.klaviyo.directory.job_seconds = 0.02
        yield vendors


@pytest.fixture
def vendors(sandbox: Vendors) -> Vendors:
    """Empty the vendors' books."""
    sandbox.received.forget()
    sandbox.klaviyo.forget()
    sandbox.klaviyo.directory.refuses.clear()
    sandbox.klaviyo.limit({})
    sandbox.aiq.attributes.clear()
    sandbox.faults.clear()
    return sandbox


@pytest.fixture
def syncing(tmp_path: Path, vendors: Vendors) -> SyncScene:
    """Make a home that syncs with them."""
    return SyncScene.at(tmp_path, vendors)


def people(count: int, **traits: Any) -> dict[str, dict[str, Any]]:
    """Return people with the same traits."""
    return {f"p{number:05d}": {"tier": "gold", "points_balance": 120.5, **traits} for number in range(count)}


def told(vendors: Vendors) -> dict[str, dict[str, Any]]:
    """Return what Klaviyo holds of each person."""
    vendors.klaviyo.directory.advance()
    return {
        key.removeprefix("email:").removesuffix("@example.com"): profile["properties"]
        for key, profile in vendors.klaviyo.directory.profiles.items()
    }


def holds_of(syncing: SyncScene) -> list[Hold]:
    """Return the holds, the oldest first."""
    ledger = syncing.scene.open()
    try:
        with ledger.read() as connection:
            return all_holds(connection, only_open=False)
    finally:
        ledger.close()


def lets_all_through(connection: Connection, change: Change, now: datetime) -> None:
    """Guard nothing."""
    del connection, change, now


def calls_of(vendors: Vendors, path: str) -> int:
    """Return how often the vendor was called at a path."""
    return sum(count for (_, _, called, _), count in vendors.received.served.items() if called == path)


def test_traits_are_told_in_bulk_and_then_only_what_changed(syncing: SyncScene, vendors: Vendors) -> None:
    """A job for many, one call for one; nothing at all where nothing changed."""
    syncing.warehouse.publish(people(30))
    report = syncing.sync("klaviyo")[TRAITS]
    assert (report.accepted, report.refused, report.waiting, report.in_flight) == (30, 0, 0, 0)
    assert told(vendors) == people(30)
    assert calls_of(vendors, "/klaviyo/api/profile-bulk-import-jobs") == 1

    syncing.warehouse.publish({"p00007": {"tier": "silver", "points_balance": 0}})
    assert syncing.sync("klaviyo")[TRAITS].accepted == 1
    assert told(vendors)["p00007"] == {"tier": "silver", "points_balance": 0}
    assert calls_of(vendors, "/klaviyo/api/profile-import") == 1

    before = vendors.calls
    syncing.warehouse.publish()
    assert syncing.sync("klaviyo")[TRAITS].sent == 0
    assert vendors.calls == before


def test_null_clears_a_field_there(syncing: SyncScene, vendors: Vendors) -> None:
    """A job can't take a value away, so who loses one is told of alone, however many are told."""
    syncing.warehouse.publish(people(30))
    syncing.sync("klaviyo")
    syncing.warehouse.publish(people(30, points_balance=7) | {"p00001": {"tier": None, "points_balance": 7}})
    assert syncing.sync("klaviyo")[TRAITS].accepted == 30
    assert told(vendors)["p00001"] == {"points_balance": 7}
    assert told(vendors)["p00002"] == {"tier": "gold", "points_balance": 7}
    assert calls_of(vendors, "/klaviyo/api/profile-import") == 1


def test_202_is_no_confirmation(syncing: SyncScene, vendors: Vendors) -> None:
    """A job that is still worked on leaves its rows in flight; the next sync reads how it ended, and sends nothing."""
    vendors.klaviyo.directory.job_seconds = 3600
    syncing.scene.patience = type(syncing.scene.patience)(tries=3, first_wait=0.01, longest_pause=0.2)
    try:
        syncing.warehouse.publish(people(30))
        report = syncing.sync("klaviyo")[TRAITS]
        assert (report.accepted, report.in_flight) == (0, 30)
        assert report.stopped is not None
        assert "still worked on" in report.stopped
        vendors.klaviyo.directory.job_seconds = 0.02
        again = syncing.sync("klaviyo")[TRAITS]
        assert (again.sent, again.accepted, again.in_flight) == (0, 30, 0)
    finally:
        vendors.klaviyo.directory.job_seconds = 0.02
    assert calls_of(vendors, "/klaviyo/api/profile-bulk-import-jobs") == 1


def test_who_is_refused_is_tried_again_and_tells_why(syncing: SyncScene, vendors: Vendors) -> None:
    """An import error names the row; the others are confirmed; the next sync asks again, though nothing changed."""
    vendors.klaviyo.directory.refuses["p00003@example.com"] = (
        "The address 'p00003@example.com' is a role account."
    )
    syncing.warehouse.publish(people(30))
    report = syncing.sync("klaviyo")[TRAITS]
    assert (report.accepted, report.refused, report.waiting) == (29, 1, 1)
    [refused] = [row for row in syncing.items(Mirror("klaviyo", "traits")) if row["error"]]
    assert "/data/attributes/profiles/data/3/attributes/email" in refused["error"]
    assert "p00003@example.com" not in refused["error"]

    assert syncing.sync("klaviyo")[TRAITS].refused == 1
    ledger = syncing.scene.open()
    with ledger.read() as connection:
        letters = refused_letters(connection)
    discard(desk_of(Home(syncing.scene.home), ledger, syncing.scene.log, syncing.scene.clock), letters)
    ledger.close()
    assert [one.customer_id for one in letters] == ["p00003"]
    assert syncing.sync("klaviyo")[TRAITS].sent == 0, "discarded"
    syncing.warehouse.publish({"p00003": {"tier": "black"}})
    assert syncing.sync("klaviyo")[TRAITS].refused == 1, "something else is wanted of her"
    syncing.warehouse.publish(people(30))
    vendors.klaviyo.directory.refuses.clear()
    assert syncing.sync("klaviyo")[TRAITS].accepted == 1
    assert told(vendors) == people(30)
    assert [row for row in syncing.items(Mirror("klaviyo", "traits")) if row["error"]] == []


def test_a_refused_job_is_taken_apart_to_the_row_that_is_wrong(
    syncing: SyncScene, vendors: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pointer names the row; the others go at once."""
    profile_of = klaviyo_profiles.profile_of

    def odd(email: str, traits: Any = None) -> dict[str, Any]:
        profile: dict[str, Any] = profile_of(email, traits)
        return profile | {"type": "persona"} if email.startswith("p00011") else profile

    monkeypatch.setattr(klaviyo_profiles, "profile_of", odd)
    syncing.warehouse.publish(people(30))
    report = syncing.sync("klaviyo")[TRAITS]
    assert (report.accepted, report.refused) == (29, 1)
    assert len(told(vendors)) == 29


def test_a_list_follows_its_audience(syncing: SyncScene, vendors: Vendors) -> None:
    """Who enters is put on it, who leaves is taken off; who was on it by other hands is left alone."""
    syncing.warehouse.publish(people(40), members=[f"p{number:05d}" for number in range(30)])
    report = syncing.sync("klaviyo", kinds=["lists"])[VIPS]
    assert (report.accepted, report.there) == (30, 30)
    assert len(on_the_list(vendors)) == 30

    syncing.warehouse.publish(members=[f"p{number:05d}" for number in range(5, 40)])
    report = syncing.sync("klaviyo", kinds=["lists"])[VIPS]
    assert (report.accepted, report.removed, report.there) == (10, 5, 35)
    assert on_the_list(vendors) == {f"p{number:05d}" for number in range(5, 40)}


def test_a_list_of_nobody_is_emptied_and_a_mirror_that_ended_leaves_it(
    syncing: SyncScene, vendors: Vendors
) -> None:
    """An audience without members empties its list; without ``mirror:`` the list stays, and its rows are forgotten."""
    syncing.warehouse.publish(people(3), members=["p00000", "p00001"])
    syncing.sync("klaviyo", kinds=["lists"])
    syncing.warehouse.publish(members=[])
    assert syncing.sync("klaviyo", kinds=["lists"])[VIPS].removed == 2
    assert on_the_list(vendors) == set()

    syncing.warehouse.publish(members=["p00000"])
    syncing.sync("klaviyo", kinds=["lists"])
    syncing.warehouse.lists = ()
    syncing.warehouse.publish()
    assert syncing.sync("klaviyo", kinds=["lists"]) == {}
    assert on_the_list(vendors) == {"p00000"}
    assert syncing.items(Mirror("klaviyo", "lists", LIST)) == []


def test_more_than_a_page_and_more_than_a_call(syncing: SyncScene, vendors: Vendors) -> None:
    """Removals beyond 1,000 need two calls, their ids eleven pages."""
    names = [f"p{number:05d}" for number in range(1_050)]
    syncing.guard = lets_all_through
    syncing.warehouse.publish(people(1_050), members=names)
    syncing.sync("klaviyo", kinds=["lists"])
    assert len(on_the_list(vendors)) == 1_050
    syncing.warehouse.publish(members=names[:3])
    assert syncing.sync("klaviyo", kinds=["lists"])[VIPS].removed == 1_047
    assert on_the_list(vendors) == set(names[:3])


def test_a_guard_holds_what_would_empty_a_list(syncing: SyncScene, vendors: Vendors) -> None:
    """More than 50 and more than a fifth: nothing is done before somebody releases it, and then just that.

    When the change has become a small one it is made, and the hold is over.
    """
    names = [f"p{number:05d}" for number in range(300)]
    syncing.warehouse.publish(people(1_000), members=names)
    syncing.sync("klaviyo", kinds=["lists"])
    syncing.warehouse.publish(members=names[:200])
    report = syncing.sync("klaviyo", kinds=["lists"])[VIPS]
    assert report.held is not None
    assert "(removed): 100 of 300 would be taken out" in report.held
    assert (report.sent, report.waiting) == (0, 100)
    assert len(on_the_list(vendors)) == 300
    syncing.warehouse.publish(members=names[:250])
    report = syncing.sync("klaviyo", kinds=["lists"])[VIPS]
    assert (report.held, report.removed) == (None, 50)
    assert [hold.ended for hold in holds_of(syncing)] == ["canceled"]

    syncing.warehouse.publish(members=names[:100])
    syncing.sync("klaviyo", kinds=["lists"])
    [hold] = [hold for hold in holds_of(syncing) if hold.is_open]
    assert (hold.kind, hold.flow_name, hold.measured["removed"]) == ("mirror", LIST, 150)
    ledger = syncing.scene.open()
    desk = desk_of(Home(syncing.scene.home), ledger, syncing.scene.log, syncing.scene.clock)
    decide(desk, "release", hold.hold_id)
    ledger.close()
    assert syncing.sync("klaviyo", kinds=["lists"])[VIPS].removed == 150
    assert on_the_list(vendors) == set(names[:100])


def test_who_opted_out_since_is_put_on_no_list(syncing: SyncScene, vendors: Vendors) -> None:
    """The set was published before she said stop: what landed since is asked at the call."""
    syncing.warehouse.publish(people(3), members=["p00000", "p00001"])
    syncing.scene.land("messaging/feedback", feedback("unsubscribed", "email", "p00001@example.com"))
    report = syncing.sync("klaviyo")
    assert on_the_list(vendors) == {"p00000"}
    assert set(told(vendors)) == {"p00000", "p00002"}
    assert report[VIPS].waiting == 1


def test_a_wrong_list_names_the_mirror(syncing: SyncScene, vendors: Vendors) -> None:
    """No bisection of ten thousand rows for a typo in the YAML; the traits are told all the same."""
    vendors.klaviyo.directory.members.pop(LIST)
    try:
        syncing.warehouse.publish(people(2), members=["p00000"])
        report = syncing.sync("klaviyo")
    finally:
        vendors.klaviyo.directory.members[LIST] = {}
    stopped = report[VIPS].stopped
    assert stopped is not None
    assert "mirror:" in stopped
    assert report[TRAITS].accepted == 2


def test_aiq_s_attributes_are_set_and_cleared(syncing: SyncScene, vendors: Vendors) -> None:
    """One persona a call; null clears; nothing is sent twice without need."""
    syncing.warehouse.publish(people(5))
    assert syncing.sync("aiq")["aiq traits"].accepted == 5
    assert vendors.aiq.attributes["p00001@example.com"] == {"tier": "gold", "points_balance": 120.5}
    syncing.warehouse.publish({"p00001": {"tier": None, "points_balance": 1}})
    assert syncing.sync("aiq")["aiq traits"].sent == 1
    assert vendors.aiq.attributes["p00001@example.com"] == {"points_balance": 1}
    [call] = vendors.received.calls("aiq", limit=1)
    assert call["body"] == {
        "email": "p00001@example.com",
        "srcID": "fh-p00001",
        "customAttributes": [{"key": "points_balance", "value": 1}, {"key": "tier", "value": None}],
    }


@pytest.mark.parametrize(
    "kind", ["status", "reset_after", pytest.param("reset_before", marks=pytest.mark.thorough)]
)
@pytest.mark.parametrize(
    "path", ["profile-bulk-import-jobs", "relationships", "customAttributes", "profile-import"]
)
def test_lost_answers_lose_nothing(syncing: SyncScene, vendors: Vendors, kind: Any, path: str) -> None:
    """429, 500 and resets before and after the effect: in the end all is as it is wanted."""
    vendor: Any = "aiq" if path == "customAttributes" else "klaviyo"
    names = [f"p{number:05d}" for number in range(25)]
    syncing.warehouse.publish(people(25), members=names)
    syncing.sync("klaviyo")
    for status in (500, 429):
        vendors.faults.add(Fault(vendor, kind, path=path, status=status, retry_after=0))
    changed = people(25, tier="black") | {"p00003": {"tier": None, "points_balance": 3}}
    syncing.warehouse.publish(changed, members=names[:20])
    syncing.sync()
    report = syncing.sync()
    assert vendors.faults.waiting() == []
    assert told(vendors) == changed | {"p00003": {"points_balance": 3}}
    assert on_the_list(vendors) == set(names[:20])
    assert vendors.aiq.attributes["p00004@example.com"]["tier"] == "black"
    assert {one.waiting + one.in_flight for one in report.values()} == {0}


def test_a_vendor_that_is_down_leaves_everything_waiting(syncing: SyncScene) -> None:
    """It is told so, and the other vendor is kept equal."""
    syncing.klaviyo_url = "http://127.0.0.1:9"
    syncing.warehouse.publish(people(3), members=["p00000"])
    report = syncing.sync()
    assert report["aiq traits"].accepted == 3
    assert report[TRAITS].waiting == 3
    assert "KLAVIYO_BASE_URL" in str(report[TRAITS].stopped)


def test_a_sync_ends_when_its_time_is_over(syncing: SyncScene) -> None:
    """A first sync of many to AIQ takes hours: the rest goes with the next ones."""
    syncing.longest = timedelta(0)
    syncing.warehouse.publish(people(3))
    report = syncing.sync("aiq")["aiq traits"]
    assert (report.sent, report.waiting) == (0, 3)
    assert report.stopped == "its time is over; the rest goes with the next sync"


def test_who_is_wanted_no_more_is_told_of_no_more(syncing: SyncScene, vendors: Vendors) -> None:
    """Who merged, or opted out, is left as she was there; when she is back, only what differs is told."""
    syncing.warehouse.publish(people(3))
    syncing.sync("klaviyo")
    syncing.warehouse.publish({"p00001": None})
    report = syncing.sync("klaviyo")[TRAITS]
    assert (report.sent, report.waiting) == (0, 0)
    assert told(vendors) == people(3)
    syncing.warehouse.publish({"p00001": {"tier": "gold", "points_balance": 120.5}})
    assert syncing.sync("klaviyo")[TRAITS].sent == 0


def test_who_is_erased_is_forgotten_here_and_her_destinations_are_told(syncing: SyncScene) -> None:
    """Traits and lists count as told: whoever was only kept equal is deleted there; no byte of her is left."""
    syncing.warehouse.publish(people(3), members=["p00000", "p00001"])
    syncing.sync()
    known: list[Known] = []
    ledger = syncing.scene.open()
    forget(ledger, syncing.scene.log, syncing.scene.clock, Hers({"p00001"}, ()), known.append)
    ledger.close()
    assert known[-1].destinations == {"aiq", "klaviyo"}
    content = b"".join(path.read_bytes() for path in syncing.scene.home.glob("ledger.sqlite*"))
    assert b"p00000@example.com" in content
    assert b"p00001" not in content


def test_a_read_back_finds_drift_and_repairs_it(syncing: SyncScene, vendors: Vendors) -> None:
    """Somebody took two off the list by hand and put one on: it is told, noted, and mended; the deed lands."""
    syncing.warehouse.publish(people(30), members=[f"p{number:05d}" for number in range(25)])
    syncing.sync("klaviyo")
    change_by_hand(vendors, off=["p00003", "p00004"])
    with syncing.parts() as parts:
        [drift] = read_back_with(parts)
    assert (drift.there, drift.missing, drift.unexpected, drift.problem) == (24, 2, 1, None)
    assert drift.sample == ("p00003", "p00004")
    assert len(on_the_list(vendors)) == 24, "a read-back changes nothing there"
    with syncing.parts() as parts:
        report = repair_with(parts, by="ann")
    assert [(one.accepted, one.removed, one.waiting) for one in report.mirrors] == [(2, 1, 0)]
    assert on_the_list(vendors) == {f"p{number:05d}" for number in range(25)}
    [deed] = [json.loads(record.payload) for record in syncing.scene.log.read("perennial", "operations")]
    assert (deed["operation"], deed["subject"]["missing"], deed["by"]) == ("mirror_repair", 2, "ann")
    with syncing.parts() as parts:
        [drift] = read_back_with(parts)
    assert (drift.missing, drift.unexpected) == (0, 0)
