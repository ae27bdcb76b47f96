"""Erasing a person: the steps, in the order in which nothing of her can come back behind them.

Her addresses are closed before anything else, so that no message leaves meanwhile; the landing log is the truth, so it
is changed before what is derived from it; the warehouse is made anew from it, because only a new file is certain to
hold nothing between its blocks. Each step may be done twice. A crash after any line leaves an erasure that the same
command finishes.
"""

import asyncio
import json
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb

from erasure.person import Person, find, hashes_of
from erasure.plan import find_rows, in_ledger, read_everything
from erasure.reduction import reduce_rows
from erasure.traces import Traces
from erasure.work import Work
from extractors.flowhub.state import PullState
from extractors.landing.log import LandingLog
from extractors.landing.operations import land_operation
from extractors.landing.records import Record
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings
from reverse_etl.destinations.base import Effect, Forgetful
from reverse_etl.destinations.registry import FORGETFUL, destinations_for, told_of_closed_addresses
from reverse_etl.forget import Known, forget
from reverse_etl.ledger.store import open_ledger
from warehouse.builder import Builder
from warehouse.publish import remove_earlier as remove_earlier_sets
from warehouse.rebuild import remove_earlier as remove_earlier_warehouses
from warehouse.rebuild import restore_anew
from warehouse.report import NodeResult

