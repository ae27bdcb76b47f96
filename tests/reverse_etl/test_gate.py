"""What stops a call between the decision and the call."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from reverse_etl.ledger.tables import enrollments
from tests.reverse_etl.scene import EMAIL, NOON, PHONE, QUICK, Scene, decision
from tests.reverse_etl.vendor import Reply, Vendor

ANN: dict[str, Any] = {
    "recipient": {"email": EMAIL, "phone": PHONE, "flowhub_customer_id": None, "customer_id": "c_1"},
}


def feedback(what: str, channel: str, address: str, **changes: Any) -> dict[str, Any]:
    """Make a report of the messaging system."""
    return {
        "event_id": f"{what}-{channel}",
        "type": what,
        "occurred_at": NOON.isoformat(),
        "channel": channel,
        "address": address,
        **changes,
    }


def opt_in(channel: str, address: str, status: str = "opted_in", **by: float) -> dict[str, Any]:
    """Make a partner's consent event."""
    return {
        "event_id": "e1",
        "event_name": "customer_optin_status_changed",
        "occurred_at": (NOON + timedelta(**by)).isoformat(),
        "properties": {"channel": channel, "status": status, "address": address, "basis": "form"},
    }


def cart(status: str, cart_id: int = 1, **fields: object) -> dict[str, Any]:
    """Make a Jane cart status."""
    return {"cart": {"id": cart_id, "status": status, **fields}}


def outcome(scene: Scene) -> tuple[str, str | None]:
    """Return the status and reason of the one receipt."""
    [receipt] = scene.receipts()
    return receipt["status"], receipt["error"]


@pytest.mark.parametrize("what", ["stop", "unsubscribed", "bounced", "complained"])
def test_an_opt_out_after_the_build_stops_the_call(scene: Scene, vendor: Vendor, what: str) -> None:
    """However the number is spelled."""
    scene.decide(decision(1, channels=["sms"], **ANN))
    scene.land("messaging/feedback", feedback(what, "sms", "(303) 555-0142"))
    scene.push()
    assert vendor.calls == []
    assert outcome(scene) == ("exited", f"sms: {what}")


def test_one_channel_is_left(scene: Scene, vendor: Vendor) -> None:
    """Nothing of the closed channel is in the body."""
    scene.decide(decision(1, **ANN))
    scene.land("messaging/feedback", feedback("stop", "sms", PHONE))
    scene.push()
    [call] = vendor.calls
    assert call["event"]["channels"] == "email"
    assert call["email"] == EMAIL
    assert "phone" not in call


def test_a_channel_of_the_decision_only(scene: Scene, vendor: Vendor) -> None:
    """An identifier of a channel that isn't used is not sent."""
    scene.decide(decision(1, channels=["email"], **ANN))
    scene.push()
    assert "phone" not in vendor.calls[0]


def test_an_opened_message_is_no_opt_out(scene: Scene, vendor: Vendor) -> None:
    """Only a word about the address closes it."""
    scene.decide(decision(1, **ANN))
    scene.land("messaging/feedback", feedback("opened", "email", EMAIL), feedback("clicked", "email", EMAIL))
    scene.push()
    assert vendor.calls[0]["event"]["channels"] == "sms,email"


def test_only_her_later_word_lifts_an_opt_out(scene: Scene, vendor: Vendor) -> None:
    """An opt-in from before the bounce lifts nothing."""
    an_hour_ago = (NOON - timedelta(hours=1)).isoformat()
    scene.land(
        "messaging/feedback",
        feedback("stop", "sms", PHONE, occurred_at=an_hour_ago),
        feedback("bounced", "email", EMAIL, occurred_at=an_hour_ago),
    )
    scene.land("partners/events", opt_in("sms", PHONE), opt_in("email", EMAIL.upper(), hours=-2))
    scene.decide(decision(1, **ANN))
    scene.push()
    assert vendor.calls[0]["event"]["channels"] == "sms"


def test_what_was_said_last_counts_whatever_arrives_last(scene: Scene, vendor: Vendor) -> None:
    """A STOP that arrives late is older than her opt-in."""
    scene.land("partners/events", opt_in("sms", PHONE))
    an_hour_ago = (NOON - timedelta(hours=1)).isoformat()
    scene.land("messaging/feedback", feedback("stop", "sms", PHONE, occurred_at=an_hour_ago))
    scene.decide(decision(1, channels=["sms"], **ANN))
    scene.push()
    assert len(vendor.calls) == 1


