"""What the checks on the catalogue list."""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb

from dagster_project.defs.transformation.checks import every_snapshot_is_believed, every_value_is_mapped

NOW = datetime(2026, 5, 3, 16, tzinfo=UTC)
UNMAPPED = """
select * from (values
    ('category', 'mystery', 2, 'Odd One'), ('terpene', 'unobtainium', 1, 'Odd One'), ('category', 'moon', 5, 'Rocks')
) as t (field, value, products, example_product)
"""
SNAPSHOTS = """
select * from (values
    ('s', timestamp '2026-05-03 16:00:00', 'compared', 12, 0), ('s', timestamp '2026-05-03 15:50:00', 'lacking', 3, 9),
    ('s', timestamp '2026-05-03 15:40:00', 'incomplete', 12, 0), ('s', timestamp '2026-05-01 15:40:00', 'lacking', 3, 9)
) as t (store_id, started_at, status, products, products_lacking)
"""


def publish(home: Path, **tables: str) -> None:
    """Publish the rows of queries as marts."""
    folder = home / "published"
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        for name, query in tables.items():
            connection.execute(f"copy ({query}) to '{folder / name}.parquet'")
    pointer = {
        "build_no": 1,
        "as_of": NOW.isoformat(),
        "tables": {f"marts.{name}": f"{name}.parquet" for name in tables},
        "views": {},
    }
    (folder / "current.json").write_text(json.dumps(pointer), encoding="utf-8")


def run(check: dg.AssetChecksDefinition) -> dg.AssetCheckResult:
    """Run a check as a function."""
    result = check()
    assert isinstance(result, dg.AssetCheckResult)
    return result


def test_unmapped_values_are_listed_with_how_many_products_have_them(home: Path) -> None:
    """The words stand in the metadata by field, the most frequent first."""
    publish(home, unmapped_values=UNMAPPED)
    result = run(every_value_is_mapped)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["category"] == dg.MetadataValue.json(
        [
            {"value": "moon", "products": 5, "example_product": "Rocks"},
            {"value": "mystery", "products": 2, "example_product": "Odd One"},
        ]
    )
    assert result.metadata["terpene"] == dg.MetadataValue.json(
        [{"value": "unobtainium", "products": 1, "example_product": "Odd One"}]
    )


def test_lists_that_were_cut_short_are_listed_for_a_day(home: Path) -> None:
    """What is compared is fine; what is older was told then."""
    publish(home, inventory_snapshots=SNAPSHOTS)
    result = run(every_snapshot_is_believed)
    assert not result.passed
    listed = result.metadata["snapshots"]
    assert isinstance(listed, dg.JsonMetadataValue)
    assert isinstance(listed.data, list)
    assert [(one["status"], one["products_lacking"]) for one in listed.data] == [
        ("lacking", 9),
        ("incomplete", 0),
    ]


def test_nothing_published_is_nothing_to_list(home: Path) -> None:
    """Before the first build, and where all is mapped, the checks pass."""
    assert run(every_value_is_mapped).passed
    publish(home, unmapped_values=f"{UNMAPPED} limit 0", inventory_snapshots=f"{SNAPSHOTS} limit 0")
    assert run(every_value_is_mapped).passed
    assert run(every_snapshot_is_believed).passed
