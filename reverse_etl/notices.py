"""What a destination is told besides enrollments: that an address was closed, and that an enrollment has ended.

A notice is a row of the ledger like an enrollment, with its claims, its limits and its receipts. It needs no consent,
no guard looks at it, and to be told twice does no harm.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from reverse_etl.facts import Word
from reverse_etl.kinds import EXIT, OPT_OUT
from reverse_etl.ledger.insert import insert_new
from reverse_etl.ledger.tables import enrollments, exits
from reverse_etl.states import Status

# What landed longer ago is no news: a new ledger reads years of words. Destinations know them by the traits they get.
FRESH = timedelta(days=1)
_WORTH_TELLING = timedelta(days=7)

# May have reached her: its end is told.
_SENT = (Status.ACCEPTED, Status.AMBIGUOUS)
# Not known yet, or not sent yet.
_OPEN = (Status.PENDING, Status.ATTEMPTING, Status.HELD)


def opt_outs(word: Word, destinations: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    """Return the rows that tell destinations of a closed address; none where nobody has to hear of it.

    The address stands in a row until it is told, and no longer.
    """
    if not word.is_opt_out or now - word.landed_at > FRESH:
        return []
    return [
        {
            "enrollment_id": f"{OPT_OUT}:{destination}:{word.channel}:{word.address_hash}:{word.seq}",
            "destination": destination,
            "flow_name": OPT_OUT,
            "flow_display_name": "Address closed",
            "kind": OPT_OUT,
            "customer_id": word.address_hash,
            "channels": [word.channel],
            "recipient": {"phone" if word.channel == "sms" else "email": word.address},
            "context": {
                "channel": word.channel,
                "reason": word.reason,
                "said_at": word.said_at.isoformat(),
            },
            "triggered_at": word.said_at,
            "enrolled_at": now,
            "expires_at": now + _WORTH_TELLING,
            "decision_seq": word.seq,
            "decided_upto": word.seq,
            "taken_in_at": now,
            "status": Status.PENDING,
            "is_cleared": True,
        }
        for destination in destinations
    ]


def tell_of_exits(connection: Connection, now: datetime) -> int:
    """Make a notice of each end of an enrollment that was sent; return how many. Cost follows the open ends."""
    rows = (
        connection.execute(
            select(exits, enrollments)
            .outerjoin(enrollments, enrollments.c.enrollment_id == exits.c.enrollment_id)
            .where(~exits.c.is_over, enrollments.c.status.is_(None) | enrollments.c.status.not_in(_OPEN))
        )
        .mappings()
        .all()
    )
    notices = [_exit(row, now) for row in rows if row[enrollments.c.status] in _SENT]
    insert_new(connection, enrollments, notices)
    if rows:
        over = [row[exits.c.enrollment_id] for row in rows]
        connection.execute(update(exits).where(exits.c.enrollment_id.in_(over)).values(is_over=True))
    return len(notices)


def _exit(row: Any, now: datetime) -> dict[str, Any]:  # noqa: ANN401 - a row of two tables, by their columns
    of = enrollments.c
    return {
        **{
            column.name: row[column]
            for column in (
                of.destination,
                of.flow_name,
                of.flow_display_name,
                of.customer_id,
                of.channels,
                of.recipient,
            )
        },
        "enrollment_id": f"{row[of.enrollment_id]}:{EXIT}",
        "kind": EXIT,
        "context": {"enrollment_id": row[of.enrollment_id], "reason": row[exits.c.reason]},
        "triggered_at": row[exits.c.exited_at],
        "enrolled_at": row[of.enrolled_at],
        "expires_at": now + _WORTH_TELLING,
        "decision_seq": row[exits.c.seq],
        "decided_upto": row[exits.c.seq],
        "taken_in_at": now,
        "status": Status.PENDING,
        "is_cleared": True,
    }
