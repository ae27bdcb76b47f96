"""The push as a whole: order, limits, and what it tells."""

import asyncio
import logging
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyrate_limiter import Duration, Rate

from perennial.errors import SettingsError
from reverse_etl.destinations import http
from reverse_etl.destinations.base import Limit
from reverse_etl.destinations.registry import Configured, destinations_for
from reverse_etl.push import push
from reverse_etl.rate import pacer_of
from tests.reverse_etl.scene import NOON, Scene, decision, settings_for
from tests.reverse_etl.vendor import Reply, Vendor


def test_the_second_push_sends_nothing(scene: Scene, vendor: Vendor) -> None:
    """Everything was accepted; the report of the second is empty."""
    scene.decide(*(decision(number, destination=("aiq", "klaviyo")[number % 2]) for number in range(60)))
    first = scene.push()
    assert first.by_destination == {"aiq": {"accepted": 30}, "klaviyo": {"accepted": 30}}
    assert (first.taken_in, first.sent, first.receipts_landed) == (60, 60, 60)
    second = scene.push()
    assert (second.taken_in, second.sent, second.by_destination, second.receipts_landed) == (0, 0, {}, 0)
    assert len(vendor.calls) == 31  # AIQ takes one a call, Klaviyo all in a job


def test_each_person_s_order_is_kept_while_calls_overlap(scene: Scene, vendor: Vendor) -> None:
    """Ten people with six rows each, answers of uneven speed, some refused for now."""
    scene.patience = replace(scene.patience, tries=10)

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number % 7 == 0:
            return Reply(429, headers={"Retry-After": "0"})
        return Reply(delay=0.01 * (number % 3))

    vendor.script = script
    scene.decide(
        *(decision(number, destination="klaviyo", customer_id=f"c_{number % 10}") for number in range(60))
    )
    assert scene.push().by_destination == {"klaviyo": {"accepted": 60}}
    assert vendor.most_in_flight > 1
    kept = defaultdict(list)
    for event in vendor.kept:
        attributes = event["data"]["attributes"]
        kept[attributes["profile"]["data"]["attributes"]["external_id"]].append(attributes["unique_id"])
    assert all(ids == sorted(ids) for ids in kept.values())


def test_later_rows_of_a_person_do_not_overtake_one_that_waits(scene: Scene, vendor: Vendor) -> None:
    """Where the first can't get through, the others wait with it."""
    vendor.script = lambda _number, body: Reply(
        500 if body["data"]["attributes"]["unique_id"] == "d000001" else 202
    )
    scene.decide(*(decision(number, destination="klaviyo", customer_id="c_1") for number in (1, 2, 3)))
    assert scene.push().by_destination == {"klaviyo": {"ambiguous": 1, "pending": 2}}
    vendor.script = lambda _number, _body: Reply()
    assert scene.push().by_destination == {"klaviyo": {"accepted": 3}}
    assert [event["data"]["attributes"]["unique_id"] for event in vendor.kept] == [
        "d000001",
        "d000002",
        "d000003",
    ]


def test_what_lands_during_the_push_is_sent_in_it(scene: Scene, vendor: Vendor) -> None:
    """The hot lane need not wait for a second push."""

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number == 1:
            scene.decide(decision(2))
            time.sleep(0.3)
        return Reply()

    vendor.script = script
    scene.decide(decision(1), decision(3))
    assert scene.push().by_destination == {"aiq": {"accepted": 3}}


def test_limits_are_kept_before_the_vendor_says_so(scene: Scene, vendor: Vendor) -> None:
    """Burst and steady rate together, over two pushes of one process."""
    times: list[float] = []

    def script(_number: int, _body: dict[str, Any]) -> Reply:
        times.append(time.monotonic())
        return Reply()

    vendor.script = script
    scene.rates = (Rate(5, Duration.SECOND), Rate(12, 3 * Duration.SECOND))
    scene.decide(*(decision(number) for number in range(10)))
    scene.push()
    scene.decide(*(decision(number) for number in range(10, 16)))
    scene.push()
    assert len(times) == 16
    slack = 0.5  # a busy machine delivers calls unevenly; without limits all of them take less than that
    assert all(times[place + 5] - times[place] > 1 - slack for place in range(11))
    assert all(times[place + 12] - times[place] > 3 - slack for place in range(4))


