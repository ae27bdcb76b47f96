"""The real identity models on a large resolved graph and a little news: ``python -m benchmarks.identity.incremental``.

A million people (``graphs.py``) are resolved in a first moment. Then moments bring 0.1 % and 1 % more edges: 60 % a
new identifier on a known record, 25 % new customers, 15 % an identifier of somebody else, which makes two people one.
Beside the seconds of the identity models stand those of a full run over the same rows, which must give the same people.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.identity.graphs import write_links
from benchmarks.identity.resolving import Resolver

_GIVEN_NAMES = 40
# The graph's heavy tails are meant to be one person's.
_MOST_RECORDS = 1_000
_ROWS_OF_A_BATCH = 5_000
# One row a link: the record shows one identifier, an e-mail or a phone. People who share no hub share no name either.
_OBSERVATIONS = """
    select
        {first_seq} + (row_number() over () - 1) // {rows} as seq,
        ((row_number() over () - 1) % {rows} + 1)::integer as row_no,
        timestamp '2025-01-01' + interval (row_number() over () // 10) second as seen_at,
        'jane' as source, 'jane_user:' || record_key as node, false as is_snapshot,
        'Name' || chr(97 + (person % {names} // 8)::integer) || chr(97 + (person % 8)::integer) as full_name,
        null::date as birth_date, null::varchar as programme, null::boolean as is_loyal,
        null::varchar as customer_groups, null::varchar as street_address, null::varchar as city,
        null::varchar as postal_code, null::varchar as state, null::varchar as country,
        case when link_key % 2 = 0 then link_key || '@mail.example' end as email,
        case when link_key % 2 = 1 then '+' || link_key end as phone,
        null::varchar as flowhub_customer_id, null::varchar as jane_external_user_id, null::varchar as jane_cart,
        null::varchar as pos_order_id, null::varchar as shopify_merge, null::varchar as device_id,
        null::varchar as medical_id
    from {links}
"""
# New keys are hashes that nobody has yet. A bridge joins people of one name; of two names they would be a household.
_NEWS = """
    with drawn as (
        select record_key, person, row_number() over () / {edges} as place
        from (select * from links using sample {edges} rows (reservoir, {turn}))
    ),
    new as (
        select *, hash('record', {turn}, place) // 16 as new_record, hash('link', {turn}, place) // 16 as new_link
        from drawn
    ),
    somebody as (
        select link_key, person % {names} as name, row_number() over (partition by person % {names}) as number
        from (select * from links using sample {edges} rows (reservoir, {turn}1))
    )
    select record_key, new_link::bigint as link_key, person from new where place <= 0.60
    union all
    select new_record::bigint, new_link::bigint, person from new where place > 0.60 and place <= 0.85
    union all
    select new.record_key, somebody.link_key, new.person
    from (
        select *, person % {names} as name, row_number() over (partition by person % {names}) as number
        from new
        where place > 0.85
    ) as new
    inner join somebody using (name, number)
"""


def main() -> int:
    """Measure, and print rows for RESULTS.md; 1 when the increments and a full run differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perennial-incremental-") as scratch:
        folder = Path(scratch)
        return measure(folder, wanted.people, wanted.turns)


def measure(folder: Path, people: int, turns: int) -> int:
    """Resolve, bring news in turns, and run once more over everything."""
    rows = write_links(folder / "links.parquet", people)
    graph = duckdb.connect(str(folder / "graph.duckdb"))
    graph.execute(f"create table links as from '{folder / 'links.parquet'}'")
    with Resolver(folder) as resolver:
        resolver.observe(observations(graph, "links", first_seq=1))
        resolver.resolve(identity_max_records=_MOST_RECORDS)
        full = [identity_seconds(resolver)]
        by_model = dict(resolver.seconds)
        print(f"first run over {rows:,} edges: {full[0]:.1f} s; {slowest(by_model)}", flush=True)
        taken: dict[float, list[float]] = {0.1: [], 1.0: []}
        for turn in range(turns):
            for percent, seconds in taken.items():
                edges = int(rows * percent / 100)
                show_news(graph, resolver, edges, turn * 10 + int(percent * 10))
                resolver.resolve(identity_max_records=_MOST_RECORDS)
                seconds.append(identity_seconds(resolver))
                print(f"+{percent} %: {seconds[-1]:.2f} s; {slowest(resolver.seconds)}", flush=True)
        incremental = by_person(resolver)
        resolver.resolve(full_refresh=True, identity_max_records=_MOST_RECORDS)
        full.append(identity_seconds(resolver))
        print(f"full run at the end: {full[-1]:.1f} s; {slowest(resolver.seconds)}", flush=True)
        same = by_person(resolver).equals(incremental)
    print("\n| news | models of who is who, s (median) | of a full run |\n| --- | --- | --- |")
    for percent, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"| +{percent} % | {middle:.2f} | {middle / full[-1]:.1%} |")
    print(f"| all {rows:,} edges | {full[-1]:.1f} | 100 % |\n")
    print("the increments give the people of the full run" if same else "INCREMENTS AND FULL RUN DIFFER")
    return 0 if same else 1


def observations(graph: duckdb.DuckDBPyConnection, links: str, first_seq: int) -> pa.Table:
    """Return links as rows that a source has shown."""
    query = _OBSERVATIONS.format(first_seq=first_seq, rows=_ROWS_OF_A_BATCH, names=_GIVEN_NAMES, links=links)
    return graph.sql(query).to_arrow_table()


def show_news(graph: duckdb.DuckDBPyConnection, resolver: Resolver, edges: int, turn: int) -> None:
    """Draw news, and show it after everything that was shown before."""
    graph.execute(
        "create or replace table news as " + _NEWS.format(edges=edges, turn=turn, names=_GIVEN_NAMES)
    )
    with resolver.warehouse() as warehouse:
        [[last]] = warehouse.execute("select max(seq) from identity.int_identity__observations").fetchall()
    resolver.observe(observations(graph, "news", first_seq=last + 1))


def identity_seconds(resolver: Resolver) -> float:
    """Return the seconds of the models, without the seeds that are loaded only when they change."""
    return sum(seconds for name, seconds in resolver.seconds.items() if name.startswith("int_identity__"))


def slowest(seconds: dict[str, float]) -> str:
    """Return the three models that took longest."""
    first = sorted(seconds.items(), key=lambda one: -one[1])[:3]
    return ", ".join(f"{name.removeprefix('int_identity__')} {taken:.2f}" for name, taken in first)


def by_person(resolver: Resolver) -> pa.Table:
    """Return who is who, in one order."""
    return resolver.map().sort_by("node")


if __name__ == "__main__":
    raise SystemExit(main())
