"""What an erasure would do: who is meant, and what there is of her. Nothing is changed but that news is read."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import msgspec

from erasure.person import Person, find, hashes_asked
from erasure.rows import Rows, rows_of
from erasure.work import Work, open_work
from extractors.landing.log import LandingLog
from extractors.landing.sealer import seal_orphans
from perennial.clock import Clock
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings
from reverse_etl.destinations.registry import told_of_closed_addresses
from reverse_etl.forget import Hers, known_at, refuse_open
from reverse_etl.ledger.store import open_ledger
from reverse_etl.tail import Tail
from warehouse.builder import Builder
from warehouse.moments import covered
from warehouse.report import OnNode, ignore


@dataclass(frozen=True)
class Plan:
    """An erasure that may begin: how many landed rows by stream, enrollments in the ledger, other people's mentions.

    ``destinations`` had been sent any of the enrollments.
    """

    person: Person
    rows: Mapping[str, int]
    mentions: Mapping[str, int]
    enrollments: int
    destinations: frozenset[str]


@dataclass(frozen=True)
class Erased:
    """Nothing to do: the person was erased before, at this instant (RFC 3339)."""

    erased_at: str


def plan(settings: Settings, clock: Clock, asked: str, on_node: OnNode = ignore) -> Plan | Work | Erased:
    """Look for a person, for a caller that owns the warehouse.

    Returns the erasure that has begun where one has. What has landed and was not built yet is built first: only the
    models know whose a row is. Raises ``PerennialError`` where nobody is known by that name, or several are.
    """
    home, log = Home(settings.home), LandingLog(settings.landing_url, clock)
    for work in open_work(home):
        if work.is_about(asked, salt_of(settings)):
            return work
    read_everything(settings, log, on_node)
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        person = find(warehouse, asked)
        if person is None:
            return _erased_before(log, hashes_asked(asked, salt_of(settings)))
        rows = rows_of(warehouse, log, person, covered(log))
    ledger = open_ledger(settings.ledger_url, salt_of(settings))
    try:
        Tail(ledger, log, clock, told_of_closed_addresses(settings)).catch_up()
        known = known_at(ledger, in_ledger(person), clock)
    finally:
        ledger.close()
    refuse_open(known.open_orders)
    counts = {stream: len(found) for stream, found in rows.hers.items()}
    return Plan(person, counts, rows.mentions, known.enrollments, known.destinations)


def in_ledger(person: Person) -> Hers:
    """Return what the ledger knows her by."""
    return Hers(person.customer_ids, person.decisions, person.pushes)


def read_everything(settings: Settings, log: LandingLog, on_node: OnNode) -> None:
    """Land what dead receivers left, and build what has landed since the last build."""
    seal_orphans(Home(settings.home).journal, log)
    news = {stream for batch in log.batches(after=covered(log)) for stream in batch.streams}
    if covered(log) and all(stream.startswith("perennial/") for stream in news):
        return
    with Builder(settings) as builder:
        report = builder.build(lane="scheduled", on_node=on_node)
    if not report.ok:
        raise PerennialError(
            f"what has landed can't be built, so nobody knows whose it is: {report.error}",
            "mend what is named, then call this again; nothing was erased",
        )


def find_rows(settings: Settings, log: LandingLog, person: Person) -> Rows:
    """Find her rows again, after a crash as before it."""
    with duckdb.connect(str(Home(settings.home).warehouse), read_only=True) as warehouse:
        return rows_of(warehouse, log, person, covered(log))


def _erased_before(log: LandingLog, hashes: set[str]) -> Erased:
    for record in log.read("perennial", "erasures"):
        told = msgspec.json.decode(record.payload)
        if told.get("hash") in hashes:
            return Erased(told["erased_at"])
    raise PerennialError(
        "nobody is known by that name",
        "give an e-mail, a phone number with its area code, an id of one of the sources, or a customer_id",
    )
