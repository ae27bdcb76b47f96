"""An account, a home, a clock and a log for the tests of the pull."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extractors.klaviyo.pulls import pull
from extractors.landing.log import LandingLog
from extractors.pulled import StreamReport
from perennial.clock import clock_of, sandbox_clock
from perennial.settings import Settings
from tests.extractors.klaviyo.account import KEY, Account, running
from tests.extractors.pulling import IMPATIENT, NOW, home_settings

Pull = Callable[..., StreamReport]


@pytest.fixture
def account() -> Iterator[Account]:
    """Serve an account without events."""
    with running(Account()) as served:
        yield served


def settings_for(home: Path, url: str, **other: object) -> Settings:
    """Return the settings of a home that pulls from this address."""
    return home_settings(home, {"klaviyo_base_url": url, "omni_klaviyo_api_key": KEY}, other)


@pytest.fixture
def settings(tmp_path: Path, account: Account) -> Settings:
    """Return the settings of a home whose clock stands still."""
    made = settings_for(tmp_path / "home", account.url)
    sandbox_clock(made).set(NOW, running=False)
    return made


@pytest.fixture
def pulled(settings: Settings, log: LandingLog) -> Pull:
    """Return a function that pulls, with little patience."""

    def run(*, others: Settings | None = None, said: list[str] | None = None) -> StreamReport:
        say = said.append if said is not None else lambda _text: None
        chosen = others or settings
        return pull(chosen, log, clock_of(chosen), say, patience=IMPATIENT)

    return run


def payloads(log: LandingLog) -> list[str]:
    """Return the landed payloads, in the order of the log."""
    return [record.payload for record in log.read("omni", "klaviyo_events")]
