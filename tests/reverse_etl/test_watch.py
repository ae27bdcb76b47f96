"""What a decision watches, heard at the call before any build has read it; and forgotten once one has."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from extractors.landing.records import Record
from reverse_etl.ledger.tables import IS_PASSING, facts
from tests.reverse_etl.scene import EMAIL, NOON, PHONE, Scene, decision
from tests.reverse_etl.test_gate import ANN, cart
from tests.reverse_etl.vendor import Vendor

MORNING = (NOON + timedelta(hours=9)).isoformat()
BUYER = ["buyer:flowhub_customer:fh-1", "buyer:jane_user:77"]
ITEMS = ["item:s1:r1:p1:", "item:s1:r2:p1:"]


def order(minutes: float = 1, **changes: Any) -> dict[str, Any]:
    """Make an order of hers at the till, some minutes after the occasion."""
    made = (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    told = {"id": "o1", "customerId": "fh-1", "createdAt": made, "orderStatus": "Sold", "voided": False}
    return {**told, **changes}


def customer(**changes: Any) -> dict[str, Any]:
    """Make her record at the till, which says no to everything."""
    told = {"id": "fh-1", "email": EMAIL.upper(), "phone": "(303) 555-0142", "country": "US"}
    return {**told, "consentsToPromotionalEmail": False, "consentsToPromotionalSMS": False, **changes}


def land_items(scene: Scene, **counts: object) -> int:
    """Land counts of items of a store, by room, as a pull names them."""
    scene.builds += 1
    records = [
        Record(
            "flowhub",
            "inventory",
            f"s1:{room}:p1::{'0' * 15}{number % 10}",
            scene.clock.now(),
            json.dumps({"productId": "p1", "quantity": count}),
        )
        for number, (room, count) in enumerate(counts.items())
    ]
    return scene.log.append(f"items/{scene.builds}", records).seq


def finish(scene: Scene, build_no: int, upto_seq: int) -> None:
    """Land the end of a build that has read up to a seq."""
    scene.land("perennial/moments", {"build_no": build_no, "upto_seq": upto_seq, "finished": True})


def passing(scene: Scene) -> set[tuple[str, str]]:
    """Return what the ledger knows that no build has read."""
    ledger = scene.open()
    with ledger.read() as connection:
        found = set(connection.execute(select(facts.c.subject, facts.c.fact).where(IS_PASSING)).tuples())
    ledger.close()
    return found


def test_she_bought_since(scene: Scene, vendor: Vendor) -> None:
    """At the till, paid or not yet, or online in another cart: what ends her flow ends it before the next build."""
    for number, key in enumerate(("flowhub_customer:fh-1", "flowhub_customer:fh-2", "jane_user:77")):
        scene.decide(decision(number, watch=["buyer:flowhub_customer:x", f"buyer:{key}"], context={}))
    scene.clock.advance(minutes=2)
    scene.land("flowhub/orders", order(), order(orderStatus="Created", customerId="fh-2", voided=None))
    scene.land("jane/cart_status", cart("verification", 99, user_id=77))
    scene.push()
    assert vendor.calls == []
    assert [(one["status"], one["error"]) for one in scene.receipts()] == [("exited", "purchased")] * 3


def test_what_is_no_purchase_of_hers_since(scene: Scene, vendor: Vendor) -> None:
    """An older order that lands late, one that was called off, a refund, somebody else's, a cart, nonsense."""
    scene.decide(decision(1, watch=BUYER, context={}))
    scene.land(
        "flowhub/orders",
        order(minutes=-1),
        order(voided=True),
        order(orderStatus="Cancelled"),
        order(originalSaleId="o0"),
        order(customerId="fh-2"),
        order(createdAt="soon"),
        order(minutes=2000),
        ["no order"],
    )
    scene.land(
        "jane/cart_status",
        cart("pending", 99, user_id=77),
        cart("verification", 98, user_id=78),
        cart("verification", 97),
    )
    scene.push()
    assert len(vendor.calls) == 1


def test_only_who_is_watched(scene: Scene, vendor: Vendor) -> None:
    """A flow that no purchase ends, and a decision of an older version, watch nobody."""
    scene.decide(decision(1, context={}), decision(2, watch=None, context={}))
    scene.land("flowhub/orders", order(), order(customerId="fh-2"))
    scene.push()
    assert len(vendor.calls) == 2


