"""What comes into the ledger from the landing log."""

import json

import pytest

from extractors.landing.records import Record
from perennial.errors import LandingError
from reverse_etl.decisions import DecisionError
from reverse_etl.ledger.store import LedgerError
from tests.reverse_etl.scene import NOON, Scene, decision
from tests.reverse_etl.vendor import Reply, Vendor


def test_only_live_enrollments_are_sent(scene: Scene, vendor: Vendor) -> None:
    """Neither what was skipped nor a dry run."""
    scene.decide(
        decision(1),
        decision(2, mode="dry_run"),
        {**decision(3, outcome="skipped"), "reason": "late", "enrollment": None},
    )
    report = scene.push()
    assert (report.taken_in, report.sent) == (1, 1)
    assert [call["event"]["enrollment_id"] for call in vendor.calls] == ["d000001"]


def test_a_decision_that_lands_twice_is_one_enrollment(scene: Scene, vendor: Vendor) -> None:
    """In one batch, in two, over two pushes."""
    scene.decide(decision(1), decision(1))
    scene.decide(decision(1), decision(2))
    assert scene.push().taken_in == 2
    assert scene.push().taken_in == 0
    assert len(vendor.calls) == 2


def test_many_batches_are_taken_in_over_several_transactions(scene: Scene) -> None:
    """Every row of every batch, none twice."""
    for build in range(3):
        scene.decide(*(decision(build * 1_500 + number, destination="elsewhere") for number in range(1_500)))
    assert scene.push().taken_in == 4_500
    assert scene.report().counts == {"elsewhere": {"pending": 4_500}}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"kind": "decision"}, "missing required field `outcome`"),
        ({"kind": "novelty"}, "Invalid value 'novelty'"),
        (decision(2, triggered_at="yesterday"), "Invalid RFC3339 encoded datetime"),
        (decision(2, channels=["fax"]), r"Invalid enum value 'fax' - at `\$.enrollment.channels"),
    ],
)
def test_a_decision_that_cannot_be_read_stops_the_push_and_loses_nothing(
    scene: Scene, vendor: Vendor, payload: dict[str, object], said: str
) -> None:
    """The error names place and field; not even the good row before it is half-taken."""
    scene.decide(decision(1), payload)
    with pytest.raises(DecisionError, match=rf"landed batch 2, row 2, can't be read: .*{said}"):
        scene.push()
    assert vendor.calls == []
    assert scene.report().total == 0


def test_a_payload_that_is_no_json_is_named_by_its_place_only(scene: Scene) -> None:
    """What it held is not shown."""
    scene.log.append("decisions/1", [Record("perennial", "decisions", None, NOON, "ann@example.com {")])
    with pytest.raises(DecisionError, match="landed batch 1, row 1, can't be read: not JSON") as caught:
        scene.push()
    assert "ann@example.com" not in str(caught.value)


def test_nothing_is_sent_while_the_log_can_not_be_read(scene: Scene, vendor: Vendor) -> None:
    """An opt-out may be in the file that is missing."""
    scene.decide(decision(1))
    scene.land("messaging/feedback", {"type": "opened"})
    [file] = scene.log.files(after=2)
    with open(file.path, "wb"):  # noqa: PTH123 - the log gives a text
        pass
    with pytest.raises(LandingError):
        scene.push()
    assert vendor.calls == []


def test_a_landing_log_that_breaks_during_the_push_ends_it_and_keeps_the_answers(
    scene: Scene, vendor: Vendor
) -> None:
    """No new call is begun; calls in flight are waited for and recorded."""
    scene.decide(*(decision(number) for number in range(40)))

    def script(number: int, _body: dict[str, object]) -> Reply:
        if number == 3:
            scene.land("messaging/feedback", {"type": "opened"})
            [file] = scene.log.files(after=2)
            with open(file.path, "wb"):  # noqa: PTH123 - the log gives a text
                pass
        return Reply(delay=0.25)

    vendor.script = script
    with pytest.raises(LandingError):
        scene.push()
    counts = scene.report().counts["aiq"]
    assert counts["accepted"] == len(vendor.kept) < 40
    assert counts["pending"] == 40 - len(vendor.kept)


def test_a_ledger_that_is_older_than_what_it_landed_sends_nothing(scene: Scene, vendor: Vendor) -> None:
    """A lost ledger would send everything again."""
    scene.decide(decision(1))
    scene.push()
    for file in scene.home.glob("ledger.sqlite*"):
        file.unlink()
    with pytest.raises(LedgerError, match=r"receipts \(receipts/1-1\) that this ledger never wrote"):
        scene.push()
    assert len(vendor.calls) == 1


def test_receipts_land_once_and_carry_no_personal_data(scene: Scene, vendor: Vendor) -> None:
    """One receipt an outcome, in batches named by their range."""
    vendor.script = lambda _number, body: Reply(
        400 if body["srcID"] == "fh-2" else 200,
        {"success": False, "errors": [{"message": f"phone {body['phone']} of {body['email']} is bad"}]}
        if body["srcID"] == "fh-2"
        else {"success": True},
    )
    scene.decide(decision(1), decision(2), decision(3, expires_at="2026-03-15T17:00:00Z"))
    assert scene.push().receipts_landed == 3
    assert scene.push().receipts_landed == 0
    receipts = scene.receipts()
    assert sorted((receipt["enrollment_id"], receipt["status"]) for receipt in receipts) == [
        ("d000001", "accepted"),
        ("d000002", "rejected"),
        ("d000003", "expired"),
    ]
    assert [receipt["receipt_no"] for receipt in receipts] == [1, 2, 3]
    names = [batch.name for batch in scene.log.batches() if batch.name.startswith("receipts/")]
    assert names == ["receipts/1-1", "receipts/2-3"]
    shown = json.dumps(receipts)
    assert "@" not in shown
    assert "303555" not in shown
