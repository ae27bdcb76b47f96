"""A person as what is published shows her: each field with its origin, her records, her identifiers, her former ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from perennial.published import Published
from warehouse.identity import require

_READS = (
    "marts.customer_fields", "marts.customer_identifiers", "marts.customer_id_changes", "marts.identifications",
    "marts.dim_customers", "identity.int_identity__map", "identity.int_identity__records",
)  # fmt: skip
_FIELDS = """
    select field, value, source, node, seen_at, rule from marts.customer_fields
    where customer_id = $customer_id order by field
"""
_RECORDS = """
    select map.node, records.source, records.full_name, cast(records.birth_date as varchar), records.last_seen_at,
        identifications.identified_at
    from identity.int_identity__map as map
    inner join identity.int_identity__records as records on map.record_key = records.record_key
    left join marts.identifications as identifications on map.node = identifications.node
    where map.customer_id = $customer_id order by records.first_seq, records.first_row_no, map.node
"""
_IDENTIFIERS = """
    select identifier_type, identifier_value, source, is_shared, first_seen_at, last_seen_at
    from marts.customer_identifiers where customer_id = $customer_id order by all
"""
# What her records were called before; an id that is somebody's by now was only lent.
_FORMER_IDS = """
    with recursive earlier(old_customer_id, changed_at, reason) as (
        select old_customer_id, changed_at, reason
        from marts.customer_id_changes where new_customer_id = $customer_id
        union
        select changes.old_customer_id, changes.changed_at, changes.reason
        from marts.customer_id_changes as changes
        inner join earlier on changes.new_customer_id = earlier.old_customer_id
    )
    select old_customer_id, changed_at, reason from earlier
    where old_customer_id <> $customer_id order by changed_at, old_customer_id
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the golden record, where it comes from, and the rule by which it won."""

    name: str
    value: str
    source: str
    node: str
    seen_at: datetime
    rule: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record of hers; ``identified_at`` says since when a device or a nameless cart is known to be hers."""

    node: str
    source: str
    full_name: str | None
    birth_date: str | None
    last_seen_at: datetime
    identified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value that she can be found by; ``is_shared`` says that others show it, too."""

    identifier_type: str
    identifier_value: str
    source: str
    is_shared: bool
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class FormerId:
    """An id that records of hers had: ``merged`` into hers, or ``split`` off from a person who is still there."""

    customer_id: str
    changed_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Profile:
    """All that is known of a person; ``has_conflict`` is true of one whose records contradict each other."""

    customer_id: str
    has_conflict: bool
    fields: Sequence[Field]
    records: Sequence[Record]
    identifiers: Sequence[Identifier]
    former_ids: Sequence[FormerId]


def profile(published: Published, customer_id: str) -> Profile:
    """Read a person; without fields where nothing but a device or a nameless cart is known of her."""
    require(published, _READS)

    def rows(query: str) -> list[Any]:
        return published.connection.execute(query, {"customer_id": customer_id}).fetchall()

    conflicts = rows("select has_conflict from marts.dim_customers where customer_id = $customer_id")
    return Profile(
        customer_id,
        conflicts == [(True,)],
        [Field(*row) for row in rows(_FIELDS)],
        [Record(*row) for row in rows(_RECORDS)],
        [Identifier(*row) for row in rows(_IDENTIFIERS)],
        [FormerId(*row) for row in rows(_FORMER_IDS)],
    )