def test_progress_of_an_order_of_before_is_no_purchase(scene: Scene, vendor: Vendor) -> None:
    """Its first news had landed, in an earlier push or in this one."""
    scene.land("jane/cart_status", cart("verification", 98, user_id=77))
    scene.push()
    scene.land("jane/cart_status", cart("verification", 99, user_id=77))
    scene.clock.advance(minutes=1)
    scene.decide(decision(1, watch=BUYER, context={}))
    scene.land("jane/cart_status", cart("preparing", 98, user_id=77), cart("preparing", 99, user_id=77))
    scene.push()
    assert len(vendor.calls) == 1


def test_what_is_sold_out_waits_for_a_build_or_for_more(scene: Scene, vendor: Vendor) -> None:
    """The latest count of each item counts; while any is left it goes."""
    scene.decide(decision(1, watch=ITEMS, expires_at=None))
    land_items(scene, r1=0)
    land_items(scene, r1=3, r2=0)
    land_items(scene, r1="0.0", r2=0)
    assert scene.push().by_destination == {"aiq": {"pending": 1}}
    assert passing(scene) == {(key, "sold_out") for key in ITEMS}
    land_items(scene, r1=0, r2=2)
    assert scene.push().by_destination == {"aiq": {"accepted": 1}}
    assert len(vendor.calls) == 1


def test_a_build_has_the_last_word_about_shelves(scene: Scene, vendor: Vendor) -> None:
    """It knows what the items are of: a batch that is new, an order that holds, a list that is not believed."""
    build_no = scene.decide(
        decision(1, watch=ITEMS, expires_at=None), decision(2, watch=ITEMS, expires_at=None)
    )
    gone = land_items(scene, r1=0, r2=0)
    scene.push()
    assert vendor.calls == []
    finish(scene, build_no, gone - 1)
    scene.push()
    assert vendor.calls == []
    exit_row = {"kind": "exit", "enrollment_id": "d000001", "exited_at": MORNING, "reason": "out_of_stock"}
    scene.decide(exit_row)
    finish(scene, build_no + 1, gone)
    assert scene.push().by_destination == {"aiq": {"exited": 1, "accepted": 1}}
    assert len(vendor.calls) == 1
    assert passing(scene) == set()


def test_a_till_that_says_no_closes_its_channels(scene: Scene, vendor: Vendor) -> None:
    """Those on which that record had said yes, however the address is spelled."""
    both = {**ANN, "watch": ["till:sms:fh-1", "till:email:fh-1"]}
    scene.decide(
        decision(1, watch=["till:sms:fh-1"], **ANN), decision(2, **both), decision(3, watch=BUYER, **ANN)
    )
    scene.land("flowhub/customers", customer())
    scene.push()
    assert sorted(call["event"]["channels"] for call in vendor.calls) == ["email", "sms,email"]
    assert outcome_of(scene, "d000002") == ("exited", "sms: opted_out, email: opted_out")


def outcome_of(scene: Scene, enrollment_id: str) -> tuple[str, str | None]:
    """Return status and reason of an enrollment's receipt."""
    [found] = [one for one in scene.receipts() if one["enrollment_id"] == enrollment_id]
    return found["status"], found["error"]


def test_what_is_no_refusal_of_hers(scene: Scene, vendor: Vendor) -> None:
    """About another address or none, no answer, somebody else's."""
    scene.decide(decision(1, channels=["sms"], watch=["till:sms:fh-1"], **ANN))
    scene.land(
        "flowhub/customers",
        customer(phone="+13035550143"),
        customer(phone=None),
        customer(consentsToPromotionalSMS=None),
        customer(id="fh-2"),
        ["no customer"],
    )
    scene.push()
    assert len(vendor.calls) == 1


def test_a_yes_takes_back_the_no_before_it_and_another_address_does_not(scene: Scene, vendor: Vendor) -> None:
    """Whether both are news to one push or to two."""
    scene.decide(*(decision(number, channels=["sms"], watch=["till:sms:fh-1"], **ANN) for number in (1, 2)))
    scene.land("flowhub/customers", customer(), customer(consentsToPromotionalSMS=True), customer())
    scene.land("flowhub/customers", customer(phone="+13035550143"))
    assert scene.push().by_destination == {"aiq": {"exited": 2}}
    later = (NOON + timedelta(minutes=1)).isoformat()
    scene.decide(decision(3, channels=["sms"], watch=["till:sms:fh-1"], not_before=later, **ANN))
    scene.land("flowhub/customers", customer())
    assert scene.push().by_destination == {"aiq": {"pending": 1}}
    scene.clock.advance(minutes=1)
    scene.land("flowhub/customers", customer(consentsToPromotionalSMS=True))
    assert scene.push().by_destination == {"aiq": {"accepted": 1}}
    assert len(vendor.calls) == 1