def test_a_limit_is_used_to_the_full() -> None:
    """Fifty permits at 100 a second beyond the first hundred take half a second, not more."""

    async def take() -> float:
        pacer = pacer_of(f"account {time.monotonic()}", Limit("calls", (Rate(100, Duration.SECOND),)))
        started = time.monotonic()
        await asyncio.gather(*(pacer.permit() for _ in range(300)))
        return time.monotonic() - started

    assert 1.9 < asyncio.run(take()) < 10  # the upper bound for a machine that is busy otherwise


def test_a_permit_that_is_too_far_away_is_not_waited_for() -> None:
    """The caller can leave the rest to a later push."""

    async def take() -> list[bool]:
        pacer = pacer_of(f"account {time.monotonic()}", Limit("calls", (Rate(1, Duration.HOUR),)))
        return [await pacer.permit(patience=0.1) for _ in range(2)]

    assert asyncio.run(take()) == [True, False]


def test_receipts_land_while_a_long_push_goes_on(scene: Scene, vendor: Vendor) -> None:
    """The warehouse learns of acceptances every second, not at the end."""
    vendor.script = lambda _number, _body: Reply(delay=0.4)
    scene.decide(*(decision(number, customer_id="c_1") for number in range(6)))
    pushing = threading.Thread(target=scene.push)
    pushing.start()
    deadline = time.monotonic() + 20
    while not scene.receipts() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pushing.is_alive()
    assert 0 < len(scene.receipts()) < 6
    pushing.join()
    assert len(scene.receipts()) == 6


