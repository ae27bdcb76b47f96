"""What operators do by hand: pauses, and dead letters; each word lands first, and once."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from perennial.errors import PerennialError
from reverse_etl.dead_letters import Selection, dead_letters, discard, refused, resolve, retry
from reverse_etl.ledger.tables import enrollments
from reverse_etl.pauses import say
from reverse_etl.restore import restore_ledger
from tests.reverse_etl.pushing import killed
from tests.reverse_etl.scene import NOON, PHONE, Scene, decision
from tests.reverse_etl.vendor import Reply, Vendor


def letters(scene: Scene, **selection: Any) -> list[str]:
    """Return the ids of what waits for a person."""
    with scene.desk() as desk, desk.ledger.read() as connection:
        return [one.enrollment_id for one in dead_letters(connection, Selection(**selection))]


def act(scene: Scene, deed: Any, *ids: str, **more: Any) -> int:
    """Do something with dead letters, as the command does; return how many rows it was."""
    with scene.desk() as desk:
        with desk.ledger.read() as connection:
            found = dead_letters(connection, Selection(ids=ids))
        rows: int = deed(desk, found, **more)
        return rows


def pause(scene: Scene, operation: str = "pause", **what: str) -> list[str]:
    """Pause or resume; return what is paused then."""
    with scene.desk() as desk:
        return [str(one) for one in say(desk, operation, **what)]


def pause_all(home: Path) -> None:
    """Pause everything, in a process of its own."""
    pause(Scene(home))


def words(scene: Scene) -> int:
    """Count the operators' words that landed."""
    return len(list(scene.log.read("perennial", "operations")))


def test_a_paused_flow_waits_and_the_others_go_on(scene: Scene, vendor: Vendor) -> None:
    """By flow, by destination, everything; what is paused twice is resumed twice."""
    scene.decide(
        decision(1), decision(2, flow_name="winback"), decision(3, destination="klaviyo", expires_at=None)
    )
    scene.push(destinations=type(scene.destinations())(()))
    assert pause(scene, flow="winback") == ["flow winback"]
    assert pause(scene, destination="klaviyo") == ["destination klaviyo", "flow winback"]
    assert scene.push().by_destination == {
        "aiq": {"accepted": 1, "pending": 1},
        "klaviyo": {"pending": 1},
    }
    assert pause(scene) == ["everything", "destination klaviyo", "flow winback"]
    assert pause(scene, "resume", flow="winback") == ["everything", "destination klaviyo"]
    scene.decide(decision(4))
    assert scene.push().by_destination == {"aiq": {"pending": 2}, "klaviyo": {"pending": 1}}
    assert pause(scene, "resume") == ["destination klaviyo"]
    scene.clock.advance(minutes=31)
    assert scene.push().by_destination == {"aiq": {"expired": 2}, "klaviyo": {"pending": 1}}, "time goes by"
    assert pause(scene, "resume", destination="klaviyo") == []
    assert scene.push().by_destination == {"klaviyo": {"accepted": 1}}
    assert len(vendor.calls) == 2


def test_a_pause_stops_a_running_push(scene: Scene, vendor: Vendor) -> None:
    """Landed by another process, read within a fifth of a second; the calls in flight are finished."""
    paused_at: list[float] = []

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number == 4:
            scene.land(
                "perennial/operations",
                {"operation": "pause", "subject": {}, "at": NOON.isoformat(), "by": "kim"},
            )
            paused_at.append(time.monotonic())
        return Reply(delay=0.05)

    vendor.script = script
    scene.decide(*(decision(number) for number in range(300)))
    report = scene.push()
    assert time.monotonic() - paused_at[0] < 5
    sent = report.by_destination["aiq"]["accepted"]
    assert sent == len(vendor.calls) < 40
    assert report.by_destination["aiq"] == {"accepted": sent, "pending": 300 - sent}
    assert report.stopped == {}


def test_a_pause_of_nothing_is_refused(scene: Scene) -> None:
    """A pause that stops nothing would be believed."""
    scene.decide(decision(1))
    scene.push(destinations=type(scene.destinations())(()))
    with pytest.raises(PerennialError, match=r"no flow 'wimback'(.|\n)*cart_abandoned_recovery"):
        pause(scene, flow="wimback")
    with pytest.raises(PerennialError, match=r"no destination 'sendgrid'(.|\n)*klaviyo"):
        pause(scene, destination="sendgrid")
    with pytest.raises(PerennialError, match="at once"):
        pause(scene, flow="cart_abandoned_recovery", destination="aiq")
    scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": PHONE})
    scene.push(destinations=type(scene.destinations())(()), tells=("aiq",))
    with pytest.raises(PerennialError, match="no flow 'opt_out'"):
        pause(scene, flow="opt_out")
    assert words(scene) == 0