def test_what_a_build_has_read_is_not_read_again(scene: Scene) -> None:
    """A new ledger, or one whose salt is new, takes in nothing of the history but what no build has read."""
    scene.land("flowhub/orders", order())
    scene.land("flowhub/customers", customer())
    read = land_items(scene, r1=0)
    scene.decide(decision(1))
    finish(scene, 3, read)
    land_items(scene, r2=0)
    scene.push()
    assert passing(scene) == {("item:s1:r2:p1:", "sold_out")}


def test_news_and_its_build_between_two_pushes_are_as_if_each_had_been_pushed(
    scene: Scene, vendor: Vendor
) -> None:
    """A sale that a build has read, whose exit says that it ends nothing, ends nothing."""
    build_no = scene.decide(decision(1, watch=BUYER, not_before=MORNING, expires_at=None, places=None))
    sold = scene.land("flowhub/orders", order())
    finish(scene, build_no + 1, sold)
    scene.push()
    scene.clock.at = NOON + timedelta(hours=20)
    scene.push()
    assert len(vendor.calls) == 1


def closed_at_till(scene: Scene, build_no: int, *places: tuple[int, int, str]) -> None:
    """Land the end of a build that learned from records of a till that addresses were closed."""
    closed = [{"seq": seq, "row_no": row_no, "channel": channel} for seq, row_no, channel in places]
    ended = {"build_no": build_no, "upto_seq": scene.log.last_seq(), "finished": True, "closed": closed}
    scene.land("perennial/moments", ended)


def test_what_a_till_closed_is_told_outward_when_a_build_has_found_it(scene: Scene, vendor: Vendor) -> None:
    """Of that address and channel, once, before all that waits; what nobody said is not."""
    seq = scene.land("flowhub/customers", customer(id="fh-9", email="bob@example.com"), customer())
    scene.decide(*(decision(number, channels=["email"]) for number in range(20)))
    closed_at_till(scene, 2, (seq, 2, "email"), (seq, 2, "sms"))
    scene.push(tells=("aiq", "klaviyo"))
    told = {one["enrollment_id"].rsplit(":", 2)[0] for one in scene.notice_receipts()}
    assert told == {"opt_out:aiq:sms", "opt_out:aiq:email", "opt_out:klaviyo:email"}
    [sms] = [call for call in vendor.calls if call.get("event", {}).get("channel") == "sms"]
    assert sms["phone"] == PHONE
    about_email = [
        number for number, call in enumerate(vendor.calls) if call.get("eventName") == "address_opted_out"
    ]
    assert max(about_email) < 4
    closed_at_till(scene, 3, (seq, 2, "email"))
    scene.push(tells=("aiq", "klaviyo"))
    assert len(scene.notice_receipts()) == 3
    assert len(vendor.calls) == 23


def test_a_till_that_says_yes_again_is_not_outlived_by_its_no(scene: Scene, vendor: Vendor) -> None:
    """A build decides about her anew: what was told outward closes nothing at the gate."""
    seq = scene.land("flowhub/customers", customer())
    closed_at_till(scene, 1, (seq, 1, "sms"))
    scene.push()
    scene.decide(decision(1, channels=["sms"], **ANN))
    scene.push()
    assert len(vendor.calls) == 1


def test_a_refusal_that_was_erased_or_is_old_is_told_to_nobody(scene: Scene, vendor: Vendor) -> None:
    """The record says no more whose it was; a new ledger tells nothing of last week."""
    seq = scene.land("flowhub/customers", customer(), {"erased": True})
    closed_at_till(scene, 1, (seq, 2, "sms"))
    scene.push(tells=("aiq",))
    closed_at_till(scene, 2, (seq, 1, "sms"))
    scene.clock.advance(days=2)
    scene.push(tells=("aiq",))
    assert vendor.calls == []
