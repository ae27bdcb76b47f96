"""The events that partners send under names of their own, from what is published."""

from dataclasses import dataclass
from datetime import datetime

from perennial.home import Home
from perennial.published import rows

MOST = 50  # a sender that puts numbers into its names must not fill the page


@dataclass(frozen=True)
class CustomEvent:
    """A name of one partner, and how often and when it arrived."""

    event_name: str
    partner: str
    events: int
    first_received_at: datetime
    last_received_at: datetime


def custom_events(home: Home) -> list[CustomEvent]:
    """Return the names that arrive most; none before something is published."""
    found = rows(
        home,
        "marts.custom_events",
        "select event_name, partner, events, first_received_at, last_received_at from marts.custom_events"
        " order by events desc, event_name, partner limit ?",
        [MOST],
    )
    return [CustomEvent(**row) for row in found]
