"""The macro that resolves all records at once, against a union-find."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.identity.macro_sql import MacroFile

Link = tuple[int, int]
# Ids are 60-bit hashes, as `key64` makes them: their order says nothing.
LARGEST = 2**60 - 1


def oracle(links: Iterable[Link]) -> set[frozenset[int]]:
    """Return the components of more than one record, by union-find."""
    parent: dict[object, object] = {}

    def root(one: object) -> object:
        while parent.setdefault(one, one) != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for record, link in links:
        parent[root(record)] = root(("link", link))
    members: dict[object, set[int]] = {}
    for record, _ in links:
        members.setdefault(root(record), set()).add(record)
    return {frozenset(found) for found in members.values() if len(found) > 1}


def resolved(links: Sequence[Link], run: Callable[[str], Any], engine: str = "duckdb") -> dict[int, int]:
    """Return each record's component as the macro says."""
    run("drop table if exists links")
    run("create temporary table links (record_key bigint, link_key bigint)")
    if links:
        run(f"insert into links values {', '.join(map(str, links))}")
    table = MacroFile("identity/all_components.sql", run, engine).all_components("links", into="found")
    return dict(run(f"select id, component from {table}"))


def partition(component_of: dict[int, int]) -> set[frozenset[int]]:
    """Return the components as sets."""
    members: dict[int, set[int]] = {}
    for record, component in component_of.items():
        members.setdefault(component, set()).add(record)
    return {frozenset(found) for found in members.values()}


def shapes() -> dict[str, list[Link]]:
    """Return what is hard for one algorithm or another, with ids that are hashes."""
    dice = random.Random(7)

    def key() -> int:
        return dice.randrange(LARGEST)

    chain = [key() for _ in range(50)]
    ends = [(chain[at + side], 1_000 + at) for at in range(49) for side in (0, 1)]
    hub = [(key(), 1) for _ in range(500)]
    two_hubs = [*hub, *((key(), 2) for _ in range(300)), (hub[0][0], 2)]
    sparse = [(dice.randrange(400), dice.randrange(350)) for _ in range(500)]
    return {"nothing": [], "alone": [(1, 1), (2, 2)], "chain": ends, "hub": hub, "hubs": two_hubs, "random": sparse}


@pytest.fixture
def run() -> Callable[[str], Any]:
    """Return what runs a statement on an empty DuckDB."""
    connection = duckdb.connect()
    return lambda statement: connection.execute(statement).fetchall()


@pytest.mark.parametrize("shape", shapes())
def test_hard_shapes(shape: str, run: Callable[[str], Any]) -> None:
    """Chains of fifty, hubs and hubs that meet are single components; who is alone is absent."""
    links = shapes()[shape]
    found = resolved(links, run)
    assert partition(found) == oracle(links)
    # named after a member, and the same in another run
    assert set(found.values()) <= set(found)
    assert resolved(list(reversed(links)), run) == found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 20)), max_size=45))
def test_any_links(links: list[Link]) -> None:
    """Small graphs of any shape, small ids among them, repeated links too."""
    connection = duckdb.connect()
    found = resolved(links, lambda statement: connection.execute(statement).fetchall())
    assert partition(found) == oracle(links)


def test_it_leaves_nothing_else(run: Callable[[str], Any]) -> None:
    """The tables of the rounds are gone; the name is the caller's."""
    resolved(shapes()["chain"], run)
    assert {name for (name,) in run("select table_name from duckdb_tables()")} == {"links", "found"}