_REWRITING = "rewriting"  # files of the log may be reduced already
_SEALED_WITHIN_SECONDS = 15.0  # a living receiver seals within one

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How an erasure stands: destinations that have still to be told, with the reason; none when it is over."""

    erased_at: datetime
    open: dict[str, str] = field(default_factory=dict)


def begin(settings: Settings, clock: Clock, person: Person, sent_to: Collection[str] = ()) -> Work:
    """Write down that a person is to be erased; from here on only the end is an end.

    ``sent_to`` are the destinations that know her; those that can be used now are asked in any case.
    """
    work = Work.of(person, salt_of(settings), clock.now())
    _note_destinations(work, person, {one.name for one in destinations_for(settings).ready} | {*sent_to})
    work.save(Home(settings.home))
    return work


def erase(settings: Settings, clock: Clock, work: Work, say: Say) -> Outcome:
    """Do what is left of an erasure, for a caller that owns the warehouse.

    Raises ``PerennialError`` where a step can't be done; the same call goes on there.
    """
    home = Home(settings.home)
    steps = _Steps(settings, clock, home, LandingLog(settings.landing_url, clock), work, say)
    crash_point("erasure_begun")
    for step in (
        steps.close_addresses,
        steps.forget_in_ledger,
        steps.settle_journals,
        steps.reduce_landing,
        steps.forget_in_pulls,
        steps.make_warehouse_anew,
        steps.publish_anew,
        steps.remove_copies,
    ):
        if step.__name__ not in work.done:
            if work.person is None:
                break
            step(work.person)
            work.done.append(step.__name__)
            work.save(home)
            crash_point("erasure_step")
    if work.person is not None:
        # what a destination has still to be told is all that is kept of her now
        work.person = None
        work.save(home)
        crash_point("erasure_local")
    return steps.tell_destinations()


@dataclass
class _Steps:
    settings: Settings
    clock: Clock
    home: Home
    log: LandingLog
    work: Work
    say: Say

    def close_addresses(self, person: Person) -> None:
        """Land what keeps her opt-out: hashes, and no value."""
        self.say("closing her addresses")
        salt = salt_of(self.settings)
        hashes = hashes_of(person, salt)
        closed = [
            told["hash"]
            for row in self.log.read("perennial", "erasures")
            if (told := json.loads(row.payload))["erasure_id"] == self.work.erasure_id
        ]
        told = {
            "erasure_id": self.work.erasure_id,
            "erased_at": self.work.erased_at.isoformat(),
            "salt_id": salt.salt_id,
        }
        rows = [{**told, "kind": "address", "channel": c, "hash": hashed} for c, hashed in hashes.addresses]
        rows += [{**told, "kind": "record", "hash": hashed} for hashed in hashes.records]
        news = [row for row in rows if row["hash"] not in closed]
        if news:
            after = len(closed)
            self.log.append(
                f"erasures/{self.work.erasure_id}/{after}",
                [self._record(n, row) for n, row in enumerate(news, after + 1)],
            )
        self.work.hashes = sorted({*self.work.hashes, *(row["hash"] for row in rows)})
        _note_destinations(self.work, person, self.work.to_tell)
        self.work.save(self.home)

    def forget_in_ledger(self, person: Person) -> None:
        """Take her out of the ledger; a push that runs meanwhile sends her nothing."""
        self._forget_in_ledger(person, is_settled=False)

    def _forget_in_ledger(self, person: Person, *, is_settled: bool) -> None:
        self.say("the ledger")

        def remember(known: Known) -> None:
            _note_destinations(self.work, person, known.destinations)
            self.work.save(self.home)

        ledger = open_ledger(self.settings.ledger_url, salt_of(self.settings))
        try:
            forget(
                ledger,
                self.log,
                self.clock,
                in_ledger(person),
                remember,
                is_settled=is_settled,
                tells=told_of_closed_addresses(self.settings),
            )
        finally:
            ledger.close()

    def settle_journals(self, person: Person) -> None:
        """See that every record of the journals has landed, and that damaged ones of hers are gone."""
        self.say("the receivers' journals")
        present = set(self.home.journal.glob("*/*.segment"))
        deadline = time.monotonic() + _SEALED_WITHIN_SECONDS
        while any(segment.exists() for segment in present):
            if time.monotonic() > deadline:
                raise PerennialError(
                    "a receiver's journal is not sealed",
                    "see docs/landing.md for what sealing waits for, then call this again",
                )
            read_everything(self.settings, self.log, self._node)
            time.sleep(0.1)
        traces = Traces(self._read_again(person).alone())
        for damaged in self.home.journal.glob("*/*.damaged"):
            if traces.found_in(damaged.read_bytes()):
                damaged.unlink()

    def reduce_landing(self, person: Person) -> None:
        """Reduce her rows where they landed: the only change that a landed file ever sees.

        What has landed since is built first: only then is it known which of it is other people's. Once a file is
        rewritten there is no build before the warehouse is made anew, which would miss what is reduced already.
        """
        self.say("the landing log")
        if _REWRITING not in self.work.done:
            person = self._read_again(person)
            # an order that was decided meanwhile is refused here, while its decision is still whole
            self.forget_in_ledger(person)
            self.work.done.append(_REWRITING)
            self.work.save(self.home)
        salt, traces = salt_of(self.settings), Traces(person)
        rows = find_rows(self.settings, self.log, person)
        seqs = sorted(rows.by_seq)
        files = [
            file
            for file in self.log.files()
            if bisect_left(seqs, file.first_seq) < bisect_right(seqs, file.last_seq)
        ]
        for done, file in enumerate(files, 1):
            self.say(f"the landing log: {done:,} of {len(files):,} files")
            self.log.rewrite(
                file.first_seq,
                file.last_seq,
                lambda table: reduce_rows(table, rows, traces, salt),
                keep_old_for=timedelta(0),
            )
            crash_point("erasure_rewriting")
        self.log.sweep()
        # what a slower push may have taken in again since
        self._forget_in_ledger(person, is_settled=True)

    def forget_in_pulls(self, person: Person) -> None:
        """Take her names out of what the pulls remember."""
        if self.home.extractor_state.exists():
            with PullState(self.home.extractor_state, salt_of(self.settings)) as state:
                state.erase("customers", sorted(person.flowhub_ids()))

    def make_warehouse_anew(self, _person: Person) -> None:
        """Restore the warehouse from the log as it is now."""
        self.say("the warehouse")
        restore_anew(self.settings, self.clock.now(), self._node)
        crash_point("erasure_rebuilt")

    def publish_anew(self, _person: Person) -> None:
        """Build a moment that knows of the erasure, and publish it."""
        self.say("what is published")
        with Builder(self.settings) as builder:
            report = builder.build(lane="scheduled", on_node=self._node)
        if not report.ok:
            raise PerennialError(
                f"the build after the erasure stopped: {report.error}",
                "mend what is named, then call this again: it goes on here",
            )

    def remove_copies(self, _person: Person) -> None:
        """Remove earlier sets and earlier warehouses, now."""
        remove_earlier_sets(self.home.published)
        crash_point("erasure_sets")
        remove_earlier_warehouses(self.settings)

    def _read_again(self, person: Person) -> Person:
        """Build what has landed, and take note of what that shows of her: its addresses are closed as well."""
        read_everything(self.settings, self.log, self._node)
        with duckdb.connect(str(self.home.warehouse), read_only=True) as warehouse:
            person = find(warehouse, person.customer_id) or person
        self.work.person = person
        self.close_addresses(person)
        return person

    def tell_destinations(self) -> Outcome:
        """Ask destinations to forget her; who can't be reached leaves the erasure open."""
        configured = destinations_for(self.settings)
        ready = {one.name: one for one in configured.ready}
        outcome = Outcome(self.work.erased_at)
        for name, emails in sorted(self.work.to_tell.items()):
            self.say(name)
            one = ready.get(name)
            for email in [*emails]:
                missing = configured.missing.get(name, f"{name} is not set up any more")
                reason = _ask(one, email) if isinstance(one, Forgetful) else missing
                if reason is not None:
                    outcome.open[name] = reason
                    break
                emails.remove(email)
                self.work.save(self.home)
                crash_point("erasure_told")
        if not outcome.open:
            land_operation(
                self.log, self.clock, "erase", {"erasure_id": self.work.erasure_id}, key=self.work.erasure_id
            )
            crash_point("erasure_told_all")
            self.work.end(self.home)
        return outcome

    def _record(self, number: int, told: dict[str, str]) -> Record:
        key = f"{self.work.erasure_id}:{number}"
        return Record("perennial", "erasures", key, self.work.erased_at, json.dumps(told))

    def _node(self, node: NodeResult) -> None:
        self.say(node.unique_id)


def _note_destinations(work: Work, person: Person, names: Collection[str]) -> None:
    """Take note of whom to ask, and for which of her addresses: a shared one is not only hers to close."""
    for name in FORGETFUL.intersection(names):
        work.to_tell[name] = sorted(person.emails - person.shared)


def _ask(one: Forgetful, email: str) -> str | None:
    """Ask a destination to forget an address; None when it said yes, else why not."""
    answer = asyncio.run(one.forget(email))
    return None if answer.effect is Effect.TAKEN else answer.reason or str(answer.effect)
