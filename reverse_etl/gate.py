"""The gate at the call: what the ledger knows now that the decision could not have known.

Asked in the transaction that commits ``attempting``, so nothing comes in between but the call itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, select

from perennial.salt import Salt
from reverse_etl.addresses import Channel, address_hash
from reverse_etl.facts import CartFact
from reverse_etl.kinds import NOTICES, ORDER
from reverse_etl.ledger.rows import Enrollment, Move, apply, load
from reverse_etl.ledger.store import salt_in
from reverse_etl.ledger.tables import enrollments, exits, facts, flow_states, suppressions
from reverse_etl.pauses import standing, stops
from reverse_etl.quiet import Hours
from reverse_etl.states import Status
from reverse_etl.watched import BUYER, ITEM, TILL, said_of, till_of


@dataclass(frozen=True, slots=True)
class Go:
    """It may be sent, on these channels."""

    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: its time lies ahead, it is paused (its flow, or anything by hand), or what it is about is sold out.

    Sold out, that is, by what landed since the last build. ``until`` is the next opening where quiet hours have begun
    since the decision.
    """

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class End:
    """It ends without a call."""

    status: Status
    reason: str


Verdict = Go | Wait | End

_WAITING = (Status.PENDING, Status.HELD)
_SUPERSEDED = "superseded"  # the warehouse's word: another enrollment of the same person is sent instead
_ENDS_ORDER: tuple[CartFact, ...] = ("at_pos", "fulfilled")
# The status of a flow that goes on with what it enrolled, and of one that sends nothing for now.
_ACTIVE, _PAUSED = "active", "paused"
_KEYS: BindParameter[str] = bindparam("keys", expanding=True)
_EXITS = select(exits.c.enrollment_id, exits.c.reason).where(exits.c.enrollment_id.in_(_KEYS))
_FACTS = select(facts.c.subject, facts.c.fact, facts.c.seq, facts.c.at).where(facts.c.subject.in_(_KEYS))
_FLOWS = select(flow_states.c.flow_name, flow_states.c.status).where(flow_states.c.flow_name.in_(_KEYS))
_SUPPRESSED = select(suppressions.c.channel, suppressions.c.address_hash, suppressions.c.reason).where(
    suppressions.c.address_hash.in_(_KEYS), suppressions.c.is_suppressed
)


def verdicts(
    connection: Connection, rows: Collection[Enrollment], hours: Hours, now: datetime
) -> dict[int, Verdict]:
    """Say of each row (by ledger id) whether it may be sent now."""
    salt = salt_in(connection)
    paused = standing(connection)
    hashes = {row.ledger_id: _hashes(row, salt) for row in rows}
    known = _look_up(connection, rows, hashes)
    found = {row.ledger_id: _verdict(row, hashes[row.ledger_id], known, hours, now) for row in rows}
    waiting = {
        row.ledger_id: Wait()
        for row in rows
        if isinstance(found[row.ledger_id], Go) and stops(paused, row.destination, row.flow_name, row.kind)
    }
    return found | waiting


def sweep(connection: Connection, now: datetime) -> dict[str, dict[Status, int]]:
    """End waiting rows that will never be sent, due or not; return destination → status → how many.

    Suppressed addresses are left to the call: an opt-in may lift them before a row is due. So is what a decision
    watches: a row that is not due by then ends by the exits of the next build.
    """
    found = load(connection, _doomed(connection, now), only_idle=True)
    doomed = [row for row in found.values() if row.status in _WAITING]
    known = _look_up(connection, doomed)
    moves = []
    counts: dict[str, dict[Status, int]] = defaultdict(lambda: defaultdict(int))
    for row in doomed:
        if end := _over(row, known, now):
            moves.append(Move(row, end.status, error=end.reason))
            counts[row.destination][end.status] += 1
    apply(connection, moves, now)
    return counts


