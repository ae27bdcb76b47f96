"""What the suite at the landing boundary lets through, stops, and shows."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from extractors.validation.report import Expectation, ValidationReport
from extractors.validation.suite import validate_new_batches
from perennial.clock import sandbox_clock
from perennial.errors import LandingError
from perennial.settings import Settings

_NOW = datetime(2017, 6, 1, 18, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Make a home whose clock stands still."""
    values: dict[str, Any] = {"_env_file": None, "perennial_home": tmp_path / "home"}
    made = Settings(**values, perennial_clock="sandbox")
    sandbox_clock(made).set(_NOW, running=False)
    return made


@pytest.fixture
def log(settings: Settings) -> LandingLog:
    """Open the landing log of that home."""
    return LandingLog(settings.landing_url)


def _record(number: int, **other: object) -> Record:
    values: dict[str, Any] = {
        "source": "flowhub",
        "stream": "orders",
        "source_key": f"o{number}:0123456789abcdef",
        "received_at": _NOW,
        "payload": json.dumps({"id": f"o{number}"}),
    }
    values.update(other)
    return Record(**values)


def _failures(report: ValidationReport) -> Mapping[str, Expectation]:
    return {one.name: one for one in report.boundary.failures}


def test_good_rows_pass_and_have_a_page(settings: Settings, log: LandingLog) -> None:
    """Good rows of several batches pass, and Data Docs show it."""
    log.append("a", [_record(1), _record(2)])
    log.append("b", [_record(3), _record(4, source="perennial", stream="moments", source_key=None)])
    report = validate_new_batches(settings, log, 0, 2)
    assert report.boundary.success
    assert report.rows == 4
    assert not report.blocking
    assert report.boundary.docs_path is not None
    page = report.boundary.docs_path.read_text(encoding="utf-8")
    assert "Succeeded" in page
    assert (settings.home / "data_docs" / "index.html").exists()


def test_only_the_range_is_looked_at(settings: Settings, log: LandingLog) -> None:
    """Bad rows before and after the range are no business of this validation."""
    log.append("old", [_record(1, payload="not JSON")])
    log.append("new", [_record(2)])
    log.append("newer", [_record(3, payload="[]")])
    report = validate_new_batches(settings, log, 1, 2)
    assert report.boundary.success
    assert report.rows == 1


