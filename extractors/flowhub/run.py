"""A run: one walk through all pages of one window, of one stream at one location."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Stream = Literal["locations", "inventory", "customers", "orders"]
EVERYWHERE = ""  # the location of a run over all locations at once


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has to remember, so that it goes on in the middle of its pages after any end of the process.

    ``records`` counts those seen and ``changed`` those landed; ``total`` is what the vendor said last;
    ``page_length`` is how many records a full page really holds, which may be fewer than asked for.
    """

    pull_id: str
    stream: Stream
    location_id: str
    started_at: datetime
    window_after: date | None = None
    window_before: date | None = None
    next_page: int = 1
    records: int = 0
    changed: int = 0
    total: int | None = None
    page_length: int = 0
    last_digest: str = ""
