"""What has landed, looked at again only when the last look is old enough to matter."""

import time
from collections.abc import Callable

_SECONDS = 0.2  # how old anybody's knowledge of the landing log may be when a call begins


class Fresh:
    """Looks before each call that asks for it, and at the log once for many of them; one that failed is tried again."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._looked_at = float("-inf")

    def catch_up(self) -> None:
        """Look, unless somebody has just done so."""
        if time.monotonic() - self._looked_at >= _SECONDS:
            began = time.monotonic()  # what lands during the look may be missed by it
            self._look()
            self._looked_at = began
