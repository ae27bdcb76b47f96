"""Which landed rows are hers, and which hold a value of hers but are about somebody else."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import msgspec

from erasure.person import Person
from erasure.traces import Place, places
from extractors.landing.log import LandingLog
from extractors.landing.tombstone import is_tombstone

# The models that keep the place of each landed row, their stream, and what else than a sighting makes a row hers.
_STAGED = (
    (
        "staging.base_flowhub__customers",
        "'flowhub/customers'",
        "list_contains($flowhub_ids, flowhub_customer_id)",
    ),
    ("staging.base_flowhub__orders", "'flowhub/orders'", "list_contains($flowhub_ids, flowhub_customer_id)"),
    ("staging.base_jane__carts", "'jane/' || webhook", "false"),
    (
        "staging.base_omni__events",
        "case route when 'klaviyo' then 'omni/klaviyo_events' else 'omni/events' end",
        "false",
    ),
    ("staging.base_shopify__webhooks", "'shopify/webhooks'", "false"),
    ("staging.base_partners__events", "'partners/events'", "false"),
    (
        "staging.base_messaging__feedback",
        "'messaging/feedback'",
        "list_contains($decisions, enrollment_id) or list_contains($own_addresses, address)",
    ),
)
# What Perennial itself landed says in these fields whom it is about.
_OWN = "perennial/"
_SUBJECTS = frozenset(
    {
        "customer_id",
        "old_customer_id",
        "new_customer_id",
        "enrollment_id",
        "decision_id",
        "subject_node",
        "node",
        "record_key",
    }
)
# A build and an erasure are about nobody; without them the log could not be read.
_NOBODYS = frozenset({"perennial/moments", "perennial/erasures"})


@dataclass(frozen=True)
class Rows:
    """Places of landed rows by stream: ``hers``, and of those the deliveries of carts that became an order.

    ``mentions`` counts rows that are about other people and hold a value of hers: a shared phone, a referral.
    """

    hers: Mapping[str, frozenset[Place]]
    ordered_carts: frozenset[Place]
    mentions: Mapping[str, int]

    @cached_property
    def by_seq(self) -> dict[int, frozenset[int]]:
        """Return her rows by batch."""
        found: dict[int, set[int]] = {}
        for rows in self.hers.values():
            for seq, row_no in rows:
                found.setdefault(seq, set()).add(row_no)
        return {seq: frozenset(rows) for seq, rows in sorted(found.items())}


def rows_of(warehouse: duckdb.DuckDBPyConnection, log: LandingLog, person: Person, read_upto: int) -> Rows:
    """Find her rows: what the models take as evidence about her, and what nobody owns that holds a value of hers.

    The models have read the log up to ``read_upto``. Whose a row is that landed later nobody knows yet, so it is
    nobody's here; Perennial's own rows say themselves whom they are about.
    """
    attributed = dict(_attributed(warehouse, person))
    hers: dict[str, set[Place]] = {}
    for place, stream in attributed.items():
        hers.setdefault(stream, set()).add(place)
    told: dict[str, set[Place]] = {}
    mentions: Counter[str] = Counter()
    for found_row in places(log.files(), person):
        stream, place = found_row.stream, found_row.place
        is_read = stream.startswith(_OWN) or place[0] <= read_upto
        if place in attributed or stream in _NOBODYS or not is_read:
            continue
        if found_row.is_telling:
            told.setdefault(stream, set()).add(place)
        else:
            # what several people have in common makes a row nobody's
            mentions[stream] += 1
    for stream, found in told.items():
        if stream.startswith(_OWN):
            others = set(_about_others(log, stream, person, found))
        else:
            others = set(_others(warehouse, person, found))
        hers.setdefault(stream, set()).update(found - others)
        mentions[stream] += len(others)
    return Rows(
        {stream: frozenset(found) for stream, found in sorted(hers.items()) if found},
        frozenset(_ordered_carts(warehouse, hers)),
        {stream: count for stream, count in sorted(mentions.items()) if count},
    )


def _attributed(warehouse: duckdb.DuckDBPyConnection, person: Person) -> Iterator[tuple[Place, str]]:
    warehouse.execute(
        "create or replace temp table her_sightings as select distinct seq, row_no "
        "from identity.int_identity__sightings where list_contains($nodes, node)",
        {"nodes": sorted(person.nodes)},
    )
    values: dict[str, Any] = {
        "flowhub_ids": sorted(person.flowhub_ids()),
        "decisions": sorted(person.decisions),
        "own_addresses": sorted((person.emails | person.phones) - person.shared),
    }
    for model, stream, condition in _STAGED:
        used = {name: value for name, value in values.items() if f"${name}" in condition}
        found = warehouse.execute(
            f"""
            with hers as (
                select seq, row_no, source_key from {model}
                where {condition} or (seq, row_no) in (select (seq, row_no) from her_sightings)
            )
            select seq, row_no, {stream} from {model}
            where (seq, row_no) in (select (seq, row_no) from hers)
                -- what was delivered again is no sighting
                or (disposition = 'duplicate' and source_key in (select source_key from hers))
            """,  # noqa: S608 -- constants
            used,
        ).fetchall()
        for seq, row_no, name in found:
            yield (seq, row_no), name


def _others(
    warehouse: duckdb.DuckDBPyConnection, person: Person, found: Collection[Place]
) -> Iterator[Place]:
    """Yield the places that are evidence about somebody else, and what such a row was delivered again as."""
    again = " union ".join(
        f"""
        select staged.seq, staged.row_no
        from {model} as staged
        inner join asked on staged.seq = asked.place[1] and staged.row_no = asked.place[2]
        inner join {model} as loaded on staged.source_key = loaded.source_key
        inner join identity.int_identity__sightings as sightings
            on loaded.seq = sightings.seq and loaded.row_no = sightings.row_no
        where staged.disposition = 'duplicate'
        """  # noqa: S608 -- constants
        for model, _, _ in _STAGED
    )
    rows = warehouse.execute(
        f"""
        with asked as (select unnest($places) as place)
        {again}
        union
        select distinct sightings.seq, sightings.row_no
        from identity.int_identity__sightings as sightings
        inner join asked on sightings.seq = asked.place[1] and sightings.row_no = asked.place[2]
        union
        select orders.seq, orders.row_no
        from staging.base_flowhub__orders as orders
        inner join asked on orders.seq = asked.place[1] and orders.row_no = asked.place[2]
        where orders.flowhub_customer_id is not null
        union
        select feedback.seq, feedback.row_no
        from staging.base_messaging__feedback as feedback
        inner join asked on feedback.seq = asked.place[1] and feedback.row_no = asked.place[2]
        where list_contains($shared, feedback.address)
        """,  # noqa: S608 -- constants
        {"places": [list(place) for place in found], "shared": sorted(person.shared)},
    ).fetchall()
    yield from rows


def _about_others(log: LandingLog, stream: str, person: Person, found: Collection[Place]) -> Iterator[Place]:
    """Yield the places of own rows that name somebody else as the one they are about."""
    hers = person.customer_ids | person.nodes | person.record_keys | person.decisions
    source, _, rest = stream.partition("/")
    for record in log.read(source, rest, seqs={seq for seq, _ in found}):
        if (record.seq, record.row_no) in found and not is_tombstone(record.payload):
            subjects = set(_subjects(record.payload))
            if subjects and not subjects & hers:
                yield record.seq, record.row_no


def _subjects(payload: str) -> Iterator[str]:
    try:
        told = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return
    if isinstance(told, dict) and told.get("kind") == "order_push" and told.get("record_key"):
        # the record that ordered says whose it is; the customer_id of then may be another's by now
        yield str(told["record_key"])
        return
    for part in (told, told.get("enrollment")) if isinstance(told, dict) else ():
        if isinstance(part, dict):
            yield from (str(part[name]) for name in _SUBJECTS & part.keys() if part[name])


def _ordered_carts(
    warehouse: duckdb.DuckDBPyConnection, hers: Mapping[str, Collection[Place]]
) -> Iterator[Place]:
    """Yield the deliveries of carts that became an order: a sale stays in the books."""
    deliveries = [list(place) for stream in hers if stream.startswith("jane/") for place in hers[stream]]
    yield from warehouse.execute(
        """
        with asked as (select unnest($places) as place)
        select deliveries.seq, deliveries.row_no
        from staging.base_jane__carts as deliveries
        inner join asked on deliveries.seq = asked.place[1] and deliveries.row_no = asked.place[2]
        inner join events.int_carts as carts on deliveries.cart_id = carts.cart_id
        where carts.ordered_at is not null
        """,
        {"places": deliveries},
    ).fetchall()
