"""The transactions around calls: ``begin`` commits that they will be made, ``settle`` what became of them.

Both take several rows at once: what is in flight at the same time shares its commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reverse_etl.addresses import Channel
from reverse_etl.claims import LEASE, give_back, put_off
from reverse_etl.destinations.base import Answer, Destination, Effect, RefusedError
from reverse_etl.gate import End, Go, Verdict, Wait, verdicts
from reverse_etl.ledger.rows import Enrollment, Move, Standing, apply, load, standing_of
from reverse_etl.planned import changed
from reverse_etl.quiet import Hours
from reverse_etl.states import Status


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that is committed and may now be made."""

    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoCall:
    """No call is made; ``ended`` is the state that the row was brought to, None where it stays what it is."""

    ended: Status | None = None


def begin(  # noqa: PLR0913 - the parts of a beginning, each named at the call
    connection: Connection,
    ledger_ids: Sequence[int],
    *,
    holder: str,
    destination: Destination,
    hours: Hours,
    now: datetime,
    plan_id: str | None = None,
) -> list[Attempt | NoCall]:
    """Ask the gate about rows, freeze their bodies, and move them to ``attempting``, or to where they end.

    What quiet hours keep back is not due until they end. With a plan, rows that would not be sent as it says are left
    as they are.
    """
    rows = {
        ledger_id: row
        for ledger_id, row in load(connection, ledger_ids).items()
        if row.claimed_by == holder and row.status in (Status.PENDING, Status.AMBIGUOUS)
    }
    found = verdicts(connection, rows.values(), hours, now)
    moves: dict[int, Move] = {}
    not_now: list[int] = []
    for ledger_id, row in rows.items():
        move = _first_move(row, found[ledger_id], destination, (holder, now + LEASE))
        if move is None:
            not_now.append(ledger_id)
        else:
            moves[ledger_id] = move
    if plan_id is not None:
        bodies = {of: move.frozen["body"] for of, move in moves.items() if move.frozen is not None}
        for ledger_id in changed(connection, plan_id, bodies):
            del moves[ledger_id]
            not_now.append(ledger_id)
    apply(connection, list(moves.values()), now)
    if not_now:
        give_back(connection, not_now, holder)
    put_off(
        connection,
        {of: said.until for of, said in found.items() if isinstance(said, Wait) and said.until is not None},
    )
    return [_outcome(moves.get(ledger_id)) for ledger_id in ledger_ids]


def settle(
    connection: Connection, answers: Sequence[tuple[int, Answer]], *, holder: str, now: datetime
) -> list[Status | None]:
    """Record answers; return the states they led to, None where a row is no longer this push's to move.

    The claim stays where the row may be tried again (``pending``, ``ambiguous``): who tries gives it back.
    """
    rows = standing_of(connection, [ledger_id for ledger_id, _ in answers])
    moves = {
        ledger_id: move
        for ledger_id, answer in answers
        if (move := _last_move(rows[ledger_id], answer, holder, now)) is not None
    }
    apply(connection, list(moves.values()), now)
    return [moves[ledger_id].after if ledger_id in moves else None for ledger_id, _ in answers]


def _first_move(
    row: Enrollment, found: Verdict, destination: Destination, claim: tuple[str, datetime]
) -> Move | None:
    match found:
        case Go(channels=open_channels):
            channels = [channel for channel in open_channels if channel in destination.channels]
            if row.status is Status.AMBIGUOUS:
                return _again(row, channels, claim)
            try:
                frozen = _frozen(row, channels, destination)
            except RefusedError as error:
                return Move(row, Status.REJECTED, error=str(error))
            return Move(row, Status.ATTEMPTING, claim=claim, frozen=frozen)
        case End(status=status, reason=reason) if row.status is Status.PENDING:
            return Move(row, status, error=reason)
        case _:
            # Not due; or a call was made whose outcome nobody knows, and another is no longer wanted.
            return None


def _again(row: Enrollment, channels: Sequence[Channel], claim: tuple[str, datetime]) -> Move | None:
    """Send what was sent, to the letter; not at all where a channel of it has been closed since."""
    frozen = row.frozen
    if frozen is None or not set(frozen["channels"]) <= set(channels):
        return None
    return Move(row, Status.ATTEMPTING, claim=claim, frozen=frozen)


def _frozen(row: Enrollment, channels: Sequence[Channel], destination: Destination) -> Mapping[str, Any]:
    """Return what is sent: what the first attempt would have sent, which had no effect.

    Where a channel has been closed since, it is made anew without that channel: an opt-out is stronger than a
    retry.
    """
    if row.frozen is not None and list(row.frozen["channels"]) == list(channels):
        return row.frozen
    return {"channels": list(channels), "body": dict(destination.body(row, channels))}


def _outcome(move: Move | None) -> Attempt | NoCall:
    if move is None:
        return NoCall()
    if move.frozen is None:
        return NoCall(move.after)
    return Attempt(move.frozen["body"])


def _last_move(row: Standing, answer: Answer, holder: str, now: datetime) -> Move | None:
    after = _AFTER[answer.effect]
    is_final = after in (Status.ACCEPTED, Status.REJECTED)
    is_mine = row.claimed_by == holder and row.status is Status.ATTEMPTING
    # Where the claim was given up meanwhile, what the vendor did is known nevertheless.
    is_late = is_final and row.status in (Status.ATTEMPTING, Status.AMBIGUOUS)
    if not (is_mine or is_late):
        return None
    claim = None if is_final else (holder, now + LEASE)
    return Move(row, after, calls=1, error=answer.reason, claim=claim, reference=answer.reference)


_AFTER: Mapping[Effect, Status] = {
    Effect.TAKEN: Status.ACCEPTED,
    Effect.REFUSED: Status.REJECTED,
    Effect.NONE: Status.PENDING,
    Effect.SPLIT: Status.PENDING,
    Effect.UNKNOWN: Status.AMBIGUOUS,
    Effect.STOP: Status.PENDING,
}
