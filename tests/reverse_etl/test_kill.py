"""Kills at every named place, and anywhere: the vendors' own books say what had an effect."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reverse_etl.destinations.klaviyo import DEFAULT_RATES
from reverse_etl.destinations.registry import SANDBOX_AIQ_RATES
from sandbox.aiq import DEMO_LIMITS
from sandbox.klaviyo.state import EVENTS, LIMITS
from tests.reverse_etl import kills
from tests.reverse_etl.pushing import start_push
from tests.reverse_etl.stage import Stage, set_stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Set a stage with the default ledger."""
    with set_stage(tmp_path) as stage:
        yield stage


@pytest.mark.parametrize(
    "place",
    [
        "exported_not_in_ledger",
        "attempting",
        "attempting:7",
        "answered_not_committed",
        "answered_not_committed:7",
        "committed_not_landed",
        "receipts_planned:2",
        "receipts_landed",
    ],
)
def test_a_push_that_dies_at_a_named_place_is_made_good_by_the_next(stage: Stage, place: str) -> None:
    """Exactly one effect at Klaviyo; at most one at AIQ, with the open one listed; nothing lost."""
    stage.decide(24)
    assert stage.push(crash_at=place) == 137
    assert stage.push() == 0
    stage.check(24, kills=1)
    calls = sum(stage.vendors.received.outcomes("aiq").values())
    assert stage.push() == 0
    stage.check(24, kills=1)
    assert sum(stage.vendors.received.outcomes("aiq").values()) == calls
    if place in {"exported_not_in_ledger", "committed_not_landed"}:
        assert stage.scene.report().ambiguous == [], "nothing was in flight"


def test_whoever_is_killed_what_was_decided_is_sent_once(tmp_path: Path) -> None:
    """Push, vendor and the ledger's database, at each named place and anywhere; more often as a benchmark."""
    found = kills.run(tmp_path / "home", kills=12, least=1, seed=20260315)
    sys.stdout.write(f"{found}\n")
    assert found.problems == []
    assert found.kills.total() >= 9
    assert found.ambiguous or found.repeats_dropped, "some kill hit a call: else this test proves nothing"


def test_two_pushes_at_once_send_nothing_twice(stage: Stage) -> None:
    """They share the rows between them, and each person's order is kept."""
    stage.decide(240)
    pushes = [start_push(stage.environment) for _ in range(2)]
    for process in pushes:
        process.join(120)
    assert [process.exitcode for process in pushes] == [0, 0]
    assert stage.push() == 0  # rows of a person that the other one held, when this one had nothing else left
    stage.check(240, kills=0)
    assert set(stage.vendors.received.outcomes("klaviyo")) == {"accepted"}, "nothing came twice"
    stage.check_order()


def test_the_sandbox_s_limits_are_the_ones_we_keep() -> None:
    """So a demo's push neither crawls nor runs into 429."""
    assert [rate.limit for rate in SANDBOX_AIQ_RATES] == list(DEMO_LIMITS.values())
    assert tuple(rate.limit for rate in DEFAULT_RATES) == LIMITS[EVENTS]
