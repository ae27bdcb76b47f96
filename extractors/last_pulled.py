"""When each pulled stream was last read to its end, whether or not there was news."""

from datetime import datetime

from extractors.flowhub.state import PullState
from extractors.klaviyo.pulls import STREAM
from extractors.klaviyo.state import KlaviyoState
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings


def last_pulled(settings: Settings) -> dict[str, datetime]:
    """Return by ``source/stream`` when the newest complete pull began; a stream that was never pulled is left out."""
    path = Home(settings.home).extractor_state
    if not path.exists():
        return {}
    with PullState(path, salt_of(settings)) as state:
        found = {f"flowhub/{stream}": at for stream, at in state.last_complete().items()}
    with KlaviyoState(path) as klaviyo:
        at = klaviyo.last_complete()
    return found if at is None else {**found, STREAM: at}
