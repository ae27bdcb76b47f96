"""What ``perennial status`` says of sources: the same words, at the same silence, as Dagster's freshness."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from extractors.flowhub.run import EVERYWHERE, Run
from extractors.flowhub.state import PullState
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import sandbox_clock
from perennial.home import Home
from perennial.salt import salt_of
from tests.console.test_cli import perennial
from tests.scene import settings_in

NOW = datetime(2026, 3, 15, 18, tzinfo=UTC)
ON = {
    "PERENNIAL_CLOCK": "sandbox",
    "FLOWHUB_ENABLED": "true",
    "JANE_ENABLED": "true",
    "SHOPIFY_CLIENT_SECRET": "made-up",
}
LANDED = {
    "flowhub/orders": timedelta(hours=9),
    "flowhub/customers": timedelta(hours=3),
    "jane/cart_status": timedelta(hours=2),
    "jane/cart_abandoned": timedelta(minutes=10),
    "shopify/webhooks": timedelta(hours=7),
    "partners/events": timedelta(days=2),
}


def test_each_stream_has_its_own_patience_and_a_pull_without_news_is_heard_of(tmp_path: Path) -> None:
    """A store without an order since nine hours is not stale while it is pulled; what is off never is."""
    settings = settings_in(tmp_path)
    clock = sandbox_clock(settings)
    log = LandingLog(settings.landing_url, clock)
    for stream, ago in sorted(LANDED.items(), key=lambda landed: -landed[1]):
        clock.set(NOW - ago, running=False)
        source, _, name = stream.partition("/")
        log.append(f"case/{name}", [Record(source, name, "1", clock.now(), "{}")])
    clock.set(NOW, running=False)
    with PullState(Home(tmp_path).extractor_state, salt_of(settings)) as state:
        for run in (
            Run("1", "orders", EVERYWHERE, NOW - timedelta(minutes=3)),
            Run("2", "locations", EVERYWHERE, NOW - timedelta(hours=27)),
        ):
            state.complete(run, {}, sweep=True)
    shown = perennial("status", home=tmp_path, settings=ON)
    assert shown.returncode == 0, shown.stderr
    lines = (line.split() for line in shown.stdout.splitlines() if "/" in line and line[0] != "/")
    states = {words[0]: words[-1] for words in lines if len(words) > 1}
    assert states == {
        "flowhub/customers": "stale",
        "flowhub/inventory": "yet",
        "flowhub/locations": "late",
        "flowhub/orders": "09:00:00",
        "flowhub/pulls": "yet",
        "jane/cart_abandoned": "17:50:00",
        "jane/cart_status": "late",
        "partners/events": "off",
        "shopify/webhooks": "stale",
    }
    assert "Flowhub brings nothing new" in shown.stdout
