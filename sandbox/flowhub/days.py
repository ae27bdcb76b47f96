"""The API's date parameters: days, of which zone is a switch."""

import re
from datetime import UTC, date, datetime, time, timedelta

from sandbox.world.ids import to_us
from sandbox.world.orders import NEVER
from sandbox.world.spec import STORE_ZONE

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadDateError(ValueError):
    """A date parameter is not a day; the API answers 404 with this text."""

    def __init__(self, name: str) -> None:
        """Name the parameter."""
        super().__init__(f"{name} must be in format yyyy-mm-dd")


def day_range(name: str, after: str | None, before: str | None, zone: str) -> tuple[int, int]:
    """Return the half-open range of instants, in microseconds, of ``<name>_after`` and ``<name>_before``.

    Both days are included, as the callers that ask for one day by naming it twice expect.
    """
    start = _midnight(f"{name}_after", after, zone) if after else -NEVER
    end = _midnight(f"{name}_before", before, zone, days=1) if before else NEVER
    return start, end


def _midnight(name: str, text: str, zone: str, days: int = 0) -> int:
    if not _DAY.fullmatch(text):
        raise BadDateError(name)
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except ValueError:
        raise BadDateError(name) from None
    return to_us(datetime.combine(day, time(), UTC if zone == "utc" else STORE_ZONE))
