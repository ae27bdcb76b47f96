"""Enrollments as the push sees them, and the one way to move them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from reverse_etl.addresses import Channel
from reverse_etl.kinds import OPT_OUT
from reverse_etl.ledger.tables import enrollments, receipts
from reverse_etl.states import OUTCOMES, Status, check_move


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A row of the ledger: one intent to enroll one person in one flow, or to put one order into the till.

    It holds addresses: log its ``enrollment_id`` and nothing else (its ``repr`` shows no more).
    """

    ledger_id: int
    enrollment_id: str
    destination: str
    flow_name: str
    flow_display_name: str
    kind: str
    customer_id: str
    channels: tuple[Channel, ...]
    recipient: Mapping[str, str | None]
    context: Mapping[str, Any]
    cart_id: str | None
    order_id: str | None
    triggered_at: datetime
    not_before: datetime | None
    expires_at: datetime | None
    places: Sequence[str] | None
    watch: Sequence[str] | None
    decided_upto: int
    status: Status
    attempts: int
    claimed_by: str | None
    claimed_until: datetime | None
    frozen: Mapping[str, Any] | None
    first_attempt_at: datetime | None

    def __repr__(self) -> str:
        return f"Enrollment({self.enrollment_id})"

    def address(self, channel: Channel) -> str | None:
        """Return where this channel reaches her; None when the decision brought no address for it."""
        return self.recipient.get("phone" if channel == "sms" else "email") or None


_COLUMNS = tuple(enrollments.c[name] for name in Enrollment.__slots__)
_UNLOCKED_BY_IDS = (
    select(*_COLUMNS)
    .where(enrollments.c.ledger_id.in_(bindparam("ids", expanding=True)))
    .order_by(enrollments.c.ledger_id)
)
_BY_IDS = _UNLOCKED_BY_IDS.with_for_update()
_IDLE_BY_IDS = _UNLOCKED_BY_IDS.with_for_update(skip_locked=True)
_SET_STATE = (
    update(enrollments)
    .where(enrollments.c.ledger_id == bindparam("of"))
    .values(
        {
            name: bindparam(f"to_{name}")
            for name in ("status", "attempts", "accepted_at", "error", "claimed_by", "claimed_until")
        }
    )
)
_SET_FROZEN = (
    update(enrollments)
    .where(enrollments.c.ledger_id == bindparam("of"))
    .values({name: bindparam(f"to_{name}") for name in ("frozen", "first_attempt_at")})
)
_DROP_ADDRESS = (
    update(enrollments).where(enrollments.c.ledger_id == bindparam("of")).values(recipient={}, frozen=None)
)
_ADD_RECEIPT = insert(receipts)


def load(
    connection: Connection, ledger_ids: Collection[int], *, only_idle: bool = False
) -> dict[int, Enrollment]:
    """Read rows by their ids, in that order, for this transaction alone to change.

    ``only_idle`` leaves out rows that another transaction is changing now, instead of waiting for it.
    """
    if not ledger_ids:
        return {}
    found = connection.execute(_IDLE_BY_IDS if only_idle else _BY_IDS, {"ids": list(ledger_ids)})
    return {row.ledger_id: _enrollment(row) for row in found}


def _enrollment(row: Row[Any]) -> Enrollment:
    values = row._asdict()
    values["channels"] = tuple(values["channels"])
    values["status"] = Status(values["status"])
    return Enrollment(**values)


@dataclass(frozen=True, slots=True)
class Move:
    """A row's next state. ``calls`` counts requests since the last; without a ``claim`` it is given back.

    ``frozen`` is kept with the time of the first attempt when there is one. ``reference``, the destination's own id of
    what it made, goes into the receipt.
    """

    row: Enrollment
    after: Status
    calls: int = 0
    error: str | None = None
    claim: tuple[str, datetime] | None = None
    frozen: Mapping[str, Any] | None = None
    reference: str | None = None


def apply(connection: Connection, moves: Sequence[Move], at: datetime) -> None:
    """Make moves of rows that this transaction has loaded, each outcome with its receipt.

    Raises ``IllegalMoveError`` before anything is changed.
    """
    for move in moves:
        check_move(move.row.enrollment_id, move.row.status, move.after)
    if moves:
        connection.execute(_SET_STATE, [_state(move, at) for move in moves])
    if told := [{"of": move.row.ledger_id} for move in moves if _is_told(move)]:
        connection.execute(_DROP_ADDRESS, told)
    if frozen := [
        {
            "of": move.row.ledger_id,
            "to_frozen": move.frozen,
            "to_first_attempt_at": move.row.first_attempt_at or at,
        }
        for move in moves
        if move.frozen is not None
    ]:
        connection.execute(_SET_FROZEN, frozen)
    if outcomes := [_receipt(move, at) for move in moves if move.after in OUTCOMES]:
        connection.execute(_ADD_RECEIPT, outcomes)


def _is_told(move: Move) -> bool:
    """Whether a closed address need not be known any longer."""
    return move.row.kind == OPT_OUT and move.after in (Status.ACCEPTED, Status.EXPIRED, Status.EXITED)


def _state(move: Move, at: datetime) -> dict[str, object]:
    claimed_by, claimed_until = move.claim or (None, None)
    return {
        "of": move.row.ledger_id,
        "to_status": move.after,
        "to_attempts": move.row.attempts + move.calls,
        "to_accepted_at": at if move.after is Status.ACCEPTED else None,
        "to_error": move.error,
        "to_claimed_by": claimed_by,
        "to_claimed_until": claimed_until,
    }


def _receipt(move: Move, at: datetime) -> dict[str, object]:
    return {
        "enrollment_id": move.row.enrollment_id,
        "destination": move.row.destination,
        "status": move.after,
        "attempts": move.row.attempts + move.calls,
        "accepted_at": at if move.after is Status.ACCEPTED else None,
        "error": move.error,
        "reference": move.reference,
        "at": at,
    }
