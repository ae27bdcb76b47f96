"""Precision and recall of the product's own models: ``python -m benchmarks.identity.accuracy``.

On FEBRL 3 and 4 and on the messy set, each in pairs of records: the real dbt models, one strong key alone, and Splink
with a trained model at the threshold that suits it best (it is shown the truth for that; the models are not).
Whoever writes rules calls it with ``--development --models-only``: the seeds for that, quick. The scored seeds are for
RESULTS.md.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.identity import messy
from benchmarks.identity.macro_sql import MacroFile
from benchmarks.identity.pairs import Score, score
from benchmarks.identity.resolving import Resolver
from benchmarks.rivals import rivals_python

HERE = Path(__file__).parent
# A value on more records than this is the counter's: even one key alone needs to know that much.
FEW = 12
MANY = 1_000_000
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)
# FEBRL's people as the point of sale's customers: each record one row, all of it at once.
_FEBRL = """
    select
        1::bigint as seq, row_number() over (order by rec_id)::integer as row_no, timestamp '2026-01-01' as seen_at,
        'flowhub' as source, 'flowhub_customer:' || rec_id as node, true as is_snapshot,
        nullif(trim(concat_ws(' ', given_name, surname)), '') as full_name,
        try_strptime(date_of_birth, '%Y%m%d')::date as birth_date,
        'unknown' as programme, false as is_loyal, null::varchar as customer_groups,
        nullif(trim(concat_ws(' ', street_number, address_1)), '') as street_address,
        suburb as city, postcode as postal_code, upper(state) as state, 'AU' as country,
        null::varchar as email, null::varchar as phone,
        rec_id as flowhub_customer_id, null::varchar as jane_external_user_id, null::varchar as jane_cart,
        null::varchar as pos_order_id, null::varchar as shopify_merge, null::varchar as device_id,
        soc_sec_id as medical_id
    from '{file}'
"""
# What Splink is given: a record's newest value of each field, under the product's own normalisation, without what the
# product knows for no value.
_RECORDS = """
    select
        record_key,
        {fields}
    from (
        select * replace (
            case when not exists (
                select 1 from seeds.placeholder_identifiers as listed
                where listed.identifier_type = 'email' and email like listed.pattern
            ) then email end as email,
            case when not exists (
                select 1 from seeds.placeholder_identifiers as listed
                where listed.identifier_type = 'phone' and phone like listed.pattern
            ) then phone end as phone,
            cast(birth_date as varchar) as birth_date
        )
        from identity.int_identity__sightings
    )
    group by record_key
