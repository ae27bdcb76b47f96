"""The desk of refused rows, as an operator uses it in Dagster."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from extractors.landing.log import LandingLog
from extractors.landing.records import Record

NOW = datetime(2026, 5, 3, 16, tzinfo=UTC)


def publish_quarantine(home: Path, seq: int) -> None:
    """Publish a quarantine with one open row, as a build does."""
    folder = home / "published"
    (folder / "marts.quarantine").mkdir(parents=True)
    table = folder / "marts.quarantine" / "1.parquet"
    with duckdb.connect() as engine:
        engine.execute(
            "copy (select 'jane/cart_status' as stream, cast(? as bigint) as seq, cast(1 as integer) as row_no, "
            "'status_is_one_of_the_twelve: add it' as reason, 'open' as status, "
            f"timestamp '2026-05-03 16:00' as received_at, 'x' as payload) to '{table}' (format parquet)",
            [seq],
        )
    pointer = {
        "build_no": 1,
        "as_of": NOW.isoformat(),
        "tables": {"marts.quarantine": "marts.quarantine/1.parquet"},
        "views": {},
    }
    (folder / "current.json").write_text(json.dumps(pointer), encoding="utf-8")


def run(definitions: dg.Definitions, **config: Any) -> dg.ExecuteInProcessResult:
    """Run the job as the launchpad does."""
    return definitions.resolve_job_def("quarantine").execute_in_process(
        run_config={"ops": {"close_quarantined_rows": {"config": config}}}, raise_on_error=False
    )


def test_a_retry_from_the_launchpad_lands_the_row_once(definitions: dg.Definitions, home: Path) -> None:
    """By reason; a second run finds it closed; a discard that names nothing is refused."""
    log = LandingLog(str(home / "landing"))
    payload = json.dumps({"cart": {"id": 1, "status": "handed_over"}})
    seq = log.append(
        "bad", [Record("jane", "cart_status", "k", NOW, payload, {"X-Jane-Request-Timestamp": "1"})]
    ).seq
    publish_quarantine(home, seq)
    for _ in range(2):
        assert run(definitions, action="retry", reason="one_of_the_twelve").success
    again = [row for row in log.read("jane", "cart_status") if row.seq > seq]
    assert [(row.payload, row.source_key, row.request["retries"]) for row in again] == [
        (payload, "k", {"seq": seq, "row_no": 1})
    ]
    assert [json.loads(row.payload)["operation"] for row in log.read("perennial", "operations")] == [
        "quarantine_retry"
    ]
    refused = run(definitions, action="discard")
    assert not refused.success
    [failure] = [event for event in refused.all_events if event.is_step_failure]
    assert "which rows" in str(failure.step_failure_data.error)
