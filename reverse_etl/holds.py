"""Holds: what a guard found too much of, until a person releases or cancels it.

A hold of enrollments is the rows in state ``held`` that name it; while it is open, more of the same flow joins it. A
hold of a mirrored list (kind ``mirror``) is one row here: what it holds back is the mirror's own to say. What a person
does lands first and takes effect by being read from the log, so that it is done once, and survives the ledger.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Row, func, select, update

from perennial.errors import PerennialError
from reverse_etl.ledger.insert import insert_new
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.rows import Move, apply, load
from reverse_etl.ledger.tables import enrollments, holds
from reverse_etl.states import Status

if TYPE_CHECKING:
    from reverse_etl.desk import Desk

RELEASE, CANCEL = "hold_release", "hold_cancel"
Deed = Literal["release", "cancel"]
_OPERATIONS: Mapping[Deed, str] = {"release": RELEASE, "cancel": CANCEL}
_ENDED = {RELEASE: "released", CANCEL: "canceled"}
_NAMED = re.compile(r"(h_[0-9a-f]{10}) \((\w+)\): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held and why; ``reason`` is the clause in a sentence, ``measured`` the values behind it."""

    destination: str
    flow_name: str
    kind: str
    clause: str
    reason: str
    measured: Mapping[str, Any]
    since: datetime
    hold_id: str = ""
    rows: int = 0
    ended: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether something of it still waits for a person."""
        return self.ended is None and (self.rows > 0 or self.kind == "mirror")


@dataclass(frozen=True, slots=True)
class Held:
    """A row in a hold, by its ids."""

    enrollment_id: str
    customer_id: str
    status: str
    decision_seq: int
    enrolled_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a word did: how many rows it freed or ended; none where the same was said before."""

    hold: Hold
    rows: int = 0


def hold_rows(
    connection: Connection, hold: Hold, ledger_ids: Sequence[int], now: datetime
) -> tuple[Hold, bool]:
    """Move rows into the open hold of their flow, or into a new one; return the hold, and whether it is new."""
    hold_id = _open_hold(connection, hold)
    is_new = hold_id is None
    if hold_id is None:
        [first] = load(connection, ledger_ids[:1]).values()
        hold_id = name_of(hold.destination, hold.flow_name, first.enrollment_id)
        make(connection, hold, hold_id)
    for part in in_parts(ledger_ids):
        waiting = [row for row in load(connection, part).values() if row.status is Status.PENDING]
        error = f"{hold_id} ({hold.clause}): {hold.reason}"
        apply(connection, [Move(row, Status.HELD, error=error) for row in waiting], now)
        connection.execute(
            update(enrollments)
            .where(enrollments.c.ledger_id.in_([row.ledger_id for row in waiting]))
            .values(hold_id=hold_id)
        )
    return the_hold(connection, hold_id), is_new


def name_of(*parts: str) -> str:
    """Return the id of a hold: always the same for what it is about."""
    return f"h_{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:10]}"


def make(connection: Connection, hold: Hold, hold_id: str) -> Hold:
    """Write a hold down; one that is there stays as it is. Returns it as it stands."""
    values = {
        "hold_id": hold_id,
        "destination": hold.destination,
        "flow_name": hold.flow_name,
        "kind": hold.kind,
        "clause": hold.clause,
        "reason": hold.reason,
        "measured": dict(hold.measured),
        "since": hold.since,
    }
    insert_new(connection, holds, [values])
    return the_hold(connection, hold_id)


def all_holds(connection: Connection, *, only_open: bool = True) -> list[Hold]:
    """Return the holds, the oldest first, each with the number of rows that wait in it."""
    waiting = (
        select(enrollments.c.hold_id, func.count().label("waiting"))
        .where(enrollments.c.status == Status.HELD)
        .group_by(enrollments.c.hold_id)
        .subquery()
    )
    found = connection.execute(
        select(holds, func.coalesce(waiting.c.waiting, 0).label("rows"))
        .outerjoin(waiting, waiting.c.hold_id == holds.c.hold_id)
        .order_by(holds.c.since, holds.c.hold_id)
    )
    read = [_hold(row) for row in found]
    return [hold for hold in read if hold.is_open] if only_open else read


def the_hold(connection: Connection, hold_id: str) -> Hold:
    """Return one hold; ``PerennialError`` where there is none of that id."""
    found = connection.execute(select(holds).where(holds.c.hold_id == hold_id)).first()
    if found is None:
        raise PerennialError(
            f"there is no hold {hold_id!r}", "perennial holds list shows every open one with its id"
        )
    waiting = connection.scalar(
        select(func.count()).where(enrollments.c.hold_id == hold_id, enrollments.c.status == Status.HELD)
    )
    return _hold(found, waiting or 0)