def test_an_opt_in_of_the_future_silences_no_stop(scene: Scene, vendor: Vendor) -> None:
    """A sender's clock is wrong: her word counts from when it came."""
    scene.land("partners/events", opt_in("sms", PHONE, days=10_000))
    scene.land("messaging/feedback", feedback("stop", "sms", PHONE))
    scene.decide(decision(1, channels=["sms"], **ANN))
    scene.push()
    assert vendor.calls == []
    assert outcome(scene) == ("exited", "sms: stop")


def test_an_opt_out_at_a_partner_counts(scene: Scene, vendor: Vendor) -> None:
    """An opt-out from any source that names the address."""
    scene.decide(decision(1, channels=["email"], **ANN))
    scene.land("partners/events", opt_in("email", EMAIL, "opted_out"))
    scene.push()
    assert vendor.calls == []
    assert outcome(scene) == ("exited", "email: opted_out")


def test_an_opt_out_during_the_push_stops_the_next_call(scene: Scene, vendor: Vendor) -> None:
    """Every row is hers, so they go out one after another; the fifth finds the door closed."""
    scene.decide(*(decision(number, channels=["email"], customer_id="c_1", **ANN) for number in range(30)))

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number == 5:
            scene.land("messaging/feedback", feedback("unsubscribed", "email", EMAIL))
        return Reply(delay=0.05)

    vendor.script = script
    report = scene.push()
    assert 5 <= len(vendor.calls) <= 10  # what the push knows may be a fifth of a second old
    assert report.by_destination["aiq"] == {"accepted": len(vendor.calls), "exited": 30 - len(vendor.calls)}


def test_an_opt_out_is_stronger_than_a_retry(scene: Scene, vendor: Vendor) -> None:
    """The body of the second try leaves out the channel that was closed meanwhile."""

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number > 1:
            return Reply()
        scene.land("messaging/feedback", feedback("stop", "sms", PHONE))
        return Reply(429, headers={"Retry-After": "1"})

    vendor.script = script
    scene.decide(decision(1, **ANN))
    scene.push()
    first, second = vendor.calls
    assert "phone" in first
    assert "phone" not in second
    assert second["event"]["channels"] == "email"


@pytest.mark.parametrize(("reason", "status"), [("purchased", "exited"), ("superseded", "superseded")])
def test_an_exit_of_the_warehouse_ends_a_waiting_row(
    scene: Scene, vendor: Vendor, reason: str, status: str
) -> None:
    """Without waiting for the row's own time; one that another enrollment replaces is superseded."""
    scene.decide(decision(1, not_before=(NOON + timedelta(hours=9)).isoformat(), expires_at=None))
    assert scene.push().by_destination == {"aiq": {"pending": 1}}
    exit_row = {
        "kind": "exit",
        "enrollment_id": "d000001",
        "flow_name": "cart_abandoned_recovery",
        "exited_at": NOON.isoformat(),
        "reason": reason,
    }
    scene.decide(exit_row)
    assert scene.push().by_destination == {"aiq": {status: 1}}
    assert vendor.calls == []
    assert outcome(scene) == (status, reason)


@pytest.mark.parametrize("status", ["verification", "preparing", "finished"])
def test_she_bought_while_it_waited_for_the_morning(scene: Scene, vendor: Vendor, status: str) -> None:
    """Every status from verification on is a purchase."""
    scene.decide(decision(1, not_before=(NOON + timedelta(hours=9)).isoformat(), expires_at=None))
    scene.land("jane/cart_status", cart(status))
    scene.push()
    scene.clock.advance(hours=10)
    scene.push()
    assert vendor.calls == []
    assert outcome(scene) == ("exited", "purchased")


def test_another_cart_ends_nothing(scene: Scene, vendor: Vendor) -> None:
    """Nor does her own cart while it is only a cart."""
    scene.decide(decision(1))
    scene.land("jane/cart_status", cart("verification", 2), cart("pending", 1))
    scene.push()
    assert len(vendor.calls) == 1


