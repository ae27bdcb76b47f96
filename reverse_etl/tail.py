"""Reading the landing log into the ledger: new enrollments, their exits, and what may stop a call.

Each reader's cursor moves in the transaction that takes its rows in, so a record counts once whatever is
killed; and every write here may be done twice, because two pushes may read the same records side by side.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from extractors.landing.log import LandingLog
from extractors.landing.records import LandedRecord
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.salt import Salt
from reverse_etl.build_ends import BuildEnd, build_ends, reach
from reverse_etl.decisions import Exit, Intent, object_ids, read_decision, to_send
from reverse_etl.destinations.registry import USES
from reverse_etl.facts import (
    CartNews,
    Word,
    cart_news,
    consent_word,
    erasure_word,
    feedback_word,
    shopify_word,
)
from reverse_etl.ledger.cursors import alone_from, cursor_of, move_cursor
from reverse_etl.ledger.insert import insert_new
from reverse_etl.ledger.store import Ledger, LedgerError, salt_in
from reverse_etl.ledger.tables import (
    enrollments,
    exits,
    facts,
    flow_states,
    moments,
    receipt_batches,
    suppressions,
)
from reverse_etl.notices import FRESH, opt_outs
from reverse_etl.states import Status
from reverse_etl.turns import forget_built, keep_turns, online_sales
from reverse_etl.watched import Turn, refused_at_till, sale, shelf, till_words
from reverse_etl.words import take_words

_ROWS_A_TRANSACTION = 2_000


@dataclass(frozen=True)
class Tail:
    """The ledger's reader of a landing log; ``tells`` are the destinations that hear of closed addresses."""

    ledger: Ledger
    log: LandingLog
    clock: Clock
    tells: Sequence[str] = ()

    def catch_up(self) -> int:
        """Take in everything that has landed; return the number of new enrollments.

        Raises ``DecisionError`` at a decision that can't be read and ``LandingError`` at a file that can't:
        without them nobody knows whom not to write to, so nothing may be sent.
        """
        upto = self.log.last_seq()
        with self.ledger.read() as connection:
            facts_seq = cursor_of(connection, "facts")
            decisions_seq = cursor_of(connection, "decisions")
            built = cursor_of(connection, "built")
            salt = salt_in(connection)
        if facts_seq < upto:
            # what may be long is read before anybody has to wait for the transaction
            unbuilt = max(facts_seq, built or reach(build_ends(self.log, facts_seq, upto)))
            self._take_facts(upto, unbuilt, list(self._turns(unbuilt, upto, salt)))
        return self._take_decisions(decisions_seq, upto) if decisions_seq < upto else 0

    def _take_facts(self, upto: int, unbuilt: int, turns: Sequence[Turn]) -> None:
        with self.ledger.write() as connection:
            after = alone_from(connection, "facts")
            salt = salt_in(connection)
            self._check_receipts(connection, after, upto)
            for record in self.log.read("perennial", "moments", after, upto):
                _keep_moment(connection, record)
            for record in self.log.read("messaging", "feedback", after, upto):
                self._keep_word(connection, feedback_word(record, salt))
            for record in self.log.read("partners", "events", after, upto):
                self._keep_word(connection, consent_word(record, salt))
            for record in self.log.read("shopify", "webhooks", after, upto):
                self._keep_word(connection, shopify_word(record, salt))
            for record in self.log.read("perennial", "erasures", after, upto):
                _keep_erasure(connection, record)
            take_words(connection, self.log.read("perennial", "operations", after, upto))
            unbuilt = max(after, unbuilt, cursor_of(connection, "built"))
            news = [one for one in map(cart_news, self.log.read("jane", "cart_status", after, upto)) if one]
            sales = online_sales(connection, news, unbuilt)
            keep_turns(connection, chain(sales, (turn for turn in turns if turn.seq > unbuilt)))
            _keep_cart_news(connection, news)
            move_cursor(connection, "facts", upto)

    def _turns(self, after: int, upto: int, salt: Salt) -> Iterator[Turn]:
        """Read what decisions may watch, of what no build has read yet: what one has read is in its exits."""
        yield from filter(None, map(sale, self.log.read("flowhub", "orders", after, upto)))
        yield from filter(None, map(shelf, self.log.read("flowhub", "inventory", after, upto)))
        for record in self.log.read("flowhub", "customers", after, upto):
            yield from till_words(record, salt)

    def _keep_word(self, connection: Connection, word: Word | None) -> None:
        """Take in a word about an address; one that closes it is told to the destinations before anything else."""
        if word is not None and _closes(connection, word):
            self._tell(connection, [word])

    def _tell(self, connection: Connection, words: Iterable[Word]) -> None:
        now = self.clock.now()
        for word in words:
            concerned = [name for name in self.tells if word.channel in USES[name]]
            insert_new(connection, enrollments, opt_outs(word, concerned, now))

    def _take_ends(self, connection: Connection, ends: Sequence[BuildEnd]) -> None:
        """Take in that builds have ended whose decisions and exits are in the ledger.

        An address that one has learned from a till to be closed is told, and not closed here: the decisions since
        know, and a till that says yes again is no word of hers.
        """
        built = reach(ends)
        move_cursor(connection, "built", built)
        forget_built(connection, built)
        news = [end for end in ends if end.closed and self.clock.now() - end.ended_at <= FRESH]
        salt = salt_in(connection)
        for end in news:
            channels = end.channels_by_place()
            seqs = {seq for seq, _ in channels}
            for record in self.log.read("flowhub", "customers", min(seqs) - 1, max(seqs), seqs=seqs):
                said = (refused_at_till(record, one, salt) for one in channels[record.seq, record.row_no])
                self._tell(connection, filter(None, said))

    def _check_receipts(self, connection: Connection, after: int, upto: int) -> None:
        """Refuse to send from a ledger that is older than what it has already landed."""
        for batch in self.log.batches(after, upto):
            if not batch.name.startswith("receipts/"):
                continue
            first = int(batch.name.removeprefix("receipts/").split("-")[0])
            known = connection.scalar(
                select(receipt_batches.c.last_receipt_no).where(receipt_batches.c.first_receipt_no == first)
            )
            if batch.name != f"receipts/{first}-{known}":
                raise LedgerError(
                    f"the landing log holds receipts ({batch.name}) that this ledger never wrote: it is new, "
                    "or an older copy, and would send again what was sent",
                    "put the newest ledger back (PERENNIAL_LEDGER_URL), or, when it is lost, make it fit the "
                    "landing log: python -m reverse_etl.restore (docs/activation.md)",
                )

    def _take_decisions(self, after: int, upto: int) -> int:
        taken = 0
        ends = build_ends(self.log, after, upto)
        for chunk, seq in _whole_batches(self.log.read("perennial", "decisions", after, upto), upto):
            crash_point("exported_not_in_ledger")
            with self.ledger.write() as connection:
                taken += self._keep_decisions(connection, chunk)
                move_cursor(connection, "decisions", seq)
                if ended := [end for end in ends if end.seq <= seq]:
                    self._take_ends(connection, ended)
                    ends = ends[len(ended) :]
        return taken

    def _keep_decisions(self, connection: Connection, records: list[LandedRecord]) -> int:
        now = self.clock.now()
        seen_upto = dict(connection.execute(select(moments.c.build_no, moments.c.upto_seq)).tuples().all())
        rows, ended = [], []
        for record in records:
            entry = read_decision(record)
            if isinstance(entry, Exit):
                ended.append(_exit_row(entry, record.seq))
            elif entry is not None and (intent := to_send(entry)) is not None:
                decided_upto = seen_upto.get(entry.build_no, record.seq)
                rows.append(
                    {**_enrollment_row(intent, record.seq, decided_upto), "taken_in_at": now},
                )
        taken = insert_new(connection, enrollments, rows, returning="enrollment_id")
        insert_new(connection, exits, ended)
        return taken


