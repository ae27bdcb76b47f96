"""Limits that several pushes share, and limits that nobody told us."""

import asyncio
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from pyrate_limiter import Duration, Rate

from perennial.errors import PerennialError
from perennial.salt import Salt
from reverse_etl.destinations.base import Limit
from reverse_etl.ledger.store import LedgerError, open_ledger
from reverse_etl.rate import pacer_of
from tests.reverse_etl.scene import Scene, decision
from tests.reverse_etl.vendor import Reply, Vendor

LIMIT = Limit("calls", (Rate(20, Duration.SECOND), Rate(30, Duration.MINUTE)))


def take(folder: Path) -> int:
    """Take what permits there are within a second and a half."""

    async def all_there_are() -> int:
        pacer = pacer_of("account", LIMIT, folder)
        taken = 0
        while await pacer.permit(patience=1.5):
            taken += 1
        return taken

    return asyncio.run(all_there_are())


def test_processes_share_one_limit(tmp_path: Path) -> None:
    """Three of them get as many permits as one would."""
    with get_context("spawn").Pool(3) as pool:
        taken = pool.map(take, [tmp_path] * 3)
    assert sum(taken) == 30
    assert take(tmp_path) == 0, "nor does a later one get more"


def test_another_account_has_a_limit_of_its_own(tmp_path: Path) -> None:
    """And so has another kind of call."""

    async def one(account: str, name: str) -> bool:
        limit = Limit(name, (Rate(1, Duration.HOUR),))
        return await pacer_of(account, limit, tmp_path).permit(patience=0.1)

    keys = [("a", "calls"), ("b", "calls"), ("a", "bulk"), ("a", "calls")]
    assert [asyncio.run(one(*key)) for key in keys] == [True, True, True, False]


def test_a_limit_that_nobody_told_us_is_found(scene: Scene, vendor: Vendor) -> None:
    """A vendor that takes a call each 30 ms, and never says how long to wait, is soon called at that pace."""
    last = 0.0
    refused: list[int] = []

    def script(number: int, _body: dict[str, Any]) -> Reply:
        nonlocal last
        now = time.monotonic()
        if now - last < 0.03:
            refused.append(number)
            return Reply(429)
        last = now
        return Reply()

    vendor.script = script
    scene.decide(*(decision(number) for number in range(60)))
    for _ in range(20):
        if "pending" not in scene.push().by_destination.get("aiq", {}):
            break
    assert scene.report().counts == {"aiq": {"accepted": 60}}
    calls = len(vendor.calls)
    early = sum(number <= calls // 2 for number in refused)
    assert len(refused) - early <= early, "fewer in the second half"


def test_a_pause_that_a_vendor_asked_for_holds_for_later_pushes(
    scene: Scene, vendor: Vendor, tmp_path: Path
) -> None:
    """A worker pushes every five seconds: without a memory it would ask a vendor 720 times an hour that said one."""
    vendor.script = lambda _number, _body: Reply(429, headers={"retry-after": "3600"})
    scene.decide(decision(1))
    assert "3600" in scene.push(rates=tmp_path).stopped["aiq"]
    vendor.script = lambda _number, _body: Reply()
    assert "it asked for a pause" in scene.push(rates=tmp_path).stopped["aiq"]
    assert len(vendor.calls) == 1
    for file in tmp_path.glob("*.pause"):
        file.write_text("soon", encoding="ascii")
    assert scene.push(rates=tmp_path).by_destination == {"aiq": {"accepted": 1}}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """An operator reads which one, and not a traceback."""
    (tmp_path / "rates").write_text("no folder", encoding="utf-8")
    with pytest.raises(PerennialError, match="rates"):
        pacer_of("account", Limit("calls", (Rate(1, Duration.HOUR),)), tmp_path / "rates")
    with pytest.raises(LedgerError, match="PERENNIAL_LEDGER_URL"):
        open_ledger(f"sqlite:///{tmp_path / 'rates' / 'ledger.sqlite'}", Salt("a"))