def end_waiting(connection: Connection, destination: str, reason: str, now: datetime) -> int:
    """End what waits for a destination that was switched off; return how many rows that were."""
    waiting = select(enrollments.c.ledger_id).where(
        enrollments.c.destination == destination, enrollments.c.status.in_(_WAITING)
    )
    found = load(connection, connection.scalars(waiting).all(), only_idle=True)
    moves = [Move(row, Status.EXITED, error=reason) for row in found.values() if row.status in _WAITING]
    apply(connection, moves, now)
    return len(moves)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger knows of some rows: exits by enrollment, flows' states, facts by subject, closed addresses."""

    exits: Mapping[str, str]
    flows: Mapping[str, str]
    facts: Mapping[str, Mapping[str, Row[Any]]]
    suppressed: Mapping[tuple[str, str], str]


def _look_up(
    connection: Connection,
    rows: Collection[Enrollment],
    hashes: Mapping[int, Mapping[Channel, str]] = MappingProxyType({}),
) -> _Known:
    found: dict[str, dict[str, Row[Any]]] = defaultdict(dict)
    about = {subject for row in rows for subject in _subjects(row, hashes.get(row.ledger_id, {}))}
    for fact in _ask(connection, _FACTS, about):
        found[fact.subject][fact.fact] = fact
    flows = {row.flow_name for row in rows if row.kind not in (ORDER, *NOTICES)}
    return _Known(
        flows={row.flow_name: row.status for row in _ask(connection, _FLOWS, flows)},
        exits={
            row.enrollment_id: row.reason for row in _ask(connection, _EXITS, {r.enrollment_id for r in rows})
        },
        facts=found,
        suppressed={
            (row.channel, row.address_hash): row.reason
            for row in _ask(connection, _SUPPRESSED, {one for of in hashes.values() for one in of.values()})
        },
    )


def _subjects(row: Enrollment, hashes: Mapping[Channel, str]) -> Iterator[str]:
    """Yield all that facts about a row may be known under."""
    yield from (object_id for object_id in (row.cart_id, row.order_id) if object_id is not None)
    yield from (key for key in row.watch or () if not key.startswith(TILL))
    for channel, hashed in hashes.items():
        yield from _refusals(row, channel, hashed)


def _refusals(row: Enrollment, channel: Channel, hashed: str) -> list[str]:
    """Return under what a till's no to an address of hers would be known."""
    return [said_of(key, hashed) for key in _watched(row, till_of(channel, ""))]


def _ask(connection: Connection, query: Select[Any], keys: Collection[str]) -> list[Row[Any]]:
    return list(connection.execute(query, {"keys": list(keys)})) if keys else []


def _hashes(row: Enrollment, salt: Salt) -> dict[Channel, str]:
    """Return the channels that have an address, with what stands for it."""
    return {
        channel: address_hash(salt, channel, address)
        for channel in row.channels
        if (address := row.address(channel))
    }


def _verdict(
    row: Enrollment, hashes: Mapping[Channel, str], known: _Known, hours: Hours, now: datetime
) -> Verdict:
    if end := _over(row, known, now):
        return end
    if wait := _waits(row, known, hours, now):
        return wait
    if row.kind in (ORDER, *NOTICES):
        return Go(tuple(hashes))  # it goes to the till, or ends messages: nobody need welcome it
    if not hashes:
        return End(Status.REJECTED, "the decision brought no address for any of its channels")
    suppressed = {
        channel: known.suppressed[channel, hashed]
        for channel, hashed in hashes.items()
        if (channel, hashed) in known.suppressed
    } | {
        channel: "opted_out"
        for channel, hashed in hashes.items()
        if _till_says_no(row, channel, hashed, known)
    }
    open_channels = tuple(channel for channel in hashes if channel not in suppressed)
    if open_channels:
        return Go(open_channels)
    return End(Status.EXITED, ", ".join(f"{channel}: {reason}" for channel, reason in suppressed.items()))


def _waits(row: Enrollment, known: _Known, hours: Hours, now: datetime) -> Wait | None:
    if known.flows.get(row.flow_name) == _PAUSED or (row.not_before is not None and now < row.not_before):
        return Wait()
    if _is_sold_out(row, known):
        return Wait()
    opening = hours.opening(row.kind, row.places, now)
    return None if opening is None else Wait(opening)


