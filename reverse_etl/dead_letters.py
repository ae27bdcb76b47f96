"""Dead letters: rows that were refused for good, and those whose outcome nobody knows, until a person has decided.

A word is about one outcome, named by its receipt: said twice, or read again in a ledger that was made anew, it touches
nothing that came after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, and_, func, null, or_, select, update

from perennial.errors import PerennialError
from reverse_etl.kinds import NOTICES
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.rows import Enrollment, Move, apply, load
from reverse_etl.ledger.tables import enrollments, receipts
from reverse_etl.states import Status

if TYPE_CHECKING:
    from reverse_etl.desk import Desk

RETRY, DISCARD, RESOLVE = "deadletter_retry", "deadletter_discard", "deadletter_resolve"
_SENT = "a person found that it was sent"
_NOT_SENT = "a person found that it was not sent"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A row that waits for a person: its ids, the reason with the vendor's pointer, and which outcome that is.

    It holds no address.
    """

    ledger_id: int
    enrollment_id: str
    destination: str
    flow_name: str
    status: str
    attempts: int
    error: str | None
    expires_at: datetime | None
    receipt_no: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """Which ones: to a destination, of a flow, with words in their reason, or these; all where nothing is said."""

    destination: str | None = None
    flow: str | None = None
    reason: str | None = None
    ids: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is said."""
        return self == Selection()


def dead_letters(connection: Connection, selection: Selection = Selection()) -> list[DeadLetter]:
    """Return what waits for a person, the oldest first: refused rows that are not discarded, and ambiguous ones.

    Raises ``PerennialError`` where an id is named that is not among them, or a destination or flow that nobody knows.
    """
    _check(connection, selection)
    of_row = receipts.alias("of_row")
    newest = (
        select(func.max(of_row.c.receipt_no))
        .where(of_row.c.enrollment_id == enrollments.c.enrollment_id)
        .correlate(enrollments)
        .scalar_subquery()
    )
    conditions: list[ColumnElement[bool]] = [
        # a notice whose outcome nobody knows is told once more by itself
        or_(
            enrollments.c.status == Status.REJECTED,
            and_(enrollments.c.status == Status.AMBIGUOUS, enrollments.c.kind.not_in(NOTICES)),
        ),
        enrollments.c.discarded_at.is_(None),
    ]
    if selection.destination is not None:
        conditions.append(enrollments.c.destination == selection.destination)
    if selection.flow is not None:
        conditions.append(enrollments.c.flow_name == selection.flow)
    if selection.reason is not None:
        conditions.append(func.lower(enrollments.c.error).contains(selection.reason.lower(), autoescape=True))
    if selection.ids:
        conditions.append(enrollments.c.enrollment_id.in_(selection.ids))
    columns = (
        "ledger_id",
        "enrollment_id",
        "destination",
        "flow_name",
        "status",
        "attempts",
        "error",
        "expires_at",
    )
    found = connection.execute(
        select(*(enrollments.c[name] for name in columns), receipts.c.receipt_no, receipts.c.at)
        .select_from(enrollments)
        .join(receipts, receipts.c.receipt_no == newest)
        .where(*conditions)
        .order_by(enrollments.c.ledger_id)
    )
    letters = [DeadLetter(*row) for row in found]
    if missing := sorted({*selection.ids} - {letter.enrollment_id for letter in letters}):
        raise PerennialError(
            f"no dead letter is called {', '.join(missing)}",
            "perennial deadletters list shows every one with its id; what was retried, discarded or resolved is none",
        )
    return letters


def _check(connection: Connection, selection: Selection) -> None:
    """Refuse a name that selects nothing because it is misspelt, and words that select everything: none at all."""
    for what, said, column in (
        ("destination", selection.destination, enrollments.c.destination),
        ("flow", selection.flow, enrollments.c.flow_name),
    ):
        if said is None:
            continue
        known = sorted(connection.scalars(select(column).distinct()))
        if said not in known:
            raise PerennialError(
                f"nothing was ever to be sent {'to a' if what == 'destination' else 'by a'} {what} {said!r}",
                f"choose from {', '.join(known) or 'none yet: nothing was decided'}",
            )
    if selection.reason is not None and not selection.reason.strip():
        raise PerennialError(
            "the reason is empty, and every reason holds that", "name words of it, or leave --reason out"
        )


def refused(connection: Connection, selection: Selection) -> list[DeadLetter]:
    """Return those that were refused: of a selection by words the others are passed over, an id is asked for itself."""
    found = dead_letters(connection, selection)
    return found if selection.ids else [one for one in found if one.status == Status.REJECTED]


def retry(desk: "Desk", letters: Sequence[DeadLetter], *, by: str | None = None) -> int:
    """Let refused rows be sent again, from the gates on, each once, however often it is said; return how many.

    An ambiguous one is never sent again before somebody has found that it was not sent.
    """
    if doubtful := [letter.enrollment_id for letter in letters if letter.status == Status.AMBIGUOUS]:
        raise PerennialError(
            f"nobody knows whether these were sent: {', '.join(doubtful[:5])}",
            "look them up at the destination, then: perennial deadletters resolve ID --sent (or --not-sent)",
        )
    return _say(desk, RETRY, letters, by)


def discard(desk: "Desk", letters: Sequence[DeadLetter], *, by: str | None = None) -> int:
    """Close refused rows for good; return how many. They stay ``rejected``, and nobody is asked about them again."""
    if doubtful := [letter.enrollment_id for letter in letters if letter.status == Status.AMBIGUOUS]:
        raise PerennialError(
            f"an outcome that nobody knows is not discarded: {', '.join(doubtful[:5])}",
            "say what you found at the destination: perennial deadletters resolve ID --sent (or --not-sent)",
        )
    return _say(desk, DISCARD, letters, by)


def resolve(desk: "Desk", letters: Sequence[DeadLetter], *, was_sent: bool, by: str | None = None) -> int:
    """Say what somebody found at the destination about rows whose outcome nobody knew; return how many."""
    if settled := [letter.enrollment_id for letter in letters if letter.status != Status.AMBIGUOUS]:
        raise PerennialError(
            f"the outcome of these is known, they were refused: {', '.join(settled[:5])}",
            "perennial deadletters retry sends them again, discard closes them",
        )
    return _say(desk, RESOLVE, letters, by, was_sent=was_sent)


def _say(desk: "Desk", operation: str, letters: Sequence[DeadLetter], by: str | None, **more: object) -> int:
    for part in in_parts(letters):
        rows = [{"enrollment_id": one.enrollment_id, "receipt_no": one.receipt_no} for one in part]
        key = ",".join(f"{one.enrollment_id}:{one.receipt_no}" for one in part)
        desk.land(operation, {"rows": rows, **more}, key=key, by=by)
    return len(letters)


def take_word(connection: Connection, operation: str, told: Mapping[str, Any]) -> None:
    """Do what a landed word says to the rows whose newest outcome is the one that it is about."""
    subject = told["subject"]
    at = datetime.fromisoformat(told["at"])
    about = {row["enrollment_id"]: row["receipt_no"] for row in subject["rows"]}
    for part in in_parts(list(about)):
        newest = dict(
            connection.execute(
                select(receipts.c.enrollment_id, func.max(receipts.c.receipt_no))
                .where(receipts.c.enrollment_id.in_(part))
                .group_by(receipts.c.enrollment_id)
            )
            .tuples()
            .all()
        )
        ids = connection.scalars(
            select(enrollments.c.ledger_id).where(
                enrollments.c.enrollment_id.in_(part), enrollments.c.discarded_at.is_(None)
            )
        ).all()
        meant = [
            row
            for row in load(connection, ids).values()
            if newest.get(row.enrollment_id) == about[row.enrollment_id]
        ]
        if operation == RETRY:
            _retry(connection, [row for row in meant if row.status is Status.REJECTED], at)
        elif operation == DISCARD:
            refused = [row.ledger_id for row in meant if row.status is Status.REJECTED]
            connection.execute(
                update(enrollments).where(enrollments.c.ledger_id.in_(refused)).values(discarded_at=at)
            )
        else:
            after, error = (Status.ACCEPTED, _SENT) if subject["was_sent"] else (Status.REJECTED, _NOT_SENT)
            doubtful = [row for row in meant if row.status is Status.AMBIGUOUS]
            apply(connection, [Move(row, after, error=error) for row in doubtful], at)


def _retry(connection: Connection, rows: Sequence[Enrollment], at: datetime) -> None:
    """Move refused rows back to ``pending``.

    A refusal had no effect, so the body is made anew: what was mended counts. Where a call before it may have had one,
    the destination dedupes, and only the very same body is dropped there; it stays.
    """
    doubted = set(
        connection.scalars(
            select(receipts.c.enrollment_id).where(
                receipts.c.enrollment_id.in_([row.enrollment_id for row in rows]),
                receipts.c.status == Status.AMBIGUOUS,
            )
        )
    )
    apply(connection, [Move(row, Status.PENDING) for row in rows], at)
    anew = [row.ledger_id for row in rows if row.enrollment_id not in doubted]
    connection.execute(update(enrollments).where(enrollments.c.ledger_id.in_(anew)).values(frozen=null()))