def test_settings_lead_to_the_destinations(
    scene: Scene, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    """The entry that the command line uses; and no log line, at any level, holds an address or a body."""
    caplog.set_level(logging.DEBUG)
    vendor.script = lambda number, _body: Reply((429, 400, 200)[number % 3])
    scene.decide(decision(1), decision(2), decision(3, destination="klaviyo"))
    ours = settings_for(scene, perennial_clock="sandbox")
    (scene.home / "sandbox").mkdir()
    (scene.home / "sandbox" / "clock.json").write_text(
        f'{{"instant": "{NOON.isoformat()}", "set_at": "{NOON.isoformat()}", "running": false}}',
        encoding="utf-8",
    )
    report = push(ours)
    assert report.taken_in == 3
    assert report.sent == 3
    shown = caplog.text
    for secret in ("@example.com", "+1303555", "fh-1", "cart_total", "aiq-key", "klaviyo-key"):
        assert secret not in shown


def test_a_destination_without_credentials_is_named_when_something_waits_for_it(scene: Scene) -> None:
    """Its rows wait, the others are sent."""
    configured = destinations_for(settings_for(scene, klaviyo_api_key=None, aiq_integrator_slug=None))
    assert configured.ready == ()
    scene.decide(decision(1), decision(2, destination="klaviyo"))
    report = scene.push(destinations=configured)
    assert report.by_destination == {"aiq": {"pending": 1}, "klaviyo": {"pending": 1}}
    assert "AIQ_INTEGRATOR_SLUG is not set" in report.stopped["aiq"]
    assert "KLAVIYO_API_KEY is not set" in report.stopped["klaviyo"]


def test_only_the_destinations_that_were_named(scene: Scene) -> None:
    """A name that doesn't exist is an error before anything is sent."""
    configured = destinations_for(settings_for(scene), ["klaviyo"])
    assert [destination.name for destination in configured.ready] == ["klaviyo"]
    with pytest.raises(SettingsError, match=r"no destination sendgrid(.|\n)*aiq, csv, flowhub"):
        destinations_for(settings_for(scene), ["sendgrid"])


def test_an_enrollment_s_repr_shows_its_id_only(scene: Scene) -> None:
    """It ends up in tracebacks."""
    from reverse_etl.ledger.rows import load  # noqa: PLC0415

    scene.decide(decision(1))
    scene.push(destinations=Configured(()))
    ledger = scene.open()
    with ledger.write() as connection:
        assert repr(load(connection, [1])) == "{1: Enrollment(d000001)}"
    ledger.close()


def test_a_home_without_decisions_is_fine(tmp_path: Path) -> None:
    """The first push of a new installation."""
    report = Scene(tmp_path).push()
    assert (report.taken_in, report.by_destination, report.stopped) == (0, {}, {})


def test_a_push_that_is_told_to_stop_finishes_its_calls(scene: Scene, vendor: Vendor) -> None:
    """What is in flight is recorded, nothing else is begun, nothing is ambiguous."""
    stop = threading.Event()

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number == 6:
            stop.set()
        return Reply(delay=0.3)

    vendor.script = script
    scene.decide(*(decision(number) for number in range(60)))
    report = scene.push(stop=stop)
    accepted = report.by_destination["aiq"]["accepted"]
    assert accepted == len(vendor.calls) < 20
    assert report.by_destination["aiq"] == {"accepted": accepted, "pending": 60 - accepted}
    assert "told to stop" in report.stopped["aiq"]


def test_an_interrupted_push_finishes_its_calls(tmp_path: Path, vendor: Vendor) -> None:
    """Ctrl-C in the middle: every answer is recorded, so nothing of AIQ's is ambiguous."""
    scene = Scene(tmp_path, aiq_url=vendor.url)
    scene.decide(*(decision(number) for number in range(60)))
    program = (
        "import signal, sys; from pathlib import Path; from tests.reverse_etl.scene import Scene; "
        # a shell may have it ignored in what it starts aside
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "Scene(Path(sys.argv[1]), aiq_url=sys.argv[2]).push()"
    )
    vendor.script = lambda _number, _body: Reply(delay=0.3)
    pushing = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), vendor.url], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while len(vendor.calls) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    pushing.send_signal(signal.SIGINT)
    assert pushing.wait(30) != 0
    counts = scene.report().counts["aiq"]
    assert counts == {"accepted": len(vendor.kept), "pending": 60 - len(vendor.kept)}


def test_a_row_that_becomes_due_during_a_long_push_is_sent_in_it(scene: Scene, vendor: Vendor) -> None:
    """Even when newer ones keep coming."""

    def script(number: int, _body: dict[str, Any]) -> Reply:
        if number == 1:
            scene.clock.advance(minutes=5)
            scene.decide(decision(3))
            time.sleep(0.3)
        return Reply()

    vendor.script = script
    scene.decide(decision(1, not_before=(NOON + timedelta(minutes=5)).isoformat()), decision(2))
    assert scene.push().by_destination == {"aiq": {"accepted": 3}}


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(202, b"no gzip", {"content-encoding": "gzip"}), "ambiguous"),
        (Reply(400, b'{"a":' * 100_000), "rejected"),
    ],
    ids=["can't be unpacked", "nested without end"],
)
def test_an_answer_that_cannot_be_read_is_an_outcome(
    scene: Scene, vendor: Vendor, reply: Reply, outcome: str
) -> None:
    """It ended the whole push, and each one after it at the same row."""
    vendor.script = lambda _number, _body: reply
    scene.decide(decision(1))
    assert scene.push().by_destination == {"aiq": {outcome: 1}}


def test_a_call_ends_even_where_the_vendor_does_not(
    scene: Scene, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps it open: its outcome is unknown then, and the push goes on."""
    monkeypatch.setattr(http, "_LONGEST_SECONDS", 0.2)
    vendor.script = lambda number, _body: Reply(delay=1.0 if number == 1 else 0)
    scene.decide(decision(1), decision(2, customer_id="c_1"))
    assert scene.push().by_destination == {"aiq": {"accepted": 1, "ambiguous": 1}}
