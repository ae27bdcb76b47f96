"""The check that lists what partners send under names of their own."""

import json
from datetime import datetime
from pathlib import Path

import dagster as dg
import duckdb


def publish(home: Path, rows: str) -> None:
    """Publish a list of custom events."""
    folder = home / "published"
    folder.mkdir(exist_ok=True)
    names = "event_name, partner, events, first_received_at, last_received_at"
    with duckdb.connect() as connection:
        connection.execute(f"copy (from (values {rows}) as t({names})) to '{folder / 'custom.parquet'}'")
    tables = {"marts.custom_events": "custom.parquet"}
    pointer = {"build_no": 1, "as_of": "2026-05-03T16:00:00+00:00", "tables": tables, "views": {}}
    (folder / "current.json").write_text(json.dumps(pointer), encoding="utf-8")


def check(definitions: dg.Definitions) -> dg.AssetCheckResult:
    """Run the check."""
    assert definitions  # its import parsed the project into a home
    from dagster_project.defs.transformation.checks import (  # noqa: PLC0415 - names an asset of the project
        every_event_has_a_name_that_is_known,
    )

    result = every_event_has_a_name_that_is_known()
    assert isinstance(result, dg.AssetCheckResult)
    return result


def test_custom_events_are_listed_by_name_and_partner(definitions: dg.Definitions, home: Path) -> None:
    """With their number and when they arrived: a warning that stops nothing."""
    assert check(definitions).passed, "nothing published yet is nothing to list"
    at = datetime(2026, 5, 3, 15)  # noqa: DTZ001 - as the warehouse holds it
    row = f"('door_opened', 'acme', 3, timestamp '{at}', timestamp '{at}')"
    publish(home, row)
    result = check(definitions)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    table = result.metadata["custom_events"]
    assert isinstance(table, dg.TableMetadataValue)
    [listed] = table.records
    assert listed.data == {
        "event_name": "door_opened",
        "partner": "acme",
        "events": "3",
        "first_received_at": str(at),
        "last_received_at": str(at),
    }
    assert "dbt/seeds/event_types.csv" in str(result.description)
