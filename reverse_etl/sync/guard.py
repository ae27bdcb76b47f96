"""The guard of a mirrored list: what is out of bounds is not done before somebody has looked."""

from collections.abc import Callable

from sqlalchemy import Connection

from reverse_etl.sync.mirror import Change

Guard = Callable[[Connection, Change], str | None]
"""Says why a change is to be held; None where it may be made. Asked in the transaction that notes the hold."""

_FEW = 50  # so many may come or go whatever share of the list they are
_MOST_REMOVED = 0.20
_MOST_ADDED_AT_FIRST = 0.50


def usual_bounds(_connection: Connection, change: Change) -> str | None:
    """Hold what takes more than a fifth off a list, and a first filling with more than half of all people.

    A share that can't be computed is out of bounds.
    """
    if change.removals > _FEW and change.removals > _MOST_REMOVED * change.there:
        return f"{change.removals} of {change.there} members would be taken off"
    is_first = change.there == 0
    if is_first and change.adds > _FEW and change.adds > _MOST_ADDED_AT_FIRST * change.people:
        return f"{change.adds} of {change.people} people would be put on it at once"
    return None
