"""What a push that died leaves behind, and what the next one makes of it."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from reverse_etl.claims import LEASE, claim, reap, release
from reverse_etl.destinations.registry import Configured
from reverse_etl.ledger.rows import Move, apply, load
from reverse_etl.ledger.tables import enrollments
from reverse_etl.process import Holder, is_dead, this_holder
from reverse_etl.receipts import land_receipts
from reverse_etl.states import Status
from tests.reverse_etl.scene import NOON, Scene, decision
from tests.reverse_etl.vendor import Reply, Vendor


def abandoned() -> str:
    """Return a holder whose process has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    ours = this_holder()
    child.wait()
    return str(Holder(ours.host, child.pid, ours.started, "dead"))


def leave_attempting(scene: Scene, holder: str) -> list[Mapping[str, Any]]:
    """Leave every row like a push that was killed with its calls in flight; return what they say, by ledger id.

    It is of another context than the row's: what is made anew would look otherwise.
    """
    scene.push(destinations=Configured(()))
    ledger = scene.open()
    with ledger.write() as connection:
        rows = load(connection, range(1, 100)).values()
        made_by = {one.name: one for one in scene.destinations().ready}
        bodies = [
            made_by[row.destination].body(replace(row, context={"cart_total": 99.5}), ["email"])
            for row in rows
        ]
        moves = [
            Move(
                row,
                Status.ATTEMPTING,
                claim=(holder, NOON + LEASE),
                frozen={"channels": ["email"], "body": body},
            )
            for row, body in zip(rows, bodies, strict=True)
        ]
        apply(connection, moves, NOON)
    ledger.close()
    assert all("99.5" in str(body) for body in bodies)
    return bodies


def test_what_died_in_a_call_is_sent_again_only_where_that_is_safe(scene: Scene, vendor: Vendor) -> None:
    """Klaviyo gets the very body that was frozen; AIQ's row is listed and never sent by itself."""
    scene.decide(decision(1), decision(2, destination="klaviyo"))
    _, to_klaviyo = leave_attempting(scene, abandoned())
    lines: list[str] = []
    report = scene.push(on_progress=lines.append)
    assert report.by_destination == {"klaviyo": {"accepted": 1}}
    assert vendor.calls == [to_klaviyo]
    assert scene.report().ambiguous == ["d000001"]
    assert "d000001" in lines[0]
    assert scene.push().by_destination == {}
    assert len(vendor.calls) == 1
    statuses = [(receipt["enrollment_id"], receipt["status"]) for receipt in scene.receipts()]
    assert sorted(statuses) == [
        ("d000001", "ambiguous"),
        ("d000002", "accepted"),
        ("d000002", "ambiguous"),
    ]


def test_an_unknown_outcome_is_not_sent_again_to_someone_who_left(scene: Scene, vendor: Vendor) -> None:
    """It stays ambiguous: expired or exited would claim that nothing was sent."""
    scene.decide(decision(1, destination="klaviyo"), decision(2, destination="klaviyo"))
    _, hers_who_stayed = leave_attempting(scene, abandoned())
    scene.land(
        "messaging/feedback",
        {"type": "unsubscribed", "channel": "email", "address": "ann1@example.com"},
    )
    scene.push()
    assert vendor.calls == [hers_who_stayed]
    assert scene.report().counts == {"klaviyo": {"accepted": 1, "ambiguous": 1}}


def test_a_living_push_keeps_its_rows(scene: Scene, vendor: Vendor) -> None:
    """Another one neither sends them nor calls them ambiguous, until the lease has ended."""
    scene.decide(decision(1, expires_at=None))
    holder = str(this_holder())
    leave_attempting(scene, holder)
    assert scene.push().by_destination == {"aiq": {"pending": 1}}
    scene.clock.advance(seconds=LEASE.total_seconds() + 1)
    scene.push()
    assert vendor.calls == []
    assert scene.report().ambiguous == ["d000001"]


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    """A number that is used again is another process; another host's can't be judged from here."""
    ours = this_holder()
    assert not is_dead(str(ours))
    assert is_dead(str(Holder(ours.host, ours.pid, "1", "x")))
    assert is_dead(abandoned())
    assert not is_dead(str(Holder("elsewhere", 1, "1", "x")))
    assert ours.pid == os.getpid()
    assert this_holder().token != ours.token


