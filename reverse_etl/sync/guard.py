"""The guard of a mirrored list: what is out of bounds is held until a person has looked (``perennial holds``).

A hold is about one change: these members to be put on, these to be taken off. Released, just that is done; when the
change has become another one, it is judged anew. Canceled, nothing is done while it stays the same. The bounds are
those of ``mirror`` (or ``list:ID``) in the seed ``send_guards``.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, select, update

from reverse_etl.bounds import MIRROR, Bounds, Rules, Trip, too_many_removed
from reverse_etl.holds import Hold, make, name_of
from reverse_etl.ledger.tables import holds
from reverse_etl.sync import book
from reverse_etl.sync.mirror import Change

Guard = Callable[[Connection, Change, datetime], str | None]
"""Says why a change is to be held; None where it may be made. Asked in the transaction that notes the hold."""

_RELEASED, _CANCELED = "released", "canceled"
_NO_LONGER = "the sync: it is within its bounds by now"


def guard_of(rules: Rules) -> Guard:
    """Return the guard that keeps an installation's bounds."""

    def guard(connection: Connection, change: Change, now: datetime) -> str | None:
        bounds = rules.of(MIRROR, change.mirror.target)
        trip = None if bounds is None else _trip(bounds, change)
        if trip is None:
            _end_others(connection, change, "", now)
            return None
        mirror = change.mirror
        hold_id = name_of(mirror.destination, mirror.target, _digest(connection, change))
        _end_others(connection, change, hold_id, now)
        asked = Hold(mirror.destination, mirror.target, MIRROR, trip.clause, trip.reason, trip.measured, now)
        hold = make(connection, asked, hold_id)
        return None if hold.ended == _RELEASED else f"{hold_id} ({trip.clause}): {trip.reason}"

    return guard


def _trip(bounds: Bounds, change: Change) -> Trip | None:
    """Say which clause a change trips: too many taken off, or too large a part of all people put on at first."""
    if removed := too_many_removed(bounds, change.removals, change.there):
        return removed
    is_first = change.there == 0 and change.adds > bounds.always_fine
    if not is_first or bounds.share_percent is None:
        return None
    measured = {"added": change.adds, "people": change.people, "share_percent": bounds.share_percent}
    # a share that can't be told trips, too
    if change.people and 100 * change.adds / change.people <= bounds.share_percent:
        return None
    said = f"{change.adds:,} of {change.people:,} people would be put on an empty list at once"
    return Trip("share", said, measured)


def _digest(connection: Connection, change: Change) -> str:
    """Return what stands for the change: which items, each to be put on or taken off."""
    digest = hashlib.sha256()
    for item, is_wanted in book.open_items(connection, change.mirror):
        digest.update(f"{item} {is_wanted}\n".encode())
    return digest.hexdigest()


def _end_others(connection: Connection, change: Change, hold_id: str, now: datetime) -> None:
    """End the open holds of changes that nobody is about to make any more."""
    mirror = change.mirror
    others = select(holds.c.hold_id).where(
        holds.c.kind == MIRROR,
        holds.c.destination == mirror.destination,
        holds.c.flow_name == mirror.target,
        holds.c.ended.is_(None),
        holds.c.hold_id != hold_id,
    )
    connection.execute(
        update(holds)
        .where(holds.c.hold_id.in_(others))
        .values(ended=_CANCELED, ended_at=now, ended_by=_NO_LONGER)
    )
