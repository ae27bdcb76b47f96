"""Searching every file of a home for values, whatever form it keeps them in."""

import gzip
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq


def found_in(home: Path, values: Collection[str], but: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return (file, value) for each value that a file below ``home`` holds, in any case of its letters.

    ``but`` names folders that are left out.
    """
    wanted = {value.lower() for value in values}
    return [
        (str(path.relative_to(home)), value)
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.relative_to(home).parts[0] not in but
        for value in sorted(wanted)
        if any(value in text for text in _texts(path))
    ]


def _texts(path: Path) -> list[str]:
    if path not in _READ or _READ[path][0] != path.stat().st_mtime_ns:
        _READ[path] = (path.stat().st_mtime_ns, [text.lower() for text in _forms(path)])
    return _READ[path][1]


_READ: dict[Path, tuple[int, list[str]]] = {}


def _forms(path: Path) -> Iterator[str]:
    """Yield a file's bytes as text, and what they mean where a format hides it."""
    content = path.read_bytes()
    yield content.decode("utf-8", errors="replace")
    yield content.decode("utf-16-le", errors="replace")
    if content[:4] == b"PAR1":
        table = pq.read_table(path)
        for column in table.columns:
            yield "\n".join(str(value) for value in column.to_pylist())
    elif content[:15] == b"SQLite format 3":
        yield from _sqlite(path)
    elif content[8:12] == b"DUCK":
        yield from _duckdb(path)
    elif content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content).decode("utf-8", errors="replace")


def _sqlite(path: Path) -> Iterator[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            yield "\n".join(str(row) for row in database.execute(f'select * from "{name}"'))
    database.close()


def _duckdb(path: Path) -> Iterator[str]:
    with duckdb.connect(str(path), read_only=True) as database:
        tables = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, name in tables:
            rows = database.execute(f'select * from "{schema}"."{name}"').fetchall()
            yield "\n".join(str(row) for row in rows)
