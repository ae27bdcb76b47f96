"""Who is to be erased: everything that the warehouse knows her by."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import msgspec

from perennial.errors import PerennialError
from perennial.salt import Salt
from reverse_etl.addresses import CHANNELS, Channel, address_hash, normalise

_ADDRESS_TYPES: dict[Channel, str] = {"email": "email", "sms": "phone"}


class Person(msgspec.Struct, frozen=True):
    """A resolved person: her records in each source (``nodes``) and the values that lead to her.

    ``ids`` are what sources and devices call her, ``decisions`` what was ever decided about her, ``pushes`` what was
    decided about her orders. ``shared`` are the addresses that records of other people carry too. It is personal data
    from one end to the other: never logged, and its ``repr`` shows nothing.
    """

    customer_id: str
    customer_ids: frozenset[str]
    nodes: frozenset[str]
    record_keys: frozenset[str]
    emails: frozenset[str]
    phones: frozenset[str]
    shared: frozenset[str]
    ids: frozenset[str]
    names: frozenset[str]
    birth_dates: frozenset[str]
    streets: frozenset[str]
    decisions: frozenset[str]
    pushes: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return "Person(…)"

    def alone(self) -> "Person":
        """Return her without what is other people's too: what is found of it names nobody."""
        return msgspec.structs.replace(
            self, emails=self.emails - self.shared, phones=self.phones - self.shared
        )

    @property
    def addresses(self) -> list[tuple[Channel, str]]:
        """Return her addresses with the channels that reach them."""
        found: dict[Channel, frozenset[str]] = {"email": self.emails, "sms": self.phones}
        return [(channel, address) for channel in CHANNELS for address in sorted(found[channel])]

    def flowhub_ids(self) -> frozenset[str]:
        """Return her ids at the point of sale."""
        return frozenset(
            node.removeprefix("flowhub_customer:")
            for node in self.nodes
            if node.startswith("flowhub_customer:")
        )


@dataclass(frozen=True, slots=True)
class Hashes:
    """What an erasure keeps: hashes of addresses by channel, and of the names of her records."""

    addresses: Sequence[tuple[Channel, str]]
    records: Sequence[str]


def hashes_of(person: Person, salt: Salt) -> Hashes:
    """Return what stands for her in the landing log from now on."""
    names = person.nodes | person.ids | person.customer_ids
    return Hashes(
        [(channel, address_hash(salt, channel, address)) for channel, address in person.addresses],
        sorted(salt.hash("record", name) for name in names),
    )


def hashes_asked(asked: str, salt: Salt) -> set[str]:
    """Return the hashes under which an earlier erasure would know what somebody asked for."""
    return {
        *(address_hash(salt, channel, asked) for channel in CHANNELS),
        salt.hash("record", asked.strip()),
    }


def find(warehouse: duckdb.DuckDBPyConnection, asked: str) -> Person | None:
    """Return the person that an e-mail, phone, source id or ``customer_id`` leads to; None where nobody is known by it.

    Raises ``PerennialError`` where several people are: an address may be shared.
    """
    found = called(warehouse, asked)
    if not found:
        return None
    if len(found) > 1:
        raise PerennialError(
            f"that identifier belongs to {len(found)} people: {', '.join(found)}",
            "call it with the customer_id of the one who is meant; perennial never erases two people at once",
        )
    return _person(warehouse, found[0])


def called(warehouse: duckdb.DuckDBPyConnection, asked: str) -> list[str]:
    """Return who is known by an e-mail, phone, source id, node or ``customer_id``, of now or before a merge.

    Asks the warehouse, or what is published of it.
    """
    wanted = asked.strip()
    spellings = sorted({wanted, normalise("email", wanted), normalise("sms", wanted)})
    found = _column(
        warehouse,
        """
        select customer_id from identity.int_identity__map where customer_id = $wanted
        union
        select new_customer_id from marts.customer_id_changes
        where old_customer_id = $wanted
            and new_customer_id in (select customer_id from identity.int_identity__map)
        union
        select map.customer_id
        from identity.int_identity__record_identifiers as identifiers
        inner join identity.int_identity__map as map on identifiers.record_key = map.record_key
        where list_contains($spellings, identifiers.identifier_value)
        union
        select customer_id from identity.int_identity__map
        where regexp_extract(node, '[^:]*$') = $wanted or node = $wanted
        """,
        {"wanted": wanted, "spellings": spellings},
    )
    return sorted(found)