def test_a_zombie_is_dead() -> None:
    """A killed process whose parent has not looked yet still has its number."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    stat = Path(f"/proc/{child.pid}/stat")
    if not stat.exists():
        pytest.skip("needs /proc")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    started = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    assert is_dead(str(Holder(this_holder().host, child.pid, started, "x")))
    child.wait()


def test_two_claims_never_share_a_row_or_split_a_person(scene: Scene) -> None:
    """The second gets what the first left, but nothing of a person whose earlier row is taken."""
    scene.decide(*(decision(number, customer_id=f"c_{number % 5}") for number in range(20)))
    scene.push(destinations=Configured(()))
    ledger = scene.open()
    claims = []
    for holder in ("one", "two"):
        with ledger.write() as connection:
            claims.append(
                claim(connection, "aiq", holder=holder, now=NOON, limit=8, resend=False),
            )
    assert [len(rows) for rows in claims] == [8, 0]
    with ledger.write() as connection:
        release(connection, "one", NOON)
    with ledger.write() as connection:
        assert len(claim(connection, "aiq", holder="two", now=NOON, limit=50, resend=False)) == 20
    ledger.close()


def test_a_claim_of_the_dead_is_free_at_once_and_pending_stays_pending(scene: Scene) -> None:
    """Nothing was called, so nothing is in doubt."""
    scene.decide(decision(1))
    scene.push(destinations=Configured(()))
    ledger = scene.open()
    with ledger.write() as connection:
        connection.execute(update(enrollments).values(claimed_by=abandoned(), claimed_until=NOON + LEASE))
        assert reap(connection, "aiq", NOON) == []
    with ledger.write() as connection:
        assert len(claim(connection, "aiq", holder="two", now=NOON, limit=50, resend=False)) == 1
    ledger.close()


@pytest.mark.parametrize("place", ["receipts_planned", "receipts_landed"])
def test_receipts_land_once_wherever_the_landing_is_killed(scene: Scene, place: str) -> None:
    """Planned but not landed, landed but not marked: the next landing ends with the same batch."""
    scene.decide(*(decision(number, expires_at=(NOON - timedelta(1)).isoformat()) for number in range(5)))
    program = (
        "import sys; from pathlib import Path; from tests.reverse_etl.scene import Scene; "
        "Scene(Path(sys.argv[1])).push()"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(scene.home)],
        env={**os.environ, "PERENNIAL_CRASH_AT": f"{place}:2" if place == "receipts_planned" else place},
        check=False,
    )
    assert killed.returncode == 137
    scene.push()
    assert [receipt["receipt_no"] for receipt in scene.receipts()] == [1, 2, 3, 4, 5]
    ledger = scene.open()
    assert land_receipts(ledger, scene.log) == 0
    ledger.close()


def test_a_clock_that_jumps_ahead_during_a_call_sends_nothing_twice(scene: Scene, vendor: Vendor) -> None:
    """Another push takes the claim for ended and the outcome for unknown; the answer that comes says what it was."""
    other = threading.Thread(target=scene.push)

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number > 1:
            return Reply()
        scene.clock.advance(hours=1)
        other.start()
        return Reply(delay=2)

    vendor.script = script
    scene.decide(*(decision(number, expires_at=None, not_before=None) for number in range(1, 6)))
    scene.push()
    other.join()
    scene.push()
    assert sorted(call["event"]["enrollment_id"] for call in vendor.calls) == [
        f"d{n:06d}" for n in range(1, 6)
    ]
    assert scene.report().counts == {"aiq": {"accepted": 5}}


def test_a_clock_that_jumps_back_sends_nothing_twice(scene: Scene, vendor: Vendor) -> None:
    """What was sent stays sent; what is due later waits until then."""
    scene.decide(decision(1, expires_at=None, not_before=None))
    scene.push()
    scene.clock.advance(hours=-3)
    scene.decide(decision(2, expires_at=None), decision(3, expires_at=None, not_before=None))
    scene.push()
    assert [call["event"]["enrollment_id"] for call in vendor.calls] == ["d000001", "d000003"]
    assert scene.report().counts == {"aiq": {"accepted": 2, "pending": 1}}
    scene.clock.advance(hours=3)
    scene.push()
    assert scene.report().counts == {"aiq": {"accepted": 3}}
