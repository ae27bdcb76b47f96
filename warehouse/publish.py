"""Publishing: the marts as Parquet files that one pointer makes current.

Consumers read ``published/`` with plain DuckDB while a build runs; nobody but the builder opens the warehouse file. A
table whose rows did not change keeps its file. Views are published as SQL over the published tables, so that a merge
of two people rewrites no event.
"""

import json
import os
import re
import time
from collections.abc import Sequence
from datetime import datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

_SCHEMAS = (
    "marts",
    "identity",
    "products",
    "events",
    "traits",
    "decisions",
    "memberships",
    "activation",
    "seeds",
)
# The steps that the published views, `perennial identity` and `perennial explain` read; all other tables of these
# schemas stay inside.
_STEPS = (
    "identity.int_identity__map",
    "identity.int_identity__records",
    "identity.int_identity__record_identifiers",
    "identity.int_identity__identifier_status",
    "products.int_order_holds",
    "products.int_product_interest",
    "events.int_events",
    "events.int_event_names",
    "events.int_list_changes",
    "events.int_product_sales",
    "traits.int_customer_traits",
    "seeds.event_types",
    "seeds.identifier_rules",
    "seeds.source_priority",
    "seeds.do_not_link",
    "seeds.age_rules",
    "seeds.reasons",
    "events.int_orders",
    "decisions.int_flow_decisions",
    "memberships.int_memberships",
    "activation.int_destination_profiles",
)
_KEEP_SECONDS = 3600
_NAME = re.compile(r"\bmarts\.\w+")
_VIEW = re.compile(r"^create view .+? as (.+?);?\s*$", re.IGNORECASE | re.DOTALL)


def publish(warehouse: duckdb.DuckDBPyConnection, folder: Path, build_no: int, as_of: datetime) -> Path:
    """Make the present marts current and return the pointer's path.

    Readers see the set before or this one, never a mixture: files are written under new names, synced, and then the
    pointer is replaced. A crash before that leaves files that the next call removes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _read(folder / "current.json")
    tables: dict[str, str] = {}
    contents: dict[str, str] = {}
    for name in _tables(warehouse):
        content = _content(warehouse, name)
        if before.get("contents", {}).get(name) == content and (folder / before["tables"][name]).exists():
            path = before["tables"][name]
        else:
            path = f"{name}/{build_no}.parquet"
            _write(warehouse, name, folder / path)
        tables[name], contents[name] = path, content
    current = {
        "build_no": build_no,
        "as_of": as_of.isoformat(),
        "published_at": as_of.isoformat(),
        "tables": tables,
        "views": _views(warehouse),
        "contents": contents,
    }
    pointer = folder / "current.json"
    replaced = folder / f"set-{before.get('build_no')}.json"
    if replaced.exists():
        # the hour of the set before begins now, whenever it was published
        os.utime(replaced)
    _replace(pointer, json.dumps(current, indent=1))
    _remember(folder, build_no, tables)
    _remove_unused(folder)
    return pointer


def remove_earlier(folder: Path) -> None:
    """Remove every file that the current set does not name, now: readers of an earlier set must open this one."""
    current = _read(folder / "current.json")
    used = {*current.get("tables", {}).values()}
    for listing in folder.glob("set-*.json"):
        if listing.name != f"set-{current.get('build_no')}.json":
            listing.unlink()
    for file in folder.glob("*/*"):
        if str(file.relative_to(folder)) not in used:
            file.unlink()


def refresh(
    warehouse: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str], build_no: int, as_of: datetime
) -> list[str]:
    """Put newer rows of some tables into the current set, and return the tables whose rows differ.

    The set stays that of its build; ``fresher`` in the pointer names each table that is newer, with its own build.
    Nothing is refreshed before the first set is published.
    """
    pointer = folder / "current.json"
    current = _read(pointer)
    contents = {name: _content(warehouse, name) for name in names if name in current.get("tables", {})}
    changed = [name for name, content in contents.items() if content != current["contents"].get(name)]
    if not changed:
        return []
    files = [*current["tables"].values()]
    for name in changed:
        path = f"{name}/{build_no}.parquet"
        _write(warehouse, name, folder / path)
        current["tables"][name], current["contents"][name] = path, contents[name]
        current.setdefault("fresher", {})[name] = {"build_no": build_no, "as_of": as_of.isoformat()}
        files.append(path)
    # whoever has read the pointer before still finds its files
    listing = folder / f"set-{current['build_no']}.json"
    known = json.loads(listing.read_text(encoding="utf-8")) if listing.exists() else []
    _replace(listing, json.dumps(sorted({*known, *files})))
    _replace(pointer, json.dumps(current, indent=1))
    return changed


def _tables(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    found = warehouse.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where list_contains(?, schema_name) "
        "and not temporary order by all",
        [list(_SCHEMAS)],
    ).fetchall()
    return [name for (name,) in found if name.startswith("marts.") or name in _STEPS]


def _views(warehouse: duckdb.DuckDBPyConnection) -> dict[str, str]:
    [[catalog]] = warehouse.execute("select current_database()").fetchall()
    found = warehouse.execute(
        "select schema_name || '.' || view_name, sql from duckdb_views() where schema_name = 'marts' order by all",
    ).fetchall()
    views = {}
    for name, sql in found:
        match = _VIEW.match(sql)
        if match is not None:
            views[name] = re.sub(rf'"?\b{re.escape(catalog)}\b"?\.', "", match[1])
    # a reader makes them one after the other: what a view reads comes before it
    read_by = {name: views.keys() & set(_NAME.findall(sql)) - {name} for name, sql in views.items()}
    return {name: views[name] for name in TopologicalSorter(read_by).static_order()}


def _content(warehouse: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return what tells one state of a table from another: its rows' number and hashes, and its columns."""
    schema, _, table = name.partition(".")
    [[rows, digest]] = warehouse.execute(
        f'select count(*), coalesce(bit_xor(hash(t)), 0) from "{schema}"."{table}" as t',  # noqa: S608 -- from the catalog
    ).fetchall()
    columns = warehouse.execute(
        "select string_agg(column_name || ' ' || data_type, ',' order by column_index) from duckdb_columns() "
        "where schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    return f"{rows}:{digest}:{columns[0][0]}"


def _write(warehouse: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    schema, _, table = name.partition(".")
    warehouse.execute(
        f"""copy "{schema}"."{table}" to '{str(draft).replace("'", "''")}' (format parquet, compression zstd)""",
    )
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def _replace(path: Path, text: str) -> None:
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _remember(folder: Path, build_no: int, tables: dict[str, str]) -> None:
    _replace(folder / f"set-{build_no}.json", json.dumps(sorted(tables.values())))


def _remove_unused(folder: Path) -> None:
    """Remove files that no set of the last hour names; readers are real, so this hour is the machine's."""
    current = folder / "current.json"
    used = set(_read(current)["tables"].values())
    for listing in folder.glob("set-*.json"):
        if time.time() - listing.stat().st_mtime < _KEEP_SECONDS:
            used |= set(json.loads(listing.read_text(encoding="utf-8")))
        else:
            listing.unlink()
    for file in folder.glob("*/*"):
        old = time.time() - file.stat().st_mtime > _KEEP_SECONDS
        if str(file.relative_to(folder)) not in used and old:
            file.unlink()


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told