def _whole_batches(records: Iterable[LandedRecord], upto: int) -> Iterator[tuple[list[LandedRecord], int]]:
    """Gather whole batches into chunks of some thousand rows, each with the seq that it completes."""
    chunk: list[LandedRecord] = []
    for seq, batch in groupby(records, key=lambda record: record.seq):
        if len(chunk) >= _ROWS_A_TRANSACTION:
            yield chunk, seq - 1
            chunk = []
        chunk.extend(batch)
    yield chunk, upto


def _enrollment_row(intent: Intent, seq: int, decided_upto: int) -> dict[str, Any]:
    cart_id, order_id = object_ids(intent.context)
    return {
        **msgspec.structs.asdict(intent),
        "cart_id": cart_id,
        "order_id": order_id,
        "decision_seq": seq,
        "decided_upto": decided_upto,
        "status": Status.PENDING,
    }


def _exit_row(entry: Exit, seq: int) -> dict[str, Any]:
    return {
        "enrollment_id": entry.enrollment_id,
        "reason": entry.reason,
        "exited_at": entry.exited_at,
        "seq": seq,
    }


def _keep_moment(connection: Connection, record: LandedRecord) -> None:
    moment = msgspec.json.decode(record.payload)
    row = {"build_no": moment["build_no"], "upto_seq": moment["upto_seq"]}
    insert_new(connection, moments, [row])
    states = [
        {"flow_name": name, "status": status, "seq": record.seq}
        for name, status in moment.get("flows", {}).items()
    ]
    insert_new(connection, flow_states, states)
    for state in states:
        older = (flow_states.c.flow_name == state["flow_name"]) & (flow_states.c.seq < record.seq)
        is_news = flow_states.c.status != state["status"]
        connection.execute(update(flow_states).where(older, is_news).values(state))


