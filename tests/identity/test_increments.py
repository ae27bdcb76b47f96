"""What comes in loads is resolved as what comes at once, and as a union-find says where nobody contradicts anybody.

Many small worlds that share nothing lie in one warehouse, so that a load of all of them is one build.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from benchmarks.identity.resolving import Resolver

LOADS = 3
WORLDS = 150
BEGIN = datetime(2025, 1, 1)  # noqa: DTZ001 - the warehouse keeps UTC without a zone
SCHEMA = pa.schema(
    [
        *(
            ("seq", pa.int64()),
            ("row_no", pa.int32()),
            ("seen_at", pa.timestamp("us")),
            ("source", pa.string()),
        ),
        *(("node", pa.string()), ("is_snapshot", pa.bool_()), ("full_name", pa.string())),
        *(("birth_date", pa.date32()), ("programme", pa.string()), ("is_loyal", pa.bool_())),
        *(
            (name, pa.string())
            for name in ("customer_groups", "street_address", "city", "postal_code", "state")
        ),
        *((name, pa.string()) for name in ("country", "email", "phone", "flowhub_customer_id")),
        *((name, pa.string()) for name in ("jane_external_user_id", "jane_cart", "pos_order_id")),
        *((name, pa.string()) for name in ("shopify_merge", "device_id", "medical_id")),
    ]
)
Row = dict[str, Any]
Map = dict[str, tuple[str, bool]]  # record -> person, and whether she was built again


def nameless(chance: Random) -> Row:
    """Return a sighting of one of a world's few records; a till's shows the whole record, so it takes back."""
    return {
        "load": chance.randrange(LOADS),
        "record": chance.randrange(7),
        "source": chance.choice(["flowhub", "jane", "partners"]),
        "email": chance.choice([None, 0, 1, 2, 3]),
        "phone": chance.choice([None, None, 0, 1, 2]),
        "merge": chance.choice([None, None, None, 0, 1]),
    }


def named(chance: Random) -> Row:
    """Return a sighting with what may contradict another."""
    names = [None, "Jonathan Reyes", "Jonathon Reyes", "Bob Reyes", "Reyes Jonathan", "Cat"]
    return nameless(chance) | {
        "merge": chance.choice([None] * 9 + [0]),
        "device": chance.choice([None, None, 0, 1]),
        "medical": chance.choice([None, None, None, 0, 1]),
        "name": chance.choice(names),
        "born": chance.choice([None, date(1990, 5, 15), date(1990, 5, 16), date(1955, 1, 1)]),
    }


def worlds_of(seed: int, sighting: Callable[[Random], Row]) -> list[list[Row]]:
    """Return the worlds of a seed: each a handful of sightings, spread over the loads."""
    chance = Random(seed)  # noqa: S311 - the same worlds again
    return [[sighting(chance) for _ in range(chance.randint(2, 12))] for _ in range(WORLDS)]


def observations(worlds: list[list[Row]], load: int) -> pa.Table:
    """Return a load of all worlds, in the columns of the observations."""
    found = [
        _observation(f"w{number}", row)
        for number, world in enumerate(worlds)
        for row in world
        if row["load"] == load
    ]
    for place, row in enumerate(found):
        row |= {"seq": load + 1, "row_no": place + 1, "seen_at": BEGIN + timedelta(days=200 * load)}
    return pa.Table.from_pylist(found, schema=SCHEMA)


def _observation(world: str, row: Row) -> Row:
    kind = {"flowhub": "flowhub_customer", "jane": "jane_user", "partners": "device"}[row["source"]]
    if row["source"] == "partners" and row.get("device") is None:
        kind = "partner_customer"
    number = row["device"] if kind == "device" else row["record"]
    return {
        "source": row["source"],
        "node": f"{kind}:{world}-{number}",
        "is_snapshot": row["source"] == "flowhub",
        "full_name": row.get("name"),
        "birth_date": row.get("born"),
        "email": _value(world, "e{}@example.com", row["email"]),
        "phone": _value(world, "+1{}", row["phone"]),
        "shopify_merge": _value(world, "m{}", row.get("merge")),
        "device_id": _value(world, "d{}", row.get("device")),
        "medical_id": _value(world, "MED{}", row.get("medical")),
    }


def _value(world: str, pattern: str, number: int | None) -> str | None:
    return None if number is None else f"{world}{pattern.format(number)}"


def resolved(resolver: Resolver) -> Map:
    """Return each record's person, and whether her neighbourhood had to be built again."""
    with resolver.warehouse() as warehouse:
        found = warehouse.sql(
            "select node, customer_id, is_rebuilt from identity.int_identity__map"
        ).fetchall()
    return {node: (customer_id, is_rebuilt) for node, customer_id, is_rebuilt in found}


