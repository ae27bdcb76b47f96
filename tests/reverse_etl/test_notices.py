"""Closed addresses and ended enrollments, told to the destinations: first, whatever else waits, and once."""

import time
from typing import Any

from pyrate_limiter import Duration, Rate
from sqlalchemy import select

from reverse_etl.ledger.tables import enrollments
from reverse_etl.means import Patience
from tests.reverse_etl.scene import EMAIL, NOON, PHONE, Scene, decision
from tests.reverse_etl.test_gate import ANN, feedback, opt_in
from tests.reverse_etl.vendor import Reply, Vendor

BOTH = ("aiq", "klaviyo")
AIQ_CALLS = 4  # in flight, at the most


def ending(scene: Scene, number: int, reason: str = "purchased") -> None:
    """Land the warehouse's word that an enrollment ended."""
    told = {
        "kind": "exit",
        "enrollment_id": f"d{number:06d}",
        "exited_at": NOON.isoformat(),
        "reason": reason,
    }
    scene.decide(told)


def told(scene: Scene) -> list[tuple[str, str]]:
    """Return id and status of the landed receipts of notices."""
    return sorted((one["enrollment_id"], one["status"]) for one in scene.notice_receipts())


def test_an_opt_out_is_told_to_every_destination_before_all_that_waits(scene: Scene, vendor: Vendor) -> None:
    """Each of its channels alone, and no marketing overtakes it."""
    scene.decide(*(decision(number) for number in range(20)))
    scene.land("messaging/feedback", feedback("unsubscribed", "email", EMAIL))
    scene.push(tells=BOTH)
    is_about_flow = [call.get("eventName") == "cart_abandoned_recovery" for call in vendor.calls]
    assert is_about_flow.index(False) < AIQ_CALLS, "among the first that are in flight together"
    assert [status for _, status in told(scene)] == ["accepted", "accepted"]
    scene.push(tells=BOTH)
    assert len(told(scene)) == 2, "told once"


def test_a_destination_hears_of_it_while_another_one_is_slow(scene: Scene, vendor: Vendor) -> None:
    """Klaviyo has nothing to do, AIQ takes its time: a word, and an enrollment, that land meanwhile do not wait."""
    scene.decide(decision(0))
    came: list[float] = []

    def meanwhile(number: int, _body: dict[str, Any]) -> Reply:
        if number == 1:
            scene.land("messaging/feedback", feedback("unsubscribed", "email", EMAIL))
            scene.decide(decision(1, destination="klaviyo"))
            return Reply(delay=2.0)
        came.append(time.monotonic())
        return Reply()

    vendor.script = meanwhile
    scene.push(tells=("klaviyo",))
    ended = time.monotonic()
    assert len(came) == 2, "both in the same push"
    assert ended - max(came) > 0.5, "and not after the slow one"


def test_a_channel_that_a_destination_never_uses_is_no_news_for_it(scene: Scene, vendor: Vendor) -> None:
    """Klaviyo is given no phone number, and a STOP is no dead letter there."""
    scene.land("messaging/feedback", feedback("stop", "sms", PHONE))
    scene.push(tells=("aiq", "klaviyo", "webhook", "csv"))
    assert sorted(one["destination"] for one in scene.notice_receipts()) == ["aiq", "csv", "webhook"]
    assert {call.get("type", call.get("eventName")) for call in vendor.calls} == {
        "address.opted_out",
        "address_opted_out",
    }


def test_the_address_is_forgotten_when_it_has_been_told(scene: Scene) -> None:
    """Nothing but its hash stays."""
    scene.land("messaging/feedback", feedback("unsubscribed", "email", EMAIL))
    scene.push(tells=BOTH)
    ledger = scene.open()
    with ledger.read() as connection:
        rows = connection.execute(select(enrollments)).mappings().all()
    ledger.close()
    assert len(rows) == 2
    assert EMAIL not in str(rows)


def test_a_word_that_closes_nothing_is_not_told(scene: Scene, vendor: Vendor) -> None:
    """A bounce, an opt-in, what landed long ago, and what is said again."""
    scene.land("messaging/feedback", feedback("unsubscribed", "email", "dee@example.com"))
    scene.land("messaging/feedback", feedback("bounced", "email", EMAIL))
    scene.land("partners/events", opt_in("email", "bob@example.com"))
    scene.clock.advance(days=2)
    scene.push(tells=BOTH)
    assert vendor.calls == []
    scene.land("messaging/feedback", *[feedback("unsubscribed", "email", "cem@example.com")] * 2)
    scene.push(tells=BOTH)
    assert len(vendor.calls) == 2, "once each"


