"""Which sources can tell of anything: those that are connected."""

from collections.abc import Iterable, Mapping

from extractors.receiver.taxonomy import EventType
from perennial.settings import Settings
from perennial.streams import is_expected, of_source


def missing_senders(events: Iterable[str], types: Mapping[str, EventType], settings: Settings) -> set[str]:
    """Return the sources that could send one of the events, where none of them is connected; none where one is.

    What the warehouse itself derives comes where one is connected that tells what it is made of.
    """
    senders = {source for event in events for source in _senders(types[event])}
    return set() if any(_is_connected(source, settings) for source in senders) else senders


def _senders(event: EventType) -> set[str]:
    senders = set(event.available_from) | set(event.derived_from)
    return senders - {"perennial"} if event.derived_from else senders


def _is_connected(source: str, settings: Settings) -> bool:
    return source == "perennial" or any(is_expected(stream, settings) for stream in of_source(source))
