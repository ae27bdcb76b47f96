"""What an analyst takes back, what a load may not do, and what the order of arrival must not change."""

from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from benchmarks.identity.resolving import Resolver
from tests.identity.test_increments import BEGIN, SCHEMA, partition, resolved

Row = dict[str, Any]


def shopify(number: int, **fields: Any) -> Row:
    """Return a sighting of a Shopify customer."""
    return {"source": "shopify", "node": f"shopify_customer:{number}", "is_snapshot": True, **fields}


def load(resolver: Resolver, seq: int, *rows: Row) -> None:
    """Land a batch and resolve it."""
    table = [
        {"seq": seq, "row_no": place, "seen_at": BEGIN, **row} for place, row in enumerate(rows, start=1)
    ]
    resolver.observe(pa.Table.from_pylist(table, schema=SCHEMA))


def list_in(resolver: Resolver, seed: str, *values: str) -> None:
    """Write a row into a seed's table, as the next deployment would."""
    with resolver.warehouse() as warehouse:
        [[schema]] = warehouse.execute(
            "select table_schema from information_schema.tables where table_name = ?", [seed]
        ).fetchall()
        warehouse.execute(
            f"insert into {schema}.{seed} values ({', '.join('?' * len(values))})", list(values)
        )


def person_of(resolver: Resolver) -> dict[str, str]:
    """Return who is who."""
    return {node: customer_id for node, (customer_id, _) in resolved(resolver).items()}


@pytest.mark.slow
def test_a_wrong_merge_is_taken_back_with_the_old_ids(tmp_path: Path) -> None:
    """Shopify merged two women by mistake; a row of ``do_not_link`` parts them, and each is called what she was."""
    with Resolver(tmp_path) as resolver:
        ann, bea = shopify(1, email="ann@example.com"), shopify(2, email="bea@example.com")
        load(resolver, 1, ann, bea)
        resolver.resolve()
        before = person_of(resolver)
        merged = [{**row, "shopify_merge": "1", "is_snapshot": False} for row in (ann, bea)]
        load(resolver, 2, *merged)
        resolver.resolve()
        assert set(person_of(resolver).values()) == {before["shopify_customer:1"]}
        list_in(
            resolver, "do_not_link", "shopify_customer:1", "shopify_customer:2", "two women; the desk said so"
        )
        resolver.resolve(deploying=True)
        assert person_of(resolver) == before
        with resolver.warehouse() as warehouse:
            told = warehouse.sql(
                "select node, previous_customer_id from identity.int_identity__map "
                "where previous_customer_id is not null"
            ).fetchall()
    assert told == [("shopify_customer:2", before["shopify_customer:1"])]


@pytest.mark.slow
def test_a_kiosks_address_is_listed_and_parts_who_it_joined(tmp_path: Path) -> None:
    """A value that an analyst adds to the placeholders joins nobody any more, and no other value is touched."""
    with Resolver(tmp_path) as resolver:
        shared = {"email": "frontdesk@greenleaf.example"}
        load(resolver, 1, shopify(1, **shared), shopify(2, **shared), shopify(3, phone="+13035550001"))
        load(resolver, 1, shopify(4, phone="+13035550001"))
        resolver.resolve()
        assert len(set(person_of(resolver).values())) == 2
        list_in(resolver, "placeholder_identifiers", "email", "frontdesk@%", "the store's own")
        resolver.resolve(deploying=True)
        people = person_of(resolver)
    assert people["shopify_customer:1"] != people["shopify_customer:2"]
    assert people["shopify_customer:3"] == people["shopify_customer:4"]


@pytest.mark.slow
def test_the_circuit_breaks_before_a_load_joins_too_much(tmp_path: Path) -> None:
    """The run fails with the value that did it, masked; the old map stays; once the value is listed, life goes on."""
    with Resolver(tmp_path) as resolver:
        people = [shopify(number, email=f"someone{number}@example.com") for number in range(30)]
        load(resolver, 1, *people)
        resolver.resolve()
        before = person_of(resolver)
        load(resolver, 2, *[{**person, "is_snapshot": False, "shopify_merge": "77123"} for person in people])
        with pytest.raises(RuntimeError) as raised:
            resolver.resolve(identity_max_records=20)
        problem = str(raised.value)
        assert "one person of 30 records (IDENTITY_MAX_RECORDS is 20)" in problem
        assert "shopify_merge …23 on 30" in problem
        assert "77123" not in problem
        assert "someone1@" not in problem
        assert person_of(resolver) == before
        with pytest.raises(RuntimeError, match="end the ids of 29 people"):
            resolver.resolve(again=True, identity_max_absorbed=5)
        assert person_of(resolver) == before
        list_in(resolver, "placeholder_identifiers", "shopify_merge", "77123", "a merge that never was")
        resolver.resolve(again=True, deploying=True, identity_max_records=20)
        assert person_of(resolver) == before


@pytest.mark.slow
@pytest.mark.thorough
def test_the_order_of_arrival_changes_names_and_nothing_else(tmp_path: Path) -> None:
    """Shuffled, the same records are the same people; who is called what depends on who came first."""
    chance = Random(5)  # noqa: S311 - the same shuffle again
    rows = [
        shopify(
            number, email=f"e{chance.randrange(40)}@example.com", phone=f"+1303555{chance.randrange(40):04}"
        )
        for number in range(30)
    ]
    found = []
    for name in ("as_told", "shuffled"):
        (tmp_path / name).mkdir()
        with Resolver(tmp_path / name) as resolver:
            for seq in range(3):
                load(resolver, seq + 1, *rows[seq * 10 : seq * 10 + 10])
            resolver.resolve()
            found.append(resolved(resolver))
        chance.shuffle(rows)
    assert partition(found[0]) == partition(found[1])
    assert len(partition(found[0])) > 1