def test_an_opt_out_whose_telling_broke_off_is_told_again(scene: Scene, vendor: Vendor) -> None:
    """Where an enrollment would wait for a person: to be told twice does no harm, to be told never does."""
    vendor.script = lambda number, _body: Reply(hangs_up=number == 1)
    scene.land("messaging/feedback", feedback("stop", "sms", PHONE))
    scene.push(tells=("aiq",))
    assert scene.notice_receipts()[-1]["status"] == "accepted"
    assert scene.report().ambiguous == []


def test_the_end_of_what_was_accepted_is_told_once(scene: Scene, vendor: Vendor) -> None:
    """To its destination, with the reason; and it is no enrollment of its own."""
    scene.decide(decision(1), decision(2, destination="klaviyo"))
    scene.push()
    ending(scene, 1)
    ending(scene, 2)
    scene.push()
    scene.push()
    assert told(scene) == [("d000001:exit", "accepted"), ("d000002:exit", "accepted")]
    assert len(vendor.calls) == 4
    assert scene.report().total == 2
    assert scene.report().notices == {"aiq": {"accepted": 1}, "klaviyo": {"accepted": 1}}
    assert {receipt["enrollment_id"] for receipt in scene.receipts()} == {"d000001", "d000002"}


def test_the_end_of_what_was_never_sent_is_told_to_nobody(scene: Scene, vendor: Vendor) -> None:
    """It ended in the ledger."""
    scene.decide(decision(1))
    ending(scene, 1)
    scene.push()
    scene.push()
    assert vendor.calls == []
    assert [receipt["status"] for receipt in scene.receipts()] == ["exited"]


def test_a_lost_ledger_tells_no_end_twice(scene: Scene, vendor: Vendor) -> None:
    """Its receipts have landed."""
    from reverse_etl.restore import restore_ledger  # noqa: PLC0415

    scene.decide(decision(1, destination="klaviyo"))
    scene.push()
    ending(scene, 1)
    scene.push()
    calls = len(vendor.calls)
    (scene.home / "ledger.sqlite").unlink()
    ledger = scene.open()
    restore_ledger(ledger, scene.log, scene.clock)
    ledger.close()
    scene.push()
    assert len(vendor.calls) == calls


def state_of_flow(scene: Scene, status: str) -> None:
    """Land a moment in which the flow has a status."""
    told: dict[str, Any] = {
        "build_no": 900 + scene.builds,
        "upto_seq": 0,
        "flows": {"cart_abandoned_recovery": status},
    }
    scene.land("perennial/moments", told)


def test_a_flow_that_is_active_no_more_sends_nothing(scene: Scene, vendor: Vendor) -> None:
    """Paused it waits, and goes on; archived it ends."""
    scene.decide(decision(1, **ANN))
    state_of_flow(scene, "active")
    state_of_flow(scene, "paused")
    scene.push()
    assert (vendor.calls, scene.report().counts) == ([], {"aiq": {"pending": 1}})
    state_of_flow(scene, "active")
    scene.push()
    assert len(vendor.calls) == 1
    scene.decide(decision(2))
    state_of_flow(scene, "archived")
    scene.push()
    assert len(vendor.calls) == 1
    assert scene.receipts()[-1]["error"] == "its flow is not active any more (archived)"


def test_an_opt_out_waits_for_no_limit_that_others_used_up(scene: Scene, vendor: Vendor) -> None:
    """A part of each limit is kept for it, and it needs no place among the calls that wait for theirs."""
    scene.rates = (Rate(20, Duration.HOUR),)
    scene.aiq_slug = f"slug-{time.monotonic()}"  # an account of its own
    scene.patience = Patience(tries=1, longest_pause=0.1)
    scene.decide(*(decision(number) for number in range(30)))
    assert "rate limit" in scene.push(tells=("aiq",)).stopped["aiq"]
    assert len(vendor.calls) == 19
    scene.land("messaging/feedback", feedback("unsubscribed", "email", EMAIL))
    scene.push(tells=("aiq",))
    assert len(vendor.calls) == 20
    assert [status for _, status in told(scene)] == ["accepted"]
