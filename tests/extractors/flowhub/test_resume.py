"""Ends of the process at the worst places: the next pull goes on and nothing is lost."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping

import pytest

from extractors.flowhub import pulls
from extractors.flowhub.pulls import pull
from extractors.flowhub.run import Run
from extractors.flowhub.state import PullState
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import clock_of
from perennial.crash import EXIT_CODE, VARIABLE
from perennial.errors import PerennialError
from perennial.settings import Settings
from tests.extractors.flowhub.conftest import Pull, payloads, settings_for
from tests.extractors.flowhub.vendor import Vendor
from tests.extractors.pulling import NOW

ORDERS = "/v1/orders/findByLocationId/imp-1"


def _fill(vendor: Vendor) -> None:
    vendor.longest_page = 10
    vendor.orders = [{"id": f"o{number:02}", "voided": False} for number in range(35)]


def _pull_in_a_process(vendor: Vendor, settings: Settings, crash_at: str) -> int:
    environment = {
        **os.environ,
        "PERENNIAL_HOME": str(settings.home),
        "PERENNIAL_CLOCK": "sandbox",
        "FLOWHUB_BASE_URL": vendor.url,
        "FLOWHUB_CLIENT_ID": "client-1",
        "FLOWHUB_API_KEY": "the-secret-key",
        VARIABLE: crash_at,
    }
    code = (
        "from extractors.flowhub.pulls import pull\n"
        "from extractors.landing.log import LandingLog\n"
        "from perennial.clock import clock_of\n"
        "from perennial.settings import load_settings\n"
        "settings = load_settings()\n"
        "pull(settings, LandingLog(settings.landing_url), clock_of(settings), ['orders'], print)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=60)
    return run.returncode


def test_killed_between_landing_and_state_it_goes_on_and_loses_nothing(
    vendor: Vendor, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """The page that landed is the same batch again, and each order is in the log once."""
    _fill(vendor)
    assert _pull_in_a_process(vendor, settings, "flowhub_landed:2") == EXIT_CODE
    assert len(payloads(log, "orders")) == 20
    vendor.requests.clear()
    pulled("orders")
    assert vendor.asked(ORDERS)[0]["page"] == "2"
    assert Counter(json.loads(text)["id"] for text in payloads(log, "orders")) == Counter(
        order["id"] for order in vendor.orders
    )
    assert len({batch.name for batch in log.batches()}) == log.last_seq()


def test_a_change_between_kill_and_resumption_is_not_taken_for_landed(
    vendor: Vendor, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """The page of the killed run comes back with a void on it, which must land."""
    _fill(vendor)
    assert _pull_in_a_process(vendor, settings, "flowhub_landed:2") == EXIT_CODE
    vendor.orders[15]["voided"] = True
    pulled("orders")
    versions = [json.loads(text) for text in payloads(log, "orders")]
    assert [one["voided"] for one in versions if one["id"] == "o15"] == [False, True]
    assert {one["id"] for one in versions} == {order["id"] for order in vendor.orders}


def test_killed_after_the_last_page_the_marker_is_there_once(
    vendor: Vendor, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """The marker lands in the batch of the last page: it can't be there without it, nor without it."""
    _fill(vendor)
    assert _pull_in_a_process(vendor, settings, "flowhub_landed:4") == EXIT_CODE
    assert len(payloads(log, "pulls")) == 1
    pulled("orders")
    markers = [json.loads(text) for text in payloads(log, "pulls")]
    assert [(marker["records"], marker["changed"]) for marker in markers] == [(35, 35), (35, 0)]
    assert len({marker["pull_id"] for marker in markers}) == 2


class _FullDisk(PullState):
    """A state that can't commit a page."""

    def page_landed(self, run: Run, hashes: Mapping[str, str]) -> None:
        """Fail as SQLite does on a full disk."""
        if run.next_page == 3:
            raise PerennialError("the disk is full", "free space")
        super().page_landed(run, hashes)


def test_a_state_that_can_not_be_written_loses_nothing(
    vendor: Vendor, pulled: Pull, log: LandingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch has landed; the state is behind, which is the harmless side."""
    _fill(vendor)
    with monkeypatch.context() as patched:
        patched.setattr(pulls, "PullState", _FullDisk)
        with pytest.raises(PerennialError, match="disk is full"):
            pulled("orders")
    pulled("orders")
    assert sorted(json.loads(text)["id"] for text in payloads(log, "orders")) == [
        order["id"] for order in vendor.orders
    ]


def test_a_locked_state_is_an_error_with_a_fix(
    settings: Settings, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own refusal is told as what to do."""
    monkeypatch.setattr("extractors.state._BUSY_SECONDS", 0.05)
    pulled("orders")
    state = settings.home / "extractors.sqlite"
    holder = sqlite3.connect(state, isolation_level=None)
    holder.execute("pragma locking_mode = exclusive")
    holder.execute("begin exclusive")
    try:
        with pytest.raises(PerennialError, match="SQLITE_BUSY") as caught:
            pulled("orders")
    finally:
        holder.close()
    assert "end what else holds the file" in caught.value.fix


def test_a_lost_state_costs_a_full_read_and_no_data(
    vendor: Vendor, settings: Settings, pulled: Pull, log: LandingLog
) -> None:
    """What landed before lands again under the same source keys, by which models drop it."""
    _fill(vendor)
    pulled("orders")
    for file in settings.home.glob("extractors.sqlite*"):
        file.unlink()
    pulled("orders")
    keys = [row.source_key for row in log.read("flowhub", "orders")]
    assert len(keys) == 70
    assert len(set(keys)) == 35


@pytest.mark.parametrize("how", ["emptied", "moved", "replaced"])
def test_a_state_of_another_log_is_not_believed(
    vendor: Vendor, settings: Settings, pulled: Pull, how: str
) -> None:
    """Where the log was emptied or is another one, what the state calls landed is not there."""
    _fill(vendor)
    pulled("orders")
    elsewhere = str(settings.home / "elsewhere")
    chosen = settings_for(
        settings.home, vendor.url, perennial_landing_url=elsewhere if how == "moved" else None
    )
    if how != "moved":
        (settings.home / "landing").rename(settings.home / "old")
    other = LandingLog(chosen.landing_url)
    if how == "replaced":
        for number in range(9):
            other.append(f"jane/{number}", [Record("jane", "cart_status", None, NOW, "{}")])
    said: list[str] = []
    pull(chosen, other, clock_of(chosen), ["orders"], said.append)
    assert len(payloads(other, "orders")) == 35
    assert any("everything is read again" in text for text in said)
    assert pull(chosen, other, clock_of(chosen), ["orders"], said.append).landed == 0


def test_two_pulls_at_once_take_turns(vendor: Vendor, pulled: Pull, log: LandingLog) -> None:
    """A scheduled and a manual pull do not undo each other's cursor, and no order lands twice."""
    _fill(vendor)
    errors: list[BaseException] = []

    def one() -> None:
        try:
            pulled("orders")
        except BaseException as error:  # noqa: BLE001 - the thread hands it to the test
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(payloads(log, "orders")) == 35
    assert len(payloads(log, "pulls")) == 3