def test_without_new_rows_the_library_is_not_even_imported(settings: Settings, log: LandingLog) -> None:
    """A run without news does not wait for an import of seconds."""
    log.append("a", [_record(1)])
    code = (
        "import sys\n"
        "from extractors.landing.log import LandingLog\n"
        "from extractors.validation.suite import validate_new_batches\n"
        "from perennial.settings import load_settings\n"
        "settings = load_settings()\n"
        "report = validate_new_batches(settings, LandingLog(settings.landing_url), 1, 1)\n"
        "assert report.boundary.success and report.rows == 0 and report.boundary.docs_path is None\n"
        "assert 'great_expectations' not in sys.modules and 'pandas' not in sys.modules\n"
    )
    environment = {**os.environ, "PERENNIAL_HOME": str(settings.home), "PERENNIAL_CLOCK": "sandbox"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


def test_a_bad_row_is_named_by_its_place_and_blocks_nothing(settings: Settings, log: LandingLog) -> None:
    """What staging can quarantine is told by seq and row, and stops nothing."""
    log.append("a", [_record(1), _record(2, payload='{"email": "dana@example.com", '), _record(3)])
    log.append("b", [_record(4, payload='["a list"]'), _record(5, source_key=None)])
    log.append("c", [_record(6, stream="recipes"), _record(7, received_at=_NOW + timedelta(hours=1))])
    report = validate_new_batches(settings, log, 0, 3)
    assert not report.boundary.success
    assert not report.blocking
    failures = _failures(report)
    assert failures["payload_is_object"].failed == 2
    assert list(failures["payload_is_object"].samples) == [(1, 2), (2, 1)]
    assert list(failures["source_key_is_there"].samples) == [(2, 2)]
    assert list(failures["stream_is_known"].samples) == [(3, 1)]
    assert list(failures["received_at_is_plausible"].samples) == [(3, 2)]


def test_no_payload_and_no_key_gets_into_report_or_docs(settings: Settings, log: LandingLog) -> None:
    """Neither e-mail nor phone of a bad row is shown anywhere."""
    log.append("a", [_record(1, payload="broken dana@example.com", source_key="3035550142:x", stream="odd")])
    report = validate_new_batches(settings, log, 0, 1)
    shown = repr(report) + "".join(
        path.read_text(encoding="utf-8") for path in (settings.home / "data_docs").rglob("*.html")
    )
    assert not report.boundary.success
    assert "dana@example.com" not in shown
    assert "3035550142" not in shown


def _rewrite(log: LandingLog, **columns: pa.Array) -> None:
    """Put other columns into a landed file, as a broken writer or a wrong restore would."""
    [file] = log.files()
    table = pq.read_table(file.path)
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    pq.write_table(table, file.path)


def test_rows_with_a_foreign_seq_block(settings: Settings, log: LandingLog) -> None:
    """A row that claims a batch outside of the range means a wrong file."""
    log.append("a", [_record(1), _record(2)])
    _rewrite(log, seq=pa.array([1, 9], pa.int64()))
    report = validate_new_batches(settings, log, 0, 1)
    assert {one.name for one in report.blocking} == {"seq_in_range"}
    assert _failures(report)["seq_in_range"].failed == 1


def test_rows_that_share_a_place_block(settings: Settings, log: LandingLog) -> None:
    """Two rows with one place can not both be the truth."""
    log.append("a", [_record(1), _record(2), _record(3)])
    _rewrite(log, row_no=pa.array([1, 1, 3], pa.int32()))
    report = validate_new_batches(settings, log, 0, 1)
    assert {one.name for one in report.blocking} == {"place_is_unique"}


def test_a_row_without_source_stream_or_time_blocks(settings: Settings, log: LandingLog) -> None:
    """An envelope with holes is no envelope."""
    log.append("a", [_record(1), _record(2), _record(3)])
    _rewrite(
        log,
        source=pa.array(["flowhub", None, "flowhub"]),
        stream=pa.array([None, "orders", "orders"]),
        received_at=pa.array([_NOW, _NOW, None], pa.timestamp("us", "UTC")),
    )
    report = validate_new_batches(settings, log, 0, 1)
    assert {one.name for one in report.blocking} == {
        "source_is_there",
        "stream_is_there",
        "received_at_is_there",
    }


def test_a_file_with_fewer_rows_than_the_manifest_says_blocks(settings: Settings, log: LandingLog) -> None:
    """Rows that vanished from a readable file are noticed."""
    log.append("a", [_record(1), _record(2), _record(3)])
    [file] = log.files()
    pq.write_table(pq.read_table(file.path).slice(0, 2), file.path)
    report = validate_new_batches(settings, log, 0, 1)
    assert {one.name for one in report.blocking} == {"rows_as_in_manifest"}


@pytest.mark.parametrize("damage", ["torn", "gone", "column"])
def test_a_damaged_file_is_named(settings: Settings, log: LandingLog, damage: str) -> None:
    """A torn, missing or incomplete file is an error that names it; other batches can be validated."""
    log.append("a", [_record(1), _record(2)])
    log.append("b", [_record(3)])
    [file] = log.files(0, 1)
    path = Path(file.path)
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "gone":
        path.unlink()
    else:
        pq.write_table(pq.read_table(path).drop_columns(["payload"]), path)
    with pytest.raises(LandingError, match=path.name) as caught:
        validate_new_batches(settings, log, 0, 2)
    assert "restore" in caught.value.fix
    assert validate_new_batches(settings, log, 1, 2).boundary.success


def test_an_expectation_that_can_not_be_computed_counts_as_failed(settings: Settings) -> None:
    """An exception inside the library never lets rows through."""
    from extractors.validation.boundary_suite import Range, expectations  # noqa: PLC0415 - imports take seconds
    from extractors.validation.checkpoint import Checkpoints  # noqa: PLC0415 - imports take seconds

    without_most_columns = pa.table({"seq": [1], "row_no": [1]})
    suite = expectations(Range(after_seq=0, upto_seq=1, rows=1, latest=_NOW))
    found = (
        Checkpoints(settings.home / "data_docs", "odd").run("odd", without_most_columns, suite).expectations
    )
    assert {one.name for one in found if one.success} == {
        "rows_as_in_manifest",
        "seq_in_range",
        "place_is_unique",
    }
    assert all(one.failed for one in found if not one.success)