def both_ways(worlds: list[list[Row]], folder: Path) -> Iterator[tuple[int, Map, Map]]:
    """Resolve load by load, and everything so far at once; give both after each load."""
    for name in ("by_load", "at_once"):
        (folder / name).mkdir(parents=True)
    with Resolver(folder / "by_load") as by_load, Resolver(folder / "at_once") as at_once:
        for load in range(LOADS):
            for resolver in (by_load, at_once):
                resolver.observe(observations(worlds, load))
            by_load.resolve()
            at_once.resolve(full_refresh=True)
            yield load, resolved(by_load), resolved(at_once)


def union_find(worlds: list[list[Row]], upto: int) -> set[frozenset[str]]:
    """Return the people: records that any value joins, directly or through others. A till's newest row says all."""
    shown: dict[str, dict[int, Row]] = defaultdict(dict)
    for load in range(upto + 1):
        for place, row in enumerate(observations(worlds, load).to_pylist()):
            shown[row["node"]][load * 1_000_000 + place] = row
    parent = {node: node for node in shown}

    def root(node: str) -> str:
        while parent[node] != node:
            node = parent[node]
        return node

    holder: dict[tuple[str, str], str] = {}
    for node, told in shown.items():
        newest = told[max(told)]
        for row in told.values():
            for field in ("email", "phone", "shopify_merge"):
                taken_back = (
                    newest["is_snapshot"] and field != "shopify_merge" and row[field] != newest[field]
                )
                if row[field] is not None and not taken_back:
                    parent[root(node)] = root(holder.setdefault((field, row[field]), node))
    people: dict[str, set[str]] = defaultdict(set)
    for node in shown:
        people[root(node)].add(node)
    return {frozenset(nodes) for nodes in people.values()}


def partition(map_: Map) -> set[frozenset[str]]:
    """Return the sets of records that are one person's."""
    people: dict[str, set[str]] = defaultdict(set)
    for node, (customer_id, _) in map_.items():
        people[customer_id].add(node)
    return {frozenset(nodes) for nodes in people.values()}


def differences(one: Map, other: Map) -> dict[str, Any]:
    """Return the records of which two maps say different things, and what."""
    return {
        node: (one.get(node), other.get(node))
        for node in one.keys() | other.keys()
        if one.get(node) != other.get(node)
    }


def some_of(one: Iterable[frozenset[str]], other: Iterable[frozenset[str]]) -> list[list[str]]:
    """Return a few of the people that are in one and not in the other, to be read."""
    return [sorted(people) for people in list(set(one) - set(other))[:3]]


_FEW = settings(max_examples=1, deadline=None, derandomize=True, phases=[Phase.generate])


@pytest.mark.slow
@_FEW
@given(seed=st.integers(0, 2**32))
def test_loads_resolve_as_a_union_find_does(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Values that come, go and come back, in loads: where nobody has a name, what is shared is one person."""
    worlds = worlds_of(seed, nameless)
    for load, by_load, at_once in both_ways(worlds, tmp_path_factory.mktemp("nameless")):
        assert differences(by_load, at_once) == {}
        truth = union_find(worlds, load)
        assert some_of(truth, partition(by_load)) == []
        assert some_of(partition(by_load), truth) == []
        assert len(truth) < len(by_load)


@pytest.mark.slow
@_FEW
@given(seed=st.integers(0, 2**32))
def test_loads_with_contradictions_resolve_as_one(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Names, birth dates, devices and returned numbers, in loads: ids and flags are those of one build."""
    worlds = worlds_of(seed, named)
    for _, by_load, at_once in both_ways(worlds, tmp_path_factory.mktemp("named")):
        assert differences(by_load, at_once) == {}
        assert len(partition(by_load)) < len(by_load)
    assert any(is_rebuilt for _, is_rebuilt in at_once.values())
