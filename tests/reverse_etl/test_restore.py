"""A ledger that is lost, or put back from an older copy."""

import shutil

import pytest

from reverse_etl.ledger.store import LedgerError
from reverse_etl.restore import restore_ledger
from tests.reverse_etl.scene import NOON, Scene, decision
from tests.reverse_etl.vendor import Vendor


def restore(scene: Scene) -> dict[str, int]:
    """Restore the scene's ledger as the command does."""
    ledger = scene.open()
    try:
        return restore_ledger(ledger, scene.log, scene.clock)
    finally:
        ledger.close()


def lose(scene: Scene) -> None:
    """Delete the ledger."""
    for file in scene.home.glob("ledger.sqlite*"):
        file.unlink()


def test_a_lost_ledger_is_made_anew_from_the_landing_log(scene: Scene, vendor: Vendor) -> None:
    """What was accepted stays accepted; what has no receipt is sent where that is safe, else listed."""
    scene.decide(decision(1), decision(2, destination="klaviyo"))
    scene.push()
    scene.decide(
        decision(3), decision(4, destination="klaviyo"), decision(5, not_before="2026-03-16T14:00:00Z")
    )
    lose(scene)
    with pytest.raises(LedgerError, match=r"python -m reverse_etl\.restore"):
        scene.push()
    assert restore(scene) == {"accepted": 2, "ambiguous": 1, "pending": 2}
    assert scene.push().by_destination == {"aiq": {"pending": 1}, "klaviyo": {"accepted": 1}}
    assert scene.report().ambiguous == ["d000003"]
    assert len(vendor.calls) == 3
    numbers = [receipt["receipt_no"] for receipt in scene.receipts()]
    assert numbers == sorted(set(numbers)), "no number is used twice"


def test_an_older_copy_catches_up(scene: Scene, vendor: Vendor) -> None:
    """Sent since the copy was made: not sent again."""
    scene.decide(decision(1))
    scene.push()
    shutil.copy(scene.home / "ledger.sqlite", scene.home / "copy")
    scene.decide(decision(2), decision(3, destination="klaviyo"))
    scene.push()
    lose(scene)
    shutil.copy(scene.home / "copy", scene.home / "ledger.sqlite")
    with pytest.raises(LedgerError, match="an older copy"):
        scene.push()
    assert restore(scene) == {"accepted": 3}
    assert scene.push().by_destination == {}
    assert len(vendor.calls) == 3


def test_restoring_what_lacks_nothing_changes_nothing(scene: Scene) -> None:
    """The command may be run in doubt."""
    scene.decide(decision(1), decision(2, destination="klaviyo"))
    scene.push()
    before = (scene.report(), scene.receipts())
    assert restore(scene) == {"accepted": 2}
    scene.push()
    assert (scene.report(), scene.receipts()) == before


def test_quiet_hours_are_asked_again_of_what_is_restored(scene: Scene, vendor: Vendor) -> None:
    """That it was put off to the morning is lost; at night nothing of it is sent, in the morning what is safe is."""
    of_any_time = {"expires_at": None, "not_before": NOON.isoformat()}
    scene.decide(decision(1, **of_any_time), decision(2, destination="klaviyo", **of_any_time))
    scene.clock.advance(hours=9)  # nine in the evening in Denver
    assert scene.push().by_destination == {"aiq": {"pending": 1}, "klaviyo": {"pending": 1}}
    lose(scene)
    assert restore(scene) == {"ambiguous": 1, "pending": 1}
    assert scene.push().by_destination == {"klaviyo": {"pending": 1}}
    assert vendor.calls == []
    assert scene.report().ambiguous == ["d000001"], "by what landed it was due since noon"
    scene.clock.advance(hours=11)
    assert scene.push().by_destination == {"klaviyo": {"accepted": 1}}
    assert len(vendor.calls) == 1
