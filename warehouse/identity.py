"""Who is who, explained from what is published: what ties two records of a person, and what keeps two people apart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from perennial.errors import PerennialError
from perennial.published import Published

# Records that nobody is known by: what they show attaches to a person, and never makes two people one.
_ANONYMOUS = ("device:", "jane_cart:")
_READS = (
    "marts.identity_links", "marts.identity_guards", "identity.int_identity__map", "identity.int_identity__records",
    "identity.int_identity__record_identifiers", "seeds.do_not_link", "seeds.identifier_rules",
)  # fmt: skip
_RECORDS = """
    select map.node, map.customer_id, map.is_rebuilt, records.given_name_key, records.surname_key, records.birth_date
    from identity.int_identity__map as map
    inner join identity.int_identity__records as records on map.record_key = records.record_key
    where map.customer_id in (select customer_id from identity.int_identity__map where list_contains($nodes, node))
    order by map.node
"""
_LINKS = """
    select node, identifier_type, identifier_value, is_after_recycling, tier, rule, why, verdict, source,
        first_seen_at, last_seen_at
    from marts.identity_links where customer_id = $customer_id
"""
_SHARED = """
    with held as (
        select map.customer_id, map.node, identifiers.*
        from identity.int_identity__record_identifiers as identifiers
        inner join identity.int_identity__map as map on identifiers.record_key = map.record_key
        where map.customer_id in ($one, $other)
    )
    select
        one.identifier_type, one.identifier_value, rules.link_mode, rules.max_records, rules.max_people,
        guards.verdict, guards.block_reason, guards.record_count, guards.recycled_at,
        list(distinct one.node order by one.node) as ones,
        list(distinct other.node order by other.node) as others,
        list(distinct one.node) filter (where one.is_active) as ones_now,
        list(distinct other.node) filter (where other.is_active) as others_now,
        coalesce(
            (min(one.first_seen_at) filter (where one.is_active) >= min(guards.recycled_at))
            <> (min(other.first_seen_at) filter (where other.is_active) >= min(guards.recycled_at)), false
        ) as is_given_on
    from held as one
    inner join held as other on one.identifier_key = other.identifier_key
    inner join seeds.identifier_rules as rules on one.identifier_type = rules.identifier_type
    left join marts.identity_guards as guards
        on one.identifier_type = guards.identifier_type and one.identifier_value = guards.identifier_value
    where one.customer_id = $one and other.customer_id = $other
    group by all
    order by any_value(rules.tier), one.identifier_type, one.identifier_value
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A record, whose it is, and what it says of her, as names are compared."""

    node: str
    customer_id: str
    is_rebuilt: bool
    given_name: str | None
    surname: str | None
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class Shown:
    """That a record shows a value which ties it to others, and the rule by which the value may."""

    node: str
    identifier_type: str
    identifier_value: str
    is_after_recycling: bool
    tier: int
    rule: str
    why: str
    verdict: str
    source: str
    first_seen_at: datetime
    last_seen_at: datetime

    @property
    def value(self) -> tuple[str, str, bool]:
        """The value, free of who shows it."""
        return self.identifier_type, self.identifier_value, self.is_after_recycling


@dataclass(frozen=True, slots=True)
class Step:
    """From one record to the next, by a value that both show."""

    here: Shown
    there: Shown

    @property
    def since(self) -> datetime:
        """When both had shown it."""
        return max(self.here.first_seen_at, self.there.first_seen_at)


@dataclass(frozen=True, slots=True)
class Path:
    """Why two records are one person's: the steps from the one to the other."""

    customer_id: str
    is_rebuilt: bool
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that two people have both shown, and why it does not join them."""

    identifier_type: str
    identifier_value: str
    ones: Sequence[str]
    others: Sequence[str]
    because: str


@dataclass(frozen=True, slots=True)
class Apart:
    """Why two records are two people's: the rows of ``do_not_link`` between them, and what they share nevertheless."""

    one: str
    other: str
    kept_apart: Sequence[tuple[str, str, str]]
    shared: Sequence[Shared]


def why(published: Published, one: str, other: str) -> Path | Apart:
    """Explain two records, named by their nodes.

    Raises ``PerennialError`` when a name is no record's as of the published set.
    """
    require(published, _READS)
    connection = published.connection
    records = {row.node: row for row in _known(connection, one, other)}
    for place, node in (("first", one), ("second", other)):
        if node not in records:
            raise PerennialError(
                f"the {place} name is no record's as of build {published.build_no}",
                "write a record as type:id, such as flowhub_customer:c-1; perennial identity show PERSON lists hers",
            )
    first, second = records[one], records[other]
    if first.customer_id != second.customer_id:
        return _apart(connection, first, second, records.values())
    shown = [Shown(*row) for row in connection.execute(_LINKS, {"customer_id": first.customer_id}).fetchall()]
    return Path(first.customer_id, first.is_rebuilt, shortest_path(shown, records, one, other))


def require(published: Published, names: Iterable[str]) -> None:
    """Raise ``PerennialError`` where the set was published by a version that did not know these names."""
    if not published.names.issuperset(names):
        raise PerennialError(
            "what is published was built by an older version of Perennial", "build again: perennial run"
        )


