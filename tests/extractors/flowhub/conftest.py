"""A vendor, a home, a clock and a log for the tests of the pull."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from extractors.flowhub.pulls import pull
from extractors.flowhub.report import PullReport
from extractors.flowhub.run import Stream
from extractors.landing.log import LandingLog
from perennial.clock import clock_of, sandbox_clock
from perennial.settings import Settings
from tests.extractors.flowhub.vendor import Vendor, running
from tests.extractors.pulling import IMPATIENT, NOW, home_settings

Pull = Callable[..., PullReport]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """Serve a vendor with one location and nothing else."""
    with running(Vendor()) as served:
        yield served


def settings_for(home: Path, url: str, **other: object) -> Settings:
    """Return the settings of a home that pulls from this address."""
    defaults = {"flowhub_base_url": url, "flowhub_client_id": "client-1", "flowhub_api_key": "the-secret-key"}
    return home_settings(home, defaults, other)


@pytest.fixture
def settings(tmp_path: Path, vendor: Vendor) -> Settings:
    """Return the settings of a home whose clock stands still."""
    made = settings_for(tmp_path / "home", vendor.url)
    sandbox_clock(made).set(NOW, running=False)
    return made


@pytest.fixture
def pulled(settings: Settings, log: LandingLog) -> Pull:
    """Return a function that pulls the streams it is told, with little patience."""

    def run(*streams: Stream, others: Settings | None = None, said: list[str] | None = None) -> PullReport:
        say = said.append if said is not None else lambda _text: None
        chosen = others or settings
        return pull(chosen, log, clock_of(chosen), streams, say, patience=IMPATIENT)

    return run


def payloads(log: LandingLog, stream: str) -> Sequence[str]:
    """Return the payloads of a stream, in the order of the log."""
    return [record.payload for record in log.read("flowhub", stream)]