def held_rows(connection: Connection, hold_id: str) -> list[Held]:
    """Return everything that is, or was, in a hold, by ids only, the oldest decision first."""
    columns = [enrollments.c[name] for name in Held.__slots__]
    found = connection.execute(
        select(*columns).where(enrollments.c.hold_id == hold_id).order_by(enrollments.c.ledger_id)
    )
    return [Held(*row) for row in found]


def decide(desk: "Desk", deed: Deed, hold_id: str, *, by: str | None = None) -> Decided:
    """Release a hold or cancel it: what is in it now, and nothing that joins it later.

    Said again, it does nothing more. Raises ``PerennialError`` where there is no such hold, or where the opposite was
    said before.
    """
    operation = _OPERATIONS[deed]
    with desk.ledger.read() as connection:
        before = the_hold(connection, hold_id)
        upto = connection.scalar(
            select(func.max(enrollments.c.decision_seq)).where(
                enrollments.c.hold_id == hold_id, enrollments.c.status == Status.HELD
            )
        )
    if not before.is_open:
        if before.ended in (None, _ENDED[operation]):
            return Decided(before)
        raise PerennialError(
            f"hold {hold_id} was {before.ended} at {before.ended_at:%Y-%m-%d %H:%M} UTC",
            "what it held has gone its way; perennial holds show tells what became of it",
        )
    subject = {"hold_id": hold_id, "upto_seq": upto}
    desk.land(operation, subject, key=f"{hold_id}:{upto}", by=by)
    with desk.ledger.read() as connection:
        after = the_hold(connection, hold_id)
    return Decided(after, before.rows - after.rows)


def take_word(connection: Connection, operation: str, told: Mapping[str, Any]) -> None:
    """Do what a landed release or cancellation says; done again it changes nothing."""
    hold_id, upto = told["subject"]["hold_id"], told["subject"]["upto_seq"]
    at = datetime.fromisoformat(told["at"])
    ledger_ids = connection.scalars(
        select(enrollments.c.ledger_id).where(
            enrollments.c.hold_id == hold_id,
            enrollments.c.status == Status.HELD,
            enrollments.c.decision_seq <= (upto or 0),
        )
    ).all()
    for part in in_parts(ledger_ids):
        waiting = [row for row in load(connection, part).values() if row.status is Status.HELD]
        if operation == RELEASE:
            moves = [Move(row, Status.PENDING) for row in waiting]
        else:
            moves = [Move(row, Status.EXITED, error=f"{hold_id} was canceled by a person") for row in waiting]
        apply(connection, moves, at)
    left = connection.scalar(
        select(func.count()).where(enrollments.c.hold_id == hold_id, enrollments.c.status == Status.HELD)
    )
    if not left:
        connection.execute(
            update(holds)
            .where(holds.c.hold_id == hold_id, holds.c.ended.is_(None))
            .values(ended=_ENDED[operation], ended_at=at, ended_by=told.get("by"))
        )


def make_again(connection: Connection, landed: Mapping[str, Mapping[str, Any]]) -> None:
    """Write holds down anew from the rows that name them, and their ``landed`` receipts, in a ledger that was lost."""
    found = connection.execute(
        select(
            enrollments.c.ledger_id,
            enrollments.c.enrollment_id,
            enrollments.c.destination,
            enrollments.c.flow_name,
            enrollments.c.kind,
            enrollments.c.error,
        ).where(enrollments.c.status == Status.HELD, enrollments.c.hold_id.is_(None))
    ).all()
    named: dict[str, list[int]] = {}
    for row in sorted(found, key=lambda row: str(landed[row.enrollment_id]["at"])):
        if said := _NAMED.fullmatch(row.error or ""):
            hold_id, clause, reason = said.groups()
            if hold_id not in named:
                receipt = landed[row.enrollment_id]
                measured, since = receipt.get("measured") or {}, datetime.fromisoformat(receipt["at"])
                hold = Hold(row.destination, row.flow_name, row.kind, clause, reason, measured, since)
                make(connection, hold, hold_id)
            named.setdefault(hold_id, []).append(row.ledger_id)
    for hold_id, ledger_ids in named.items():
        for part in in_parts(ledger_ids):
            connection.execute(
                update(enrollments).where(enrollments.c.ledger_id.in_(part)).values(hold_id=hold_id)
            )


def _open_hold(connection: Connection, hold: Hold) -> str | None:
    """Return the id of the hold that more of a flow joins."""
    return connection.scalar(
        select(holds.c.hold_id)
        .join(enrollments, enrollments.c.hold_id == holds.c.hold_id)
        .where(
            holds.c.destination == hold.destination,
            holds.c.flow_name == hold.flow_name,
            holds.c.kind == hold.kind,
            holds.c.ended.is_(None),
            enrollments.c.status == Status.HELD,
        )
        .limit(1)
    )


def _hold(row: Row[Any], waiting: int | None = None) -> Hold:
    values = row._asdict()
    values["rows"] = values.get("rows", waiting) or 0
    return Hold(**values)