def test_a_pause_that_is_said_again_began_when_it_was_said_first(scene: Scene) -> None:
    """An operator sees how long calls have waited."""
    with scene.desk() as desk:
        [first] = say(desk, "pause")
        scene.clock.advance(minutes=5)
        assert say(desk, "pause") == [first]
        assert say(desk, "resume") == []
        scene.clock.advance(minutes=5)
        assert say(desk, "pause") == [replace(first, since=scene.clock.now())]


def test_a_word_that_landed_before_a_crash_counts_and_an_older_one_does_not(
    scene: Scene, vendor: Vendor
) -> None:
    """The command died after landing: the next push knows. In a new ledger the last word of each thing counts."""
    scene.decide(decision(1, expires_at=None, destination="klaviyo"))
    killed("operation_landed", pause_all, scene.home)
    assert scene.push().by_destination == {"klaviyo": {"pending": 1}}
    pause(scene, destination="aiq")
    pause(scene, "resume", destination="aiq")
    for file in scene.home.glob("ledger.sqlite*"):
        file.unlink()
    with scene.desk() as desk:
        restore_ledger(desk.ledger, scene.log, scene.clock)
    assert pause(scene, "resume", destination="klaviyo") == ["everything"]
    assert vendor.calls == []


def refuse_first(vendor: Vendor, *, status: int = 400) -> None:
    """Let the vendor refuse the first call of each row."""
    seen: set[str] = set()

    def script(_number: int, body: dict[str, Any]) -> Reply:
        key = body["event"]["enrollment_id"]
        is_new = key not in seen
        seen.add(key)
        return Reply(status, body={"error": "no such event"}) if is_new else Reply()

    vendor.script = script


def test_a_refused_row_is_sent_again_after_a_fix(scene: Scene, vendor: Vendor) -> None:
    """Only those that are named; another retry of it takes another refusal; the list holds no address."""
    refuse_first(vendor)
    scene.decide(*(decision(number) for number in (1, 2, 3)))
    assert scene.push().by_destination == {"aiq": {"rejected": 3}}
    with scene.desk() as desk, desk.ledger.read() as connection:
        shown = repr(dead_letters(connection))
    assert "400" in shown
    for secret in ("@example.com", "+1303555", "ann"):
        assert secret not in shown
    assert act(scene, retry, "d000001", "d000002") == 2
    assert scene.push().by_destination == {"aiq": {"accepted": 2}}
    assert letters(scene) == ["d000003"]
    with pytest.raises(PerennialError, match="no dead letter is called d000001"):
        act(scene, retry, "d000001")
    assert act(scene, discard, "d000003") == 1
    assert letters(scene) == []
    assert scene.push().by_destination == {}
    assert scene.report().counts["aiq"] == {"accepted": 2, "rejected": 1}
    assert len(vendor.calls) == 5


def test_a_retry_is_about_one_refusal(scene: Scene, vendor: Vendor) -> None:
    """The word lands twice, is read again in a new ledger, and touches no later refusal."""
    vendor.script = lambda _number, _body: Reply(400)
    scene.decide(decision(1, expires_at=None))
    scene.push()
    act(scene, retry, "d000001")
    assert scene.push().by_destination == {"aiq": {"rejected": 1}}
    [word] = scene.log.read("perennial", "operations")
    scene.land("perennial/operations", json.loads(word.payload))
    assert scene.push().by_destination == {}
    for file in scene.home.glob("ledger.sqlite*"):
        file.unlink()
    with scene.desk() as desk:
        assert restore_ledger(desk.ledger, scene.log, scene.clock) == {"rejected": 1}
    assert scene.push().by_destination == {}
    assert letters(scene) == ["d000001"]
    assert len(vendor.calls) == 2


