"""The states of an enrollment in the ledger, and every move between them that is allowed.

``pending``     taken in, not yet sent (or sent without any effect)
``attempting``  committed before a call: from here until the answer is committed, the outcome is unknown
``accepted``    the destination said 2xx; it is queued there, which is not yet delivered
``rejected``    the destination (or its contract) refuses it for good; a dead letter with the reason
``ambiguous``   a call may have had its effect; nobody knows
``held``        waits for a person's release
``expired`` ``exited`` ``superseded``   ended before a call: too late, no longer wanted, replaced
"""

from enum import StrEnum
from types import MappingProxyType

from perennial.errors import PerennialError


class Status(StrEnum):
    """Where an enrollment stands."""

    PENDING = "pending"
    ATTEMPTING = "attempting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"
    HELD = "held"
    EXPIRED = "expired"
    EXITED = "exited"
    SUPERSEDED = "superseded"


# ambiguous → attempting is for destinations that dedupe only (claims.py takes no others);
# ambiguous → accepted | rejected is an answer that came after its claim was given up, or a person's finding;
# pending → rejected is a refusal by the destination's own contract, before any call;
# rejected → pending is a person's word: a refusal had no effect, so after a fix it may be tried again.
_MOVES = MappingProxyType(
    {
        Status.PENDING: frozenset(
            {
                Status.ATTEMPTING,
                Status.REJECTED,
                Status.HELD,
                Status.EXPIRED,
                Status.EXITED,
                Status.SUPERSEDED,
            }
        ),
        Status.ATTEMPTING: frozenset({Status.ACCEPTED, Status.REJECTED, Status.AMBIGUOUS, Status.PENDING}),
        Status.AMBIGUOUS: frozenset({Status.ATTEMPTING, Status.ACCEPTED, Status.REJECTED}),
        Status.HELD: frozenset({Status.PENDING, Status.EXPIRED, Status.EXITED, Status.SUPERSEDED}),
        Status.ACCEPTED: frozenset[Status](),
        Status.REJECTED: frozenset({Status.PENDING}),
        Status.EXPIRED: frozenset[Status](),
        Status.EXITED: frozenset[Status](),
        Status.SUPERSEDED: frozenset[Status](),
    }
)

# A move into one of these is an outcome: it gets a receipt in the same transaction.
OUTCOMES = frozenset(Status) - {Status.PENDING, Status.ATTEMPTING}


class IllegalMoveError(PerennialError):
    """The ledger was asked for a move that its states do not allow."""


def is_legal(before: Status, after: Status) -> bool:
    """Say whether an enrollment may go from one state straight to another."""
    return after in _MOVES[before]


def check_move(enrollment_id: str, before: Status, after: Status) -> None:
    """Raise ``IllegalMoveError`` unless the move is allowed."""
    if not is_legal(before, after):
        raise IllegalMoveError(
            f"enrollment {enrollment_id} can't go from {before} to {after}",
            "this is a fault in the push, not in the data, and nothing was changed: report it with that id",
        )
