"""One full resolution in a process of its own: ``python -m benchmarks.identity.full_one WAY LINKS.parquet``.

``benchmarks/identity/full.py`` calls it, each way in the environment that has what the way needs. Before the clock runs
the links are in a table of DuckDB; when it stops, ``components (id, component)`` is one, a row a record. It prints
seconds, CPU seconds, the peak of memory, the number of components and a sum that is the same for the same partition.
"""

import importlib
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

_STAR = """
create temporary table star as
select distinct hubs.hub as a, links.record_key as b
from links
inner join (select link_key, min(record_key) as hub from links group by link_key) as hubs using (link_key)
where links.record_key <> hubs.hub
"""
_USING_KEY = """
create temporary table components as
with recursive edges as (
    select a, b from star union all select b, a from star
),
reached (id, component) using key (id) as (
    select id, id from records
    union
    select nearer.id, min(further.component)
    from recurring.reached as nearer
    inner join edges on nearer.id = edges.b
    inner join reached as further on edges.a = further.id
    where further.component < nearer.component
    group by nearer.id
)
select id, component from reached
"""
_EVERYBODY = """
create temporary table components as
select records.id, coalesce(joined.component, records.id) as component
from records
left join {joined} as joined using (id)
"""
_SUM = """
select count(distinct component), sum(hash(id, first)::hugeint) % 1000000007
from (
    select id, component, min(id) over (partition by component) as first
    from components semi join records using (id)
)
"""


def perennial(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Run the macro's own SQL, and give who is alone a component of their own."""
    from benchmarks.identity.macro_sql import MacroFile  # noqa: PLC0415 - only this way needs Jinja

    macros = MacroFile(
        "identity/all_components.sql", lambda statement: warehouse.execute(statement).fetchall()
    )
    joined = macros.all_components("links", into="joined")
    warehouse.execute(_EVERYBODY.format(joined=joined))


def splink(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Let Splink cluster records and identifiers on the links, as it is shipped."""
    from splink import DuckDBAPI  # noqa: PLC0415 - of the rivals' environment
    from splink.clustering import cluster_pairwise_predictions_at_threshold  # noqa: PLC0415

    database = DuckDBAPI(warehouse)
    clusters = cluster_pairwise_predictions_at_threshold(
        database.register("nodes"),
        database.register("links"),
        database,
        node_id_column_name="id",
        edge_id_column_name_left="record_key",
        edge_id_column_name_right="link_key",
    )
    warehouse.execute(
        f"create view components as select id, cluster_id as component from {clusters.physical_name}"  # noqa: S608
    )


def using_key(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Walk the star in DuckDB's own recursion."""
    warehouse.execute(_STAR)
    warehouse.execute(_USING_KEY)


def scipy(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Take the links out through Arrow, number their ends, let scipy walk, and bring the answer back."""
    import numpy as np  # noqa: PLC0415 - of the rivals' environment
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415
    from scipy.sparse import coo_matrix  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    links = warehouse.sql("select record_key, link_key from links").to_arrow_table()
    records, ids = pd.factorize(links["record_key"].to_numpy())
    identifiers, values = pd.factorize(links["link_key"].to_numpy())
    nodes = len(ids) + len(values)
    graph = coo_matrix(
        (np.ones(len(records), dtype=np.int8), (records, identifiers + len(ids))), shape=(nodes, nodes)
    )
    _, labels = connected_components(graph, directed=False)
    found = pa.table({"id": ids, "component": labels[: len(ids)]})
    warehouse.register("found", found)
    warehouse.execute("create temporary table components as from found")


WAYS: dict[str, Callable[[duckdb.DuckDBPyConnection], None]] = {
    "perennial": perennial,
    "splink": splink,
    "using_key": using_key,
    "scipy": scipy,
}

# What takes seconds to load is no part of resolving.
_NEEDS = {
    "perennial": ("benchmarks.identity.macro_sql",),
    "splink": ("splink.clustering", "splink.internals.duckdb.database_api"),
    "scipy": ("pandas", "pyarrow", "scipy.sparse", "scipy.sparse.csgraph"),
}


def main(way: str, links: Path) -> None:
    """Resolve once and print one line of JSON."""
    logging.disable(logging.WARNING)
    with duckdb.connect() as warehouse:
        warehouse.execute("set threads = 2")
        warehouse.execute("set memory_limit = '16GB'")
        warehouse.execute(
            f"create table links as select record_key, link_key from '{links}'"  # noqa: S608 - our own file
        )
        # what somebody else has made before: the lists of records, and of records and identifiers
        warehouse.execute("create table records as select distinct record_key as id from links")
        warehouse.execute("create table nodes as from records union all select distinct link_key from links")
        for module in _NEEDS.get(way, ()):
            importlib.import_module(module)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        began, cpu = time.monotonic(), time.process_time()
        WAYS[way](warehouse)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        peak = peak_mib()
        [[components, same]] = warehouse.execute(_SUM).fetchall()
    print(
        json.dumps(
            {
                "way": way,
                "seconds": seconds,
                "cpu": cpu,
                "mib": peak,
                "components": components,
                "sum": int(same),
            }
        )
    )


def peak_mib() -> float:
    """Return the most memory that this process has held since it was asked to forget its peak."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc/self/status: this is measured on Linux")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