def _closes(connection: Connection, word: Word) -> bool:
    """Keep a word about an address; say whether it closed one that was open."""
    row = {
        "channel": word.channel,
        "address_hash": word.address_hash,
        "is_suppressed": word.is_unwelcome,
        "said_at": word.said_at,
        "since_seq": word.seq,
        "reason": word.reason,
    }
    # The later word counts, whichever came in first; at the same instant the opt-out does.
    table = suppressions.c
    older = table.said_at <= word.said_at if word.is_unwelcome else table.said_at < word.said_at
    if insert_new(connection, suppressions, [row]):
        return word.is_unwelcome
    same = (table.channel == word.channel) & (table.address_hash == word.address_hash)
    was_closed = connection.scalar(select(table.is_suppressed).where(same))
    changed = connection.execute(update(suppressions).where(same, older).values(row)).rowcount
    return bool(changed) and word.is_unwelcome and not was_closed


def _keep_erasure(connection: Connection, record: LandedRecord) -> None:
    erased = erasure_word(record)
    if erased is None:
        return
    if erased.salt_id != salt_in(connection).salt_id:
        raise LedgerError(
            "the landing log holds erasures that were written with another salt than this home's: nobody knows "
            "which addresses they closed",
            "put the file `salt` back into PERENNIAL_HOME from the backup of this landing log",
        )
    _closes(connection, erased.word)


def _keep_cart_news(connection: Connection, all_news: Iterable[CartNews]) -> None:
    # The first time counts: a webhook that is delivered again is no news.
    first: dict[tuple[str, str], int] = {}
    for news in all_news:
        for cart_id in news.cart_ids:
            for fact in news.facts:
                first.setdefault((cart_id, fact), news.seq)
    rows = [{"subject": cart_id, "fact": fact, "seq": seq} for (cart_id, fact), seq in first.items()]
    insert_new(connection, facts, rows)
