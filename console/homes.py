"""Which home a command works in."""

from perennial.home import Home, open_home
from perennial.settings import Settings


def own_home(settings: Settings) -> Home:
    """Enter the home of the process's own kind: the demo's on the sandbox's clock, a real one on the wall's.

    Raises ``SettingsError`` where the home belongs to the other kind.
    """
    return open_home(settings, "demo" if settings.perennial_clock == "sandbox" else "real")
