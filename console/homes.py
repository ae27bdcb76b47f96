"""Which home a command works in."""

from perennial.home import Home, kind_of, open_home
from perennial.settings import Settings


def own_home(settings: Settings) -> Home:
    """Enter the home of the process's own kind: the demo's on the sandbox's clock, a real one on the wall's.

    Raises ``SettingsError`` where the home belongs to the other kind.
    """
    return open_home(settings, "demo" if settings.perennial_clock == "sandbox" else "real")


def home_to_read(settings: Settings) -> Home:
    """Enter a home of either kind, for commands that only read: the demo is there to be looked at."""
    kind = kind_of(settings)
    return open_home(settings, kind) if kind else own_home(settings)