def _over(row: Enrollment, known: _Known, now: datetime) -> End | None:
    """Return how a row has ended, due or not; the last instant of ``expires_at`` still counts."""
    if reason := known.exits.get(row.enrollment_id):
        return End(Status.SUPERSEDED if reason == _SUPERSEDED else Status.EXITED, reason)
    if ended := _ended_by_cart(row, known):
        return End(Status.EXITED, ended)
    if _has_bought(row, known):
        return End(Status.EXITED, "purchased")
    if (status := known.flows.get(row.flow_name, _ACTIVE)) not in (_ACTIVE, _PAUSED):
        return End(Status.EXITED, f"its flow is not active any more ({status})")
    if row.expires_at is not None and now > row.expires_at:
        return End(Status.EXPIRED, "its time to be sent is over")
    return None


def _ended_by_cart(row: Enrollment, known: _Known) -> str | None:
    """Return what became of the cart or order: bought ends marketing, canceled ends everything.

    An order that somebody else has put into the till meanwhile, or that the shopper has, is not put there again.

    Only what was not known when the decision was made counts: what a flow was triggered by (a cancellation,
    a finished order) ends nothing, nor does an older status that comes in late.
    """
    first: dict[str, int] = {}
    for object_id in (row.cart_id, row.order_id):
        for fact, told in known.facts.get(object_id or "", {}).items():
            first[fact] = min(told.seq, first.get(fact, told.seq))
    if "canceled" in first:
        return "canceled" if first["canceled"] > row.decided_upto else None
    if row.kind == ORDER:
        return next((fact for fact in _ENDS_ORDER if first.get(fact, 0) > row.decided_upto), None)
    if row.kind == "marketing" and first.get("purchased", 0) > row.decided_upto:
        return "purchased"
    return None


def _has_bought(row: Enrollment, known: _Known) -> bool:
    """Say whether she whom it is for has ordered since the occasion, anywhere, where her flow ends by that."""
    sales = (
        known.facts[key]["bought"] for key in _watched(row, BUYER) if "bought" in known.facts.get(key, {})
    )
    return any(_is_news(sale, row) and sale.at > row.triggered_at for sale in sales)


def _is_sold_out(row: Enrollment, known: _Known) -> bool:
    """Say whether nothing is left of any item that it is about; a build knows whether there are others by now."""
    items = _watched(row, ITEM)
    counts = [known.facts.get(key, {}).get("sold_out") for key in items]
    return bool(items) and all(count is not None and _is_news(count, row) for count in counts)


def _till_says_no(row: Enrollment, channel: Channel, hashed: str, known: _Known) -> bool:
    """Say whether a till whose record of her said yes to this address says no by now."""
    said = (known.facts.get(subject, {}).get("opted_out") for subject in _refusals(row, channel, hashed))
    return any(word is not None and _is_news(word, row) for word in said)


def _watched(row: Enrollment, kind: str) -> list[str]:
    return [key for key in row.watch or () if key.startswith(kind)]


def _is_news(fact: Row[Any], row: Enrollment) -> bool:
    return bool(fact.seq > row.decided_upto)


def _doomed(connection: Connection, now: datetime) -> list[int]:
    """Return the ids of waiting rows that may have ended: few, however many wait."""
    ids = select(enrollments.c.ledger_id).where(enrollments.c.status.in_(_WAITING))
    is_news = facts.c.seq > enrollments.c.decided_upto
    queries = (
        ids.where(enrollments.c.expires_at < now),
        ids.join(flow_states, flow_states.c.flow_name == enrollments.c.flow_name).where(
            flow_states.c.status.not_in((_ACTIVE, _PAUSED)), enrollments.c.kind.not_in(NOTICES)
        ),
        ids.join(exits, exits.c.enrollment_id == enrollments.c.enrollment_id),
        ids.join(facts, facts.c.subject == enrollments.c.cart_id).where(is_news),
        ids.join(facts, facts.c.subject == enrollments.c.order_id).where(is_news),
    )
    return sorted({found for query in queries for found in connection.scalars(query)})