@pytest.mark.parametrize("status", ["cancelled", "dismissed"])
def test_a_canceled_order_ends_its_transactional_news_too(scene: Scene, vendor: Vendor, status: str) -> None:
    """Nothing goes out about an order that is no more."""
    about = {"kind": "transactional", "context": {"order_id": "1"}}
    scene.decide(decision(1, **about))
    scene.land("jane/cart_status", cart(status))
    scene.push()
    assert vendor.calls == []
    assert outcome(scene) == ("exited", "canceled")


def test_progress_of_an_order_does_not_end_its_transactional_news(scene: Scene, vendor: Vendor) -> None:
    """A purchase ends marketing only."""
    scene.decide(decision(1, kind="transactional", context={"order_id": "1"}))
    scene.land("jane/cart_status", cart("finished"))
    scene.push()
    assert len(vendor.calls) == 1


def test_what_triggered_a_flow_does_not_end_it(scene: Scene, vendor: Vendor) -> None:
    """A canceled order enrolls in the recovery flow; its webhook comes twice, and an older status late."""
    scene.land("jane/cart_status", cart("cancelled"))
    scene.decide(decision(1, flow_name="cancelled_order_recovery"))
    scene.land("jane/cart_status", cart("cancelled"), cart("verification"))
    scene.push()
    assert len(vendor.calls) == 1


def test_the_cart_is_known_by_each_of_its_ids(scene: Scene, vendor: Vendor) -> None:
    """Its number, its uuid, the till's id."""
    scene.decide(decision(1, context={"cart_id": "b0f6"}))
    scene.land("jane/cart_status", cart("verification", 99, uuid="b0f6"))
    scene.push()
    assert vendor.calls == []


def test_news_that_landed_during_the_build_counts(scene: Scene, vendor: Vendor) -> None:
    """The moment reads up to a seq; a webhook that lands before the decisions do is news to them."""
    scene.land("perennial/moments", {"build_no": 7, "upto_seq": 0})
    scene.land("jane/cart_status", cart("verification"))
    scene.land("perennial/decisions", {**decision(1), "build_no": 7})
    scene.push()
    assert vendor.calls == []


def test_the_last_instant_counts_and_the_next_does_not(scene: Scene, vendor: Vendor) -> None:
    """The edge of expires_at belongs to it."""
    scene.decide(decision(1, destination="klaviyo"), decision(2))
    scene.clock.advance(minutes=30)
    scene.push(destinations=type(scene.destinations())(scene.destinations().ready[:1]))
    assert [call["srcID"] for call in vendor.calls] == ["fh-2"]
    scene.clock.advance(microseconds=1)
    assert scene.push().by_destination["klaviyo"] == {"expired": 1}
    assert len(vendor.calls) == 1


def test_a_row_waits_for_its_time(scene: Scene, vendor: Vendor) -> None:
    """And is sent when that has come."""
    scene.decide(decision(1, not_before=(NOON + timedelta(minutes=10)).isoformat()))
    assert scene.push().by_destination == {"aiq": {"pending": 1}}
    scene.clock.advance(minutes=10)
    assert scene.push().by_destination == {"aiq": {"accepted": 1}}
    assert len(vendor.calls) == 1


def test_a_row_without_any_address_is_rejected(scene: Scene, vendor: Vendor) -> None:
    """An id of the till alone does not say which channel may be used."""
    scene.decide(decision(1, recipient={"email": None, "phone": None, "flowhub_customer_id": "x"}))
    scene.push()
    assert vendor.calls == []
    assert outcome(scene)[0] == "rejected"


# Local times on and after Sunday, the 15th of March, as instants; the scene's own is noon in Denver on that day.
DENVER, TEXAS, FLORIDA = "CO America/Denver", "TX America/Chicago", "FL America/New_York"
LASTING: dict[str, Any] = {"not_before": NOON.isoformat(), "expires_at": None}


def pushed_at(scene: Scene, at: str) -> dict[str, Any]:
    """Push at an instant; return what became of the rows."""
    scene.clock.at = datetime.fromisoformat(f"{at}+00:00")
    return dict(scene.push().by_destination["aiq"])