def _person(warehouse: duckdb.DuckDBPyConnection, customer_id: str) -> Person:
    nodes = _column(
        warehouse, "select node from identity.int_identity__map where customer_id = $id", {"id": customer_id}
    )
    become = _column(
        warehouse,
        """
        with recursive earlier(id) as (
            select $id
            union
            select changes.old_customer_id
            from marts.customer_id_changes as changes
            inner join earlier on changes.new_customer_id = earlier.id
        )
        select id from earlier
        -- an id that somebody else has by now is not hers
        where id = $id or id not in (select customer_id from identity.int_identity__map)
        """,
        {"id": customer_id},
    )
    # an id is a function of a record, so each record of hers may have named her before
    named = {f"c_{hashlib.md5(node.encode(), usedforsecurity=False).hexdigest()[:16]}" for node in nodes}
    customer_ids = sorted({*become, *named})
    identifiers = warehouse.execute(
        """
        select distinct identifiers.identifier_type, identifiers.identifier_value
        from identity.int_identity__record_identifiers as identifiers
        inner join identity.int_identity__map as map on identifiers.record_key = map.record_key
        left join identity.int_identity__identifier_status as status
            on identifiers.identifier_key = status.identifier_key
        where map.customer_id = $id and status.block_reason is distinct from 'placeholder'
        """,
        {"id": customer_id},
    ).fetchall()
    seen = warehouse.execute(
        """
        select distinct full_name, cast(birth_date as varchar), street_address
        from identity.int_identity__sightings
        where list_contains($nodes, node)
        """,
        {"nodes": nodes},
    ).fetchall()
    by_type: dict[str, set[str]] = {}
    for kind, value in identifiers:
        by_type.setdefault(kind, set()).add(value)
    known_by = ("medical_id", "flowhub_customer_id", "jane_external_user_id", "shopify_merge", "device_id")
    ids = {value for kind in known_by for value in by_type.get(kind, ())}
    # a contact's node ends in its address, a cart's in the cart: neither is an id of hers
    nameless = ("jane_contact", "omni_contact", "partner_contact", "jane_cart")
    ids |= {node.rpartition(":")[2] for node in nodes if node.partition(":")[0] not in nameless}
    return Person(
        customer_id=customer_id,
        customer_ids=frozenset(customer_ids),
        nodes=frozenset(nodes),
        record_keys=frozenset(
            _column(
                warehouse,
                "select cast(record_key as varchar) from identity.int_identity__map where customer_id = $id",
                {"id": customer_id},
            )
        ),
        emails=frozenset(by_type.get("email", ())),
        phones=frozenset(by_type.get("phone", ())),
        shared=frozenset(_shared(warehouse, customer_id)),
        ids=frozenset(ids),
        names=_known(row[0] for row in seen),
        birth_dates=_known(row[1] for row in seen),
        streets=_known(row[2] for row in seen),
        decisions=frozenset(
            _column(
                warehouse,
                """
                select decision_id from decisions.int_flow_decisions
                where list_contains($ids, customer_id) or list_contains($nodes, subject_node)
                """,
                {"ids": customer_ids, "nodes": nodes},
            )
        ),
        # by the record that ordered: what it was called when it was decided may be somebody else's name by now
        pushes=frozenset(
            _column(
                warehouse,
                """
                select pushes.push_id
                from decisions.int_order_pushes as pushes
                inner join identity.int_identity__map as map on pushes.record_key = map.record_key
                where map.customer_id = $id
                """,
                {"id": customer_id},
            )
        ),
    )


def _shared(warehouse: duckdb.DuckDBPyConnection, customer_id: str) -> list[str]:
    """Return the addresses of hers that other people's records carry too."""
    return _column(
        warehouse,
        """
        with carried as (
            select identifiers.identifier_value, map.customer_id
            from identity.int_identity__record_identifiers as identifiers
            inner join identity.int_identity__map as map on identifiers.record_key = map.record_key
            where identifiers.identifier_type in ('email', 'phone')
        )
        select identifier_value from carried where customer_id = $id
        intersect
        select identifier_value from carried where customer_id <> $id
        """,
        {"id": customer_id},
    )


def _known(values: Any) -> frozenset[str]:  # noqa: ANN401 - whatever a row holds
    return frozenset(value for value in values if value)


def _column(warehouse: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> list[str]:
    return [row[0] for row in warehouse.execute(query, values).fetchall()]
