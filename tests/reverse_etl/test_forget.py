"""The ledger forgets a person: what was sent to her, what waits, and what was answered."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from extractors.landing.records import Record
from extractors.landing.tombstone import TOMBSTONE
from perennial.errors import PerennialError
from perennial.salt import Salt, salt_of
from perennial.settings import Settings
from reverse_etl import forget as forgetting
from reverse_etl.addresses import address_hash
from reverse_etl.forget import Hers, Known, forget, known_at
from reverse_etl.ledger.store import LedgerError
from reverse_etl.ledger.tables import enrollments, receipt_batches
from reverse_etl.receipts import land_receipts
from tests.reverse_etl.scene import NOON, Scene, decision, order_push
from tests.reverse_etl.test_orders import takes
from tests.reverse_etl.vendor import Vendor


def erasure(scene: Scene, salt: Salt | None = None) -> dict[str, object]:
    """Return a row of an erasure that closes the addresses of person 1."""
    own = salt or salt_of(Settings(_env_file=None, perennial_home=scene.home))
    return {
        "kind": "address", "channel": "sms", "hash": address_hash(own, "sms", "+13035550001"), "salt_id": own.salt_id,
        "erased_at": NOON.isoformat(), "erasure_id": "e",
    }  # fmt: skip


def forget_one(scene: Scene) -> int:
    """Forget person 1."""
    ledger = scene.open()
    try:
        return forget(ledger, scene.log, scene.clock, Hers({"c_1"}, {"d000001", "d000009"}))
    finally:
        ledger.close()


def live(scene: Scene) -> None:
    """Let persons 1 and 2 be written to, and each wait for one more."""
    scene.decide(decision(1), decision(2))
    scene.push()
    waits = (NOON + timedelta(hours=1)).isoformat()
    scene.decide(*(decision(number, customer_id=f"c_{number - 10}", not_before=waits) for number in (11, 12)))
    scene.push()


def test_her_rows_go_and_his_stay(scene: Scene) -> None:
    """Sent or waiting, with receipts and all; twice is once, and no byte of the file holds her."""
    live(scene)
    assert forget_one(scene) == 2
    assert forget_one(scene) == 0
    assert scene.report().counts == {"aiq": {"accepted": 1, "pending": 1}}
    content = b"".join(path.read_bytes() for path in scene.home.glob("ledger.sqlite*"))
    assert b"ann2@example.com" in content
    for value in (b"ann1@example.com", b"+13035550001", b"d000001", b'"fh-1"'):
        assert value not in content


def test_what_the_ledger_knew_of_her_has_landed(scene: Scene) -> None:
    """A batch of receipts is named by its range, so it lands whole before a row of it goes."""
    live(scene)
    forget_one(scene)
    assert {receipt["enrollment_id"] for receipt in scene.receipts()} == {"d000001", "d000002"}
    assert scene.report().receipts_to_land == 0


def test_a_call_in_flight_is_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer belongs to somebody: nothing is taken out meanwhile, and whoever waits too long is told why."""
    live(scene)
    ledger = scene.open()
    with ledger.write() as connection:
        connection.exec_driver_sql(
            "update enrollments set status = 'attempting', claimed_by = 'elsewhere/1/2/3', "
            "claimed_until = '2036-01-01 00:00:00' where enrollment_id = 'd000011'"
        )
    ledger.close()
    monkeypatch.setattr(forgetting, "_CALL_SECONDS", 0.5)
    with pytest.raises(PerennialError, match="still in flight"):
        forget_one(scene)
    known = scene.open()
    assert known_at(known, Hers({"c_1"}, set()), scene.clock) == Known(2, frozenset({"aiq"}))
    known.close()


def test_an_erasure_stops_the_next_call(scene: Scene) -> None:
    """Before any build has read of it: one channel is closed, and its identifier is in no body."""
    scene.land("perennial/erasures", erasure(scene))
    scene.decide(decision(1, channels=["sms"]), decision(2))
    scene.push()
    assert scene.report().counts == {"aiq": {"accepted": 1, "exited": 1}}


def test_an_erasure_of_another_salt_stops_everything(scene: Scene) -> None:
    """Nobody knows whom it closed, so nobody is written to; the error says what to put back."""
    scene.land("perennial/erasures", erasure(scene, Salt("lost")))
    scene.decide(decision(1))
    with pytest.raises(LedgerError, match=r"another salt(.|\n)*the file `salt`"):
        scene.push()


def test_a_log_with_erased_decisions_is_read_on(scene: Scene) -> None:
    """A tombstone is no decision and stops none."""
    build_no = scene.decide(decision(2))
    text = Record("perennial", "decisions", None, NOON, TOMBSTONE)
    scene.log.append(f"decisions/{build_no}/erased", [text])
    scene.decide(decision(3))
    scene.push()
    assert scene.report().counts == {"aiq": {"accepted": 2}}


def test_an_order_goes_by_its_push_and_not_before_it_is_settled(scene: Scene, vendor: Vendor) -> None:
    """Whoever it was for when it was decided: another's order under her id stays, hers under another id goes."""
    vendor.script = takes
    scene.decide(order_push(1), order_push(2))
    hers = Hers({"c_1"}, set(), {"o000002"})
    ledger = scene.open()
    with pytest.raises(PerennialError, match=r"not settled at the till yet: jane-2\n"):
        forget(ledger, scene.log, scene.clock, hers)
    scene.push()
    told: list[Known] = []
    assert forget(ledger, scene.log, scene.clock, hers, told.append) == 1
    assert told[-1].destinations == {"flowhub"}
    with ledger.read() as connection:
        assert connection.scalars(select(enrollments.c.enrollment_id)).all() == ["o000001"]
    ledger.close()


def test_a_batch_whose_rows_are_erased_stops_no_push(scene: Scene) -> None:
    """Planned by one process, landed by another and taken out by the erasure: nothing is left to land."""
    live(scene)
    ledger = scene.open()
    with ledger.write() as connection:
        connection.execute(
            insert(receipt_batches).values(first_receipt_no=90, last_receipt_no=91, is_landed=False)
        )
    assert land_receipts(ledger, scene.log) == 0
    ledger.close()
    assert scene.report().receipts_to_land == 0
    scene.push()


def test_what_another_closed_meanwhile_is_told_nevertheless(scene: Scene, vendor: Vendor) -> None:
    """The erasure reads the log as a push does."""
    scene.decide(decision(1))
    scene.push()
    scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": "+13035550177"})
    ledger = scene.open()
    forget(ledger, scene.log, scene.clock, Hers({"c_1"}, {"d000001"}), tells=("aiq",))
    ledger.close()
    scene.push(tells=("aiq",))
    assert [one["status"] for one in scene.notice_receipts()] == ["accepted"]
    assert len(vendor.calls) == 2
