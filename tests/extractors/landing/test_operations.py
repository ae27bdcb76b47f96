"""What an operator did lands once, and says who did what to what."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extractors.landing.log import LandingLog
from extractors.landing.operations import land_operation
from perennial.clock import SandboxClock

_NOW = datetime(2026, 3, 15, 18, tzinfo=UTC)


def _clock(tmp_path: Path) -> SandboxClock:
    clock = SandboxClock(tmp_path / "clock.json")
    clock.set(_NOW, running=False)
    return clock


def test_an_operation_says_what_to_what_when_and_by_whom(tmp_path: Path) -> None:
    """One row with the general shape that models read."""
    log = LandingLog(str(tmp_path / "landing"))
    batch = land_operation(log, _clock(tmp_path), "order_hold", {"order_id": "o 1"}, by="kim", key="o 1/held")
    [row] = log.read("perennial", "operations")
    assert json.loads(row.payload) == {
        "operation": "order_hold",
        "subject": {"order_id": "o 1"},
        "at": "2026-03-15T18:00:00+00:00",
        "by": "kim",
    }
    assert (row.seq, row.received_at, row.source_key) == (batch.seq, _NOW, "order_hold:o 1/held")


def test_a_key_makes_twice_one_and_no_key_makes_two(tmp_path: Path) -> None:
    """A crash between a deed and its word for it is mended by doing it again; two deeds stay two."""
    log, clock = LandingLog(str(tmp_path / "landing")), _clock(tmp_path)
    first = land_operation(log, clock, "order_hold", {"order_id": "1"}, key="1")
    clock.advance(timedelta(minutes=1))
    assert land_operation(log, clock, "order_hold", {"order_id": "1"}, key="1") == first
    assert land_operation(log, clock, "order_release", {"order_id": "1"}, key="1") != first
    land_operation(log, clock, "order_hold", {"order_id": "2"})
    land_operation(log, clock, "order_hold", {"order_id": "2"})
    told = [json.loads(row.payload) for row in log.read("perennial", "operations")]
    assert [one["subject"]["order_id"] for one in told] == ["1", "1", "2", "2"]
    assert all(one["by"] for one in told)
