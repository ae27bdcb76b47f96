"""Which world is made: its size, its seed and the window of 2017 that is replayed."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

GENERATOR_VERSION = 4
"""Raised with every change of what is made, so that a cached world of older code is not served."""

STORE_ZONE = ZoneInfo("America/Denver")
YEAR_START = datetime(2017, 1, 1, 7, tzinfo=UTC)
YEAR_END = datetime(2018, 1, 1, 7, tzinfo=UTC)

DEMO_WINDOW_START = datetime(2017, 6, 10, 16, tzinfo=UTC)
"""A Saturday, 10:00 in Denver: stores are open and quiet hours are far."""
DEMO_WINDOW_END = DEMO_WINDOW_START + timedelta(hours=8)


@dataclass(frozen=True)
class WorldSpec:
    """A world: the same values make the same world, byte by byte.

    ``households`` limits how many of the 2,469 households exist (None: all); ``scale`` clones each of them
    with new people, e-mails and ids. ``webhook_days`` is how long before the window the shop had its webhooks
    and its storefront connected: what happened earlier is in Flowhub only.
    """

    window_start: datetime = DEMO_WINDOW_START
    window_hours: int = 8
    history_days: int = 56
    following_days: int = 2
    webhook_days: int = 5
    households: int | None = None
    scale: int = 1
    seed: int = 20170610

    def __post_init__(self) -> None:
        """Refuse a window that the year doesn't hold."""
        if not YEAR_START <= self.window_start < YEAR_END:
            raise ValueError("window_start: must lie in 2017, the year of The Complete Journey")
        if self.scale < 1 or (self.households is not None and self.households < 1):
            raise ValueError("scale and households: must be at least 1")

    @property
    def window_end(self) -> datetime:
        """The end of the replayed window."""
        return self.window_start + timedelta(hours=self.window_hours)

    @property
    def history_start(self) -> datetime:
        """Midnight at the store on the first day that Flowhub has orders of."""
        local = self.window_start.astimezone(STORE_ZONE) - timedelta(days=self.history_days)
        return max(YEAR_START, local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC))

    @property
    def webhooks_since(self) -> datetime:
        """When Jane, the storefront and the greeter were connected."""
        return max(self.history_start, self.window_start - timedelta(days=self.webhook_days))

    @property
    def horizon(self) -> datetime:
        """The end of the world: nothing happens later."""
        return min(YEAR_END, self.window_end + timedelta(days=self.following_days))

    @property
    def key(self) -> str:
        """Names the cached world that these values make."""
        values = json.dumps([GENERATOR_VERSION, asdict(self)], default=str, sort_keys=True)
        return hashlib.blake2b(values.encode(), digest_size=8).hexdigest()


def spec_from_json(text: str) -> WorldSpec:
    """Read what :func:`spec_to_json` wrote."""
    values = json.loads(text)
    values["window_start"] = datetime.fromisoformat(values["window_start"])
    return WorldSpec(**values)


def spec_to_json(spec: WorldSpec) -> str:
    """Write a spec so that another process can read it."""
    values = asdict(spec)
    values["window_start"] = spec.window_start.isoformat()
    return json.dumps(values)