def shortest_path(shown: Iterable[Shown], records: Mapping[str, Known], one: str, other: str) -> list[Step]:
    """Return the fewest steps between two records of a person.

    Steps that join by themselves are tried first. Where a record has no name of its own to agree by, what the tiers
    before had put together agreed for it, and any value that it shares may be the one.
    """
    by_value: dict[tuple[str, str, bool], list[Shown]] = {}
    by_node: dict[str, list[Shown]] = {}
    for each in sorted(shown, key=lambda each: (each.tier, each.value, each.node)):
        by_value.setdefault(each.value, []).append(each)
        by_node.setdefault(each.node, []).append(each)
    ends = {one, other}
    for is_strict in (True, False):
        came_by: dict[str, Step | None] = {one: None}
        queue = [one]
        for node in queue:  # grows while it is walked: breadth first
            for here in by_node.get(node, ()):
                for there in by_value[here.value]:
                    if there.node in came_by or (is_strict and not _joins(here, there, records, ends)):
                        continue
                    came_by[there.node] = Step(here, there)
                    queue.append(there.node)
        if other in came_by:
            return list(_walked(came_by, other))
    return []


def _walked(came_by: Mapping[str, Step | None], last: str) -> Iterator[Step]:
    step = came_by[last]
    if step is not None:
        yield from _walked(came_by, step.here.node)
        yield step


def _joins(here: Shown, there: Shown, records: Mapping[str, Known], ends: set[str]) -> bool:
    """Return whether the value joins the two by itself."""
    if here.rule == "attach":
        # a device leads to its person, and from nobody to nobody else
        return any(shown.node in ends and shown.node.startswith(_ANONYMOUS) for shown in (here, there))
    if here.rule == "always" or here.verdict == "links":
        return True
    one, other = records[here.node], records[there.node]
    if one.birth_date and other.birth_date:
        return (
            one.birth_date == other.birth_date and (one.given_name or "")[:1] == (other.given_name or "")[:1]
        )
    return one.given_name is not None and one.given_name == other.given_name


def _apart(
    connection: duckdb.DuckDBPyConnection, one: Known, other: Known, records: Iterable[Known]
) -> Apart:
    ones, others = ([row for row in records if row.customer_id == who.customer_id] for who in (one, other))
    listed = connection.execute("select node_a, node_b, why from seeds.do_not_link order by all").fetchall()
    sides = {row.node: row.customer_id for row in [*ones, *others]}
    kept_apart = [row for row in listed if {sides.get(row[0]), sides.get(row[1])} == set(sides.values())]
    cursor = connection.execute(_SHARED, {"one": one.customer_id, "other": other.customer_id})
    names = [column[0] for column in cursor.description or ()]
    shared = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    reasons = ["the seed do_not_link keeps them apart"] if kept_apart else list(_differences(ones, others))
    if not reasons and (one.is_rebuilt or other.is_rebuilt):
        reasons = ["records around them contradicted each other, so only what agrees in all joins"]
    return Apart(
        one.customer_id,
        other.customer_id,
        kept_apart,
        [
            Shared(
                value["identifier_type"],
                value["identifier_value"],
                value["ones"],
                value["others"],
                _guarded(value) or "; ".join(reasons) or "nothing tells that those who show it agree",
            )
            for value in shared
        ],
    )


def _differences(ones: Sequence[Known], others: Sequence[Known]) -> Iterator[str]:
    """Say in what two people have nothing in common, though both tell it."""
    for what, said, heard in (
        ("given names", {row.given_name for row in ones}, {row.given_name for row in others}),
        ("birth dates", {row.birth_date for row in ones}, {row.birth_date for row in others}),
    ):
        one, other = ({str(value) for value in values if value is not None} for values in (said, heard))
        if one and other and one.isdisjoint(other):
            yield f"{what} differ ({', '.join(sorted(one))}; {', '.join(sorted(other))})"


def _guarded(value: Mapping[str, Any]) -> str | None:
    """Say what holds a value back from joining anybody, or these; None where it is free to."""
    match value["block_reason"]:
        case "placeholder":
            return "a placeholder: the seed placeholder_identifiers lists it"
        case "too_many_records":
            return (
                f"on {value['record_count']} records, of at most {value['max_records']}: shared by too many"
            )
        case "too_many_people":
            return f"shown by more than {value['max_people']} people: shared by too many"
    if not (value["ones_now"] and value["others_now"]):
        return f"{', '.join(value['others'] if value['ones_now'] else value['ones'])} shows it no more"
    if value["is_given_on"]:
        return f"given to another on {value['recycled_at']:%Y-%m-%d}: who had it before is somebody else"
    is_device = value["link_mode"] == "attach"
    return "a device belongs to one known person at most, and joins no two" if is_device else None


def _known(connection: duckdb.DuckDBPyConnection, *nodes: str) -> list[Known]:
    return [Known(*row) for row in connection.execute(_RECORDS, {"nodes": list(nodes)}).fetchall()]
