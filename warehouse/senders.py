"""Which sources can tell of anything: those that are connected."""

from perennial.settings import Settings
from perennial.streams import is_expected, of_source


def is_connected(source: str, settings: Settings) -> bool:
    """Return whether a source of the taxonomy is connected; what the warehouse itself derives always comes."""
    return source == "perennial" or any(is_expected(stream, settings) for stream in of_source(source))