def test_what_an_outage_kept_into_the_night_goes_in_the_morning(scene: Scene, vendor: Vendor) -> None:
    """The last minute before nine in the evening is day, nine is night; eight in the morning is day."""
    scene.decide(decision(1, places=[DENVER], **LASTING))
    assert pushed_at(scene, "2026-03-16 02:59:59") == {"accepted": 1}
    scene.decide(decision(2, places=[DENVER], **LASTING))
    for night in ("2026-03-16 03:00:00", "2026-03-16 09:30:00", "2026-03-16 13:59:59"):
        assert pushed_at(scene, night) == {"pending": 1}
    assert len(vendor.calls) == 1
    assert pushed_at(scene, "2026-03-16 14:00:00") == {"accepted": 1}
    assert len(vendor.calls) == 2


def test_what_expires_in_the_night_is_expired(scene: Scene, vendor: Vendor) -> None:
    """It waits no longer than it is worth anything."""
    scene.decide(decision(1, places=[DENVER], expires_at="2026-03-16T05:00:00Z"))
    assert pushed_at(scene, "2026-03-16 05:00:00") == {"pending": 1}
    assert pushed_at(scene, "2026-03-16 05:00:01") == {"expired": 1}
    assert vendor.calls == []
    assert outcome(scene)[0] == "expired"


@pytest.mark.parametrize(
    ("places", "too_early", "goes"),
    [
        ([TEXAS], "2026-03-15 16:59:59", "2026-03-15 17:00:00"),  # noon on a Sunday
        ([TEXAS], "2026-03-16 13:59:59", "2026-03-16 14:00:00"),  # nine on a Monday
        ([FLORIDA], "2026-03-16 00:00:00", "2026-03-16 12:00:00"),  # eight in the evening, and in the morning
        ([DENVER, TEXAS], "2026-03-16 02:00:00", "2026-03-16 14:00:00"),  # nine in Texas is eight in Denver
        ([DENVER, FLORIDA], "2026-03-16 12:00:00", "2026-03-16 14:00:00"),
    ],
)
def test_every_place_must_allow(
    scene: Scene, vendor: Vendor, places: list[str], too_early: str, goes: str
) -> None:
    """By the state's own hours, where it has any."""
    scene.decide(decision(1, places=places, not_before=None, expires_at=None))
    assert pushed_at(scene, too_early) == {"pending": 1}
    assert vendor.calls == []
    assert pushed_at(scene, goes) == {"accepted": 1}


def test_what_serves_an_order_has_no_quiet_hours(scene: Scene) -> None:
    """Its decision names no places, unless the state's rule is for it."""
    scene.decide(decision(1, kind="transactional", places=None, **LASTING))
    assert pushed_at(scene, "2026-03-16 06:00:00") == {"accepted": 1}


def test_a_call_whose_outcome_is_unknown_is_not_repeated_at_night(scene: Scene, vendor: Vendor) -> None:
    """Where the destination drops a repeat, but may not have had the first."""
    vendor.script = lambda number, _body: Reply(500 if number <= QUICK.tries else 202)
    scene.decide(decision(1, destination="klaviyo", places=[DENVER], **LASTING))
    scene.push()
    calls = len(vendor.calls)
    scene.clock.at = datetime.fromisoformat("2026-03-16 03:00:00+00:00")
    scene.push()
    assert len(vendor.calls) == calls
    scene.clock.at = datetime.fromisoformat("2026-03-16 14:00:00+00:00")
    assert scene.push().by_destination["klaviyo"] == {"accepted": 1}


def test_what_waits_for_the_morning_is_not_looked_at_again_in_the_night(scene: Scene, vendor: Vendor) -> None:
    """It is due in the morning: a night's pushes cost nothing, however much waits."""
    scene.decide(*(decision(number, places=[DENVER, TEXAS], **LASTING) for number in range(60)))
    assert pushed_at(scene, "2026-03-16 04:00:00") == {"pending": 60}
    with scene.desk() as desk, desk.ledger.read() as connection:
        due = connection.scalars(select(enrollments.c.not_before)).all()
        claims = connection.scalars(select(enrollments.c.claimed_by)).all()
    assert set(due) == {datetime(2026, 3, 16, 14, tzinfo=UTC)}
    assert set(claims) == {None}
    assert vendor.calls == []
