"""Enrollments as the push sees them, and the one way to move them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, Text, bindparam, func, insert, select, update

from reverse_etl.addresses import Channel
from reverse_etl.kinds import OPT_OUT
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.tables import enrollments, receipts
from reverse_etl.ledger.types import UtcDateTime
from reverse_etl.states import OUTCOMES, Status, check_move


@dataclass(frozen=True, slots=True)
class Standing:
    """How a row of the ledger stands: all that is needed to move it."""

    ledger_id: int
    enrollment_id: str
    destination: str
    kind: str
    status: Status
    attempts: int
    claimed_by: str | None


@dataclass(frozen=True, slots=True)
class Enrollment(Standing):
    """A row of the ledger: one intent to enroll one person in one flow, or to put one order into the till.

    It holds addresses: log its ``enrollment_id`` and nothing else (its ``repr`` shows no more).
    """

    flow_name: str
    flow_display_name: str
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
    claimed_until: datetime | None
    frozen: Mapping[str, Any] | None
    first_attempt_at: datetime | None

    def __repr__(self) -> str:
        return f"Enrollment({self.enrollment_id})"

    def address(self, channel: Channel) -> str | None:
        """Return where this channel reaches her; None when the decision brought no address for it."""
        return self.recipient.get("phone" if channel == "sms" else "email") or None


_NAMES = [column.name for column in fields(Enrollment)]
_STATUS, _CHANNELS = _NAMES.index("status"), _NAMES.index("channels")
_IDS: BindParameter[int] = bindparam("ids", expanding=True)


def _by_ids(kind: type[Standing]) -> Select[Any]:
    """Return the query for the columns that a kind of row is made of."""
    return (
        select(*(enrollments.c[column.name] for column in fields(kind)))
        .where(enrollments.c.ledger_id.in_(_IDS))
        .order_by(enrollments.c.ledger_id)
    )


_BY_IDS = _by_ids(Enrollment).with_for_update()
_IDLE_BY_IDS = _by_ids(Enrollment).with_for_update(skip_locked=True)
_STANDING_BY_IDS = _by_ids(Standing).with_for_update()
_SET_STATE = (
    update(enrollments)
    .where(enrollments.c.ledger_id.in_(_IDS))
    .values(
        {
            name: bindparam(f"to_{name}")
            for name in ("status", "accepted_at", "error", "claimed_by", "claimed_until")
        }
        | {
            "attempts": enrollments.c.attempts + bindparam("calls"),
            "first_attempt_at": func.coalesce(
                enrollments.c.first_attempt_at, bindparam("attempted_at", type_=UtcDateTime())
            ),
        }
    )
)
_SET_FROZEN = (
    update(enrollments)
    .where(enrollments.c.ledger_id == bindparam("of"))
    .values(frozen=bindparam("to_frozen"))
)
_DROP_ADDRESS = (
    update(enrollments).where(enrollments.c.ledger_id == bindparam("of")).values(recipient={}, frozen=None)
)
_TOLD = ("enrollment_id", "destination", "status", "attempts", "accepted_at", "error")
_ADD_RECEIPTS = insert(receipts).from_select(
    [*_TOLD, "reference", "at"],
    select(
        *(enrollments.c[name] for name in _TOLD),
        bindparam("reference", type_=Text()),
        bindparam("at", type_=UtcDateTime()),
    )
    .where(enrollments.c.ledger_id.in_(_IDS))
    .order_by(enrollments.c.ledger_id),
)


def load(
    connection: Connection, ledger_ids: Collection[int], *, only_idle: bool = False
) -> dict[int, Enrollment]:
    """Read rows by their ids, in that order, for this transaction alone to change.

    ``only_idle`` leaves out rows that another transaction is changing now, instead of waiting for it.
    """
    if not ledger_ids:
        return {}
    found = connection.execute(_IDLE_BY_IDS if only_idle else _BY_IDS, {"ids": list(ledger_ids)})
    return {row.ledger_id: row for row in map(_enrollment, found)}


def standing_of(connection: Connection, ledger_ids: Collection[int]) -> dict[int, Standing]:
    """Read how rows stand, as ``load`` does, where what they are about doesn't matter."""
    found = connection.execute(_STANDING_BY_IDS, {"ids": list(ledger_ids)})
    return {row.ledger_id: row for row in map(_standing, found)}


def _standing(row: Row[Any]) -> Standing:
    values = list(row)
    values[_STATUS] = Status(values[_STATUS])
    return Standing(*values)


def _enrollment(row: Row[Any]) -> Enrollment:
    values = list(row)
    values[_STATUS] = Status(values[_STATUS])
    values[_CHANNELS] = tuple(values[_CHANNELS])
    return Enrollment(*values)


@dataclass(frozen=True, slots=True)
class Move:
    """A row's next state. ``calls`` counts requests since the last; without a ``claim`` it is given back.

    ``frozen`` is kept with the time of the first attempt when there is one. ``reference``, the destination's own id of
    what it made, goes into the receipt.
    """

    row: Standing
    after: Status
    calls: int = 0
    error: str | None = None
    claim: tuple[str, datetime] | None = None
    frozen: Mapping[str, Any] | None = None
    reference: str | None = None


def apply(connection: Connection, moves: Sequence[Move], at: datetime) -> None:
    """Make moves of rows that this transaction has loaded, each outcome with its receipt.

    Rows that go the same way go in one statement. Raises ``IllegalMoveError`` before anything is changed.
    """
    alike: dict[tuple[object, ...], list[Move]] = {}
    for move in moves:
        check_move(move.row.enrollment_id, move.row.status, move.after)
        way = (move.after, move.calls, move.error, move.claim, move.frozen is None, move.reference)
        alike.setdefault(way, []).append(move)
    for together in alike.values():
        for part in in_parts(together):
            _move(connection, part, at)
    if told := [{"of": move.row.ledger_id} for move in moves if _is_told(move)]:
        connection.execute(_DROP_ADDRESS, told)
    frozen = [
        {"of": move.row.ledger_id, "to_frozen": move.frozen} for move in moves if move.frozen is not None
    ]
    if frozen:
        connection.execute(_SET_FROZEN, frozen)


def _move(connection: Connection, alike: Sequence[Move], at: datetime) -> None:
    """Make moves that differ by their rows alone."""
    first = alike[0]
    claimed_by, claimed_until = first.claim or (None, None)
    ids = [move.row.ledger_id for move in alike]
    connection.execute(
        _SET_STATE,
        {
            "ids": ids,
            "calls": first.calls,
            "attempted_at": None if first.frozen is None else at,
            "to_status": first.after,
            "to_accepted_at": at if first.after is Status.ACCEPTED else None,
            "to_error": first.error,
            "to_claimed_by": claimed_by,
            "to_claimed_until": claimed_until,
        },
    )
    if first.after in OUTCOMES:
        connection.execute(_ADD_RECEIPTS, {"ids": ids, "reference": first.reference, "at": at})


def _is_told(move: Move) -> bool:
    """Whether a closed address need not be known any longer."""
    return move.row.kind == OPT_OUT and move.after in (Status.ACCEPTED, Status.EXPIRED, Status.EXITED)
