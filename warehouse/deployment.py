"""What a deployment finds: tables that models only ever add to, made by an older project.

dbt appends a column that such a table lacks, and leaves it empty in every row of before; a model that reads its own
past by that column fails. Either is mended by a rebuild, and neither says so.
"""

from collections.abc import Mapping, Sequence

import duckdb
from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest


def columns_without_past(
    warehouse: duckdb.DuckDBPyConnection, manifest: Manifest
) -> Mapping[str, Sequence[str]]:
    """Return by model the columns that its YAML names and its table, which holds rows already, lacks."""
    found = warehouse.execute(
        "select tables.schema_name || '.' || tables.table_name, list(columns.column_name) "
        "from duckdb_tables() as tables inner join duckdb_columns() as columns "
        "on tables.schema_name = columns.schema_name and tables.table_name = columns.table_name "
        "where tables.estimated_size > 0 group by all"
    ).fetchall()
    stored = dict(found)
    lacking: dict[str, list[str]] = {}
    for node in manifest.nodes.values():
        if node.resource_type == NodeType.Model and node.config.materialized == "incremental":
            columns = stored.get(f"{node.schema}.{node.alias}")
            missing = [name for name in node.columns if columns is not None and name not in columns]
            if missing:
                lacking[node.name] = missing
    return dict(sorted(lacking.items()))


def advice_on(lacking: Mapping[str, Sequence[str]]) -> str | None:
    """Say what to do about columns without a past; None where there are none."""
    if not lacking:
        return None
    shown = ", ".join(f"{model} ({', '.join(columns)})" for model, columns in lacking.items())
    return (
        f"new columns are empty in the rows of before, in {shown}: perennial rebuild fills them from landing"
    )