"""
_FIELDS = (
    "given_name_key", "surname_key", "birth_date", "email", "phone", "medical_id", "device_id", "street_address",
    "postal_code",
)  # fmt: skip
# What needs no model: the source itself says that two records are one customer.
_CERTAIN = ("flowhub_customer_id", "jane_external_user_id", "jane_cart", "pos_order_id", "shopify_merge")


@dataclass(frozen=True)
class LabelledSet:
    """Observations with their truth, and the identifier that alone says most."""

    name: str
    observations: pa.Table
    truth: pa.Table
    strong_key: str


def main() -> int:
    """Score, and print a table's rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true", help="the seeds that rules are written on")
    parser.add_argument("--models-only", action="store_true", help="without Splink")
    parser.add_argument("--people", type=int, default=100_000)
    wanted = parser.parse_args()
    print("| set | by | precision | recall | F1 | pairs wrong | largest |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="perennial-accuracy-") as scratch:
        folder = Path(scratch)
        python = rivals_python(folder / "rivals")
        for labelled in sets(folder, python, wanted.people, development=wanted.development):
            for by, found in ways(labelled, folder / labelled.name, python, peer=not wanted.models_only):
                print(row(labelled.name, by, found), flush=True)
    return 0


def sets(folder: Path, python: str, people: int, *, development: bool) -> Iterator[LabelledSet]:
    """Return FEBRL 3 and 4 and a messy set a seed."""
    subprocess.run([python, str(HERE / "febrl_sets.py"), str(folder)], check=True)  # noqa: S603 - our own command
    connection = duckdb.connect()
    for name in ("febrl3", "febrl4"):
        file = folder / f"{name}.parquet"
        truth = f"select 'flowhub_customer:' || rec_id as node, person_id from '{file}'"  # noqa: S608 - our own file
        yield LabelledSet(
            name,
            connection.sql(_FEBRL.format(file=file)).to_arrow_table(),
            connection.sql(truth).to_arrow_table(),
            strong_key="medical_id",
        )
    for seed in messy.DEVELOPMENT_SEEDS if development else messy.SCORED_SEEDS:
        town = messy.generate(people, seed)
        yield LabelledSet(f"messy {seed}", town.sightings, town.truth, strong_key="email")


def ways(labelled: LabelledSet, folder: Path, python: str, *, peer: bool) -> Iterator[tuple[str, Score]]:
    """Resolve a set in each way."""
    folder.mkdir()
    with Resolver(folder) as resolver:
        resolver.observe(labelled.observations)
        seconds = resolver.resolve()
        yield (
            f"the models ({seconds:.1f} s)",
            score(resolver.map().rename_columns(["node", "person"]), labelled.truth),
        )
        with resolver.warehouse() as warehouse:
            nodes = warehouse.sql("select distinct record_key, node from identity.int_identity__sightings")
            nodes.create("nodes")
            yield (
                f"{labelled.strong_key} alone",
                score(components(warehouse, shared_values(labelled.strong_key, FEW)), labelled.truth),
            )
            if peer:
                yield splink(labelled, warehouse, folder, python)


def splink(
    labelled: LabelledSet, warehouse: duckdb.DuckDBPyConnection, folder: Path, python: str
) -> tuple[str, Score]:
    """Let Splink find pairs, and return the best of what each threshold makes of them, by F1."""
    records, pairs = folder / "records.parquet", folder / "pairs.parquet"
    fields = ", ".join(
        f"arg_max({field}, (seq, row_no)) filter ({field} is not null) as {field}" for field in _FIELDS
    )
    pq.write_table(warehouse.sql(_RECORDS.format(fields=fields)).to_arrow_table(), records)
    command = [python, str(HERE / "splink_records.py"), str(records), str(pairs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command
    seconds = float(done.stdout.split()[-1])
    certain = " union all ".join(shared_values(column) for column in _CERTAIN)
    best: tuple[float, Score] | None = None
    for threshold in THRESHOLDS:
        links = (
            f"{certain} union all select unnest([one, other]), hash(one, other) // 16 from '{pairs}'"  # noqa: S608
            f" where probability >= {threshold}"
        )
        found = score(components(warehouse, links), labelled.truth)
        if best is None or found.f1 > best[1].f1:
            best = (threshold, found)
    assert best is not None
    return f"Splink 5 at {best[0]} ({seconds:.1f} s)", best[1]


def shared_values(column: str, at_most: int = MANY) -> str:
    """Return the links of everybody who shows the same value of a column, unless it is more records than so many."""
    return (
        f"select record_key, cast(hash('{column}', {column}) // 16 as bigint) as link_key"  # noqa: S608 - our own names
        f" from identity.int_identity__sightings where {column} is not null"
        f" qualify count(distinct record_key) over (partition by {column}) <= {at_most}"
    )


def components(warehouse: duckdb.DuckDBPyConnection, links: str) -> pa.Table:
    """Return ``node`` and ``person`` when everybody with a link in common is one."""
    warehouse.execute(f"create or replace temporary table links as {links}")
    resolve = MacroFile(
        "identity/all_components.sql", lambda statement: warehouse.execute(statement).fetchall()
    )
    table = resolve.all_components("links", into="found")
    return warehouse.sql(
        f"select node, coalesce(component, record_key) as person from nodes left join {table} on record_key = id"  # noqa: S608
    ).to_arrow_table()


def row(name: str, by: str, found: Score) -> str:
    """Return a row for RESULTS.md."""
    return (
        f"| {name} | {by} | {found.precision:.4f} | {found.recall:.4f} | {found.f1:.4f} "
        f"| {found.joined - found.right:,} | {found.largest:,} |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