def test_the_body_is_made_anew_unless_a_call_before_the_refusal_may_have_had_an_effect(
    scene: Scene, vendor: Vendor
) -> None:
    """Klaviyo drops the very same body only: one that was refused at once is made again, the other kept."""

    def script(number: int, body: dict[str, Any]) -> Reply:
        is_doubted = body["data"]["attributes"]["unique_id"] == "d000001"
        return Reply(500) if is_doubted and number == 1 else Reply(400)

    vendor.script = script
    scene.decide(*(decision(number, destination="klaviyo", customer_id="c_1") for number in (1, 2)))
    assert scene.push().by_destination == {"klaviyo": {"rejected": 2}}
    act(scene, retry, "d000001", "d000002")
    with scene.desk() as desk, desk.ledger.read() as connection:
        frozen = connection.scalars(select(enrollments.c.frozen).order_by(enrollments.c.ledger_id)).all()
    assert [body is None for body in frozen] == [False, True]


def test_a_retry_that_comes_too_late_expires(scene: Scene, vendor: Vendor) -> None:
    """The gates are asked as for any other row."""
    vendor.script = lambda _number, _body: Reply(400)
    scene.decide(decision(1))
    scene.push()
    scene.clock.advance(hours=1)
    act(scene, retry, "d000001")
    assert scene.push().by_destination == {"aiq": {"expired": 1}}
    assert len(vendor.calls) == 1


@pytest.mark.parametrize(("was_sent", "status"), [(True, "accepted"), (False, "rejected")])
def test_what_nobody_knows_is_settled_by_what_a_person_found(
    scene: Scene, vendor: Vendor, *, was_sent: bool, status: str
) -> None:
    """It is neither sent again nor discarded before; then it has a receipt like every outcome."""
    vendor.script = lambda _number, _body: Reply(500)
    scene.decide(decision(1, expires_at=None))
    assert scene.push().by_destination == {"aiq": {"ambiguous": 1}}
    for deed in (retry, discard):
        with pytest.raises(PerennialError, match=r"deadletters resolve ID"):
            act(scene, deed, "d000001")
    with scene.desk() as desk, desk.ledger.read() as connection:
        assert refused(connection, Selection(destination="aiq")) == []
    assert act(scene, resolve, "d000001", was_sent=was_sent) == 1
    assert scene.report().counts == {"aiq": {status: 1}}
    scene.push()
    last = scene.receipts()[-1]
    assert (last["status"], last["error"]) == (
        status,
        f"a person found that it was {'' if was_sent else 'not '}sent",
    )
    assert (last["accepted_at"] is not None) is was_sent
    if was_sent:
        assert letters(scene) == []
        return
    with pytest.raises(PerennialError, match="the outcome of these is known"):
        act(scene, resolve, "d000001", was_sent=True)
    vendor.script = lambda _number, _body: Reply()
    act(scene, retry, "d000001")
    assert scene.push().by_destination == {"aiq": {"accepted": 1}}
    assert len(vendor.calls) == 2


def test_dead_letters_are_chosen_by_words(scene: Scene, vendor: Vendor) -> None:
    """By destination, flow or reason; a percent sign is a percent sign."""
    vendor.script = lambda _number, _body: Reply(400)
    scene.decide(
        decision(1), decision(2, flow_name="winback"), decision(3, destination="klaviyo", channels=["sms"])
    )
    scene.push()
    assert letters(scene, destination="klaviyo") == ["d000003"]
    assert letters(scene, flow="winback") == ["d000002"]
    assert letters(scene, reason="400") == ["d000001", "d000002"]
    assert letters(scene, reason="%") == []
    for wrong, named in (
        ({"destination": "klavio"}, "klaviyo"),
        ({"flow": ""}, "winback"),
        ({"reason": " "}, "empty"),
    ):
        with pytest.raises(PerennialError, match=named):
            letters(scene, **wrong)


def test_two_operators_at_once_are_one(scene: Scene, vendor: Vendor) -> None:
    """Both saw the same refusals: each row goes out once."""
    refuse_first(vendor)
    scene.decide(*(decision(number) for number in range(6)))
    scene.push()
    with scene.desk() as desk, desk.ledger.read() as connection:
        found = dead_letters(connection)

    def again() -> None:
        with scene.desk() as desk:
            retry(desk, found)

    threads = [threading.Thread(target=again) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert words(scene) == 1
    assert scene.push().by_destination == {"aiq": {"accepted": 6}}
    assert len(vendor.calls) == 12
