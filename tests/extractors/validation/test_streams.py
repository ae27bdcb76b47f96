"""A stream's suite and staging read one list of rules: the rows that one fails are the rows that the other refuses."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import hypothesis
import pytest
from hypothesis import Phase, given

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from extractors.validation.frame import new_frames
from extractors.validation.rules import StreamRules, rules_by_stream
from extractors.validation.suite import validate_new_batches
from perennial.clock import sandbox_clock
from perennial.errors import PerennialError
from perennial.streams import KNOWN
from tests.extractors.validation.odd_rows import ODD, RECEIVED, good_values, odd_record, record
from tests.scene import Scene
from warehouse import operations
from warehouse.project import DbtProject

Place = tuple[int, int]
ROWS = 80


def judged_by_gx(
    scene: Scene, upto: int, rules: Mapping[str, StreamRules]
) -> dict[str, dict[str, set[Place]]]:
    """Return for each stream and rule the places of the rows that fail it, all of them."""
    from extractors.validation import stream_suite  # noqa: PLC0415 - imports take seconds
    from extractors.validation.checkpoint import Checkpoints  # noqa: PLC0415 - imports take seconds

    frames = new_frames(scene.log, 0, upto, rules)
    checkpoints = Checkpoints(scene.home / "data_docs", "all", samples=100_000)
    found: dict[str, dict[str, set[Place]]] = {}
    for stream, table in frames.streams.items():
        report = checkpoints.run(stream, table, stream_suite.expectations(rules[stream]))
        found[stream] = {one.name: {*one.samples} for one in report.expectations if one.quarantines}
        assert all(len(one.samples) == one.failed for one in report.expectations), (
            "every failure has its place"
        )
    return found


def judged_by_staging(scene: Scene, upto: int) -> dict[Place, str | None]:
    """Build the base models alone, and return each row's problem."""
    warehouse = scene.home / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        operations.list_new_files(connection, scene.log, upto)
    project = DbtProject(warehouse, scene.home / "dbt")
    moment = {"as_of": "2026-03-15 18:10:00", "build_no": 2, "upto_seq": upto, "landed_seq": upto}
    try:
        outcome = project.invoke(["run", "--select", "path:models/staging/base"], moment)
        assert outcome.success, outcome.exception or outcome.result
    finally:
        project.release()
    bases = scene.rows(
        "select table_name as name from duckdb_tables() where schema_name = 'staging' and table_name like 'base_%'"
    )
    return {
        (row["seq"], row["row_no"]): row["problem"]
        for base in bases
        for row in scene.rows(f"select seq, row_no, problem, disposition from staging.{base['name']}")
        if (row["disposition"] == "quarantined") == (row["problem"] is not None)
    }


def odd_records(rules: StreamRules) -> list[Record]:
    """Let hypothesis make up rows of a stream, the same ones every time."""
    made: list[Record] = []

    @hypothesis.settings(
        max_examples=ROWS, phases=[Phase.generate], derandomize=True, deadline=None, database=None
    )
    @given(odd_record(rules))
    def make(row: Record) -> None:
        made.append(row)

    make()
    return made


@pytest.mark.slow
def test_gx_fails_what_staging_refuses(deployed: Path, tmp_path: Path) -> None:
    """Row for row, for every stream that a model reads, and the reason names the first rule that is broken."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    rules = rules_by_stream()
    for number, (stream, of_stream) in enumerate(rules.items()):
        good = record(of_stream, {**good_values(of_stream), "envelope.source_key": f"good {stream}"})
        scene.log.append(f"odd/{number}", [good, *odd_records(of_stream)])
    upto = scene.log.last_seq()
    by_gx = judged_by_gx(scene, upto, rules)
    by_staging = judged_by_staging(scene, upto)
    looked_at = 0
    for batch in scene.log.batches():
        stream = next(iter(batch.streams))
        if not batch.name.startswith("odd/") or (batch.seq, 1) not in by_staging:
            continue  # an own stream that no base model reads
        looked_at += 1
        order = [rule.name for rule in rules[stream].rules if rule.quarantines]
        assert by_staging[batch.seq, 1] is None, f"the good row of {stream} is good"
        for row_no in range(2, batch.rows + 1):
            place = (batch.seq, row_no)
            broken = [name for name in order if place in by_gx[stream][name]]
            problem = by_staging[place]
            assert (problem or "").partition(":")[0] == (broken[0] if broken else ""), (
                stream, broken, problem, _payload(scene.log, batch.seq, row_no)
            )  # fmt: skip
    assert looked_at >= 11


def _payload(log: LandingLog, seq: int, row_no: int) -> Any:
    [batch] = log.batches(seq - 1, seq)
    [stream] = batch.streams
    source, _, name = stream.partition("/")
    return next(
        (row.payload, row.headers) for row in log.read(source, name, seq - 1, seq) if row.row_no == row_no
    )


def _scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path / "home", {})
    sandbox_clock(scene.settings).set(RECEIVED + timedelta(minutes=1), running=False)
    return scene


def test_every_stream_has_a_suite_and_a_page(tmp_path: Path) -> None:
    """Each known stream's good row passes, on a page of its own."""
    scene = _scene(tmp_path)
    rules = rules_by_stream()
    assert rules.keys() >= KNOWN
    good = [
        record(of_stream, {**good_values(of_stream), "envelope.source_key": "k"})
        for of_stream in rules.values()
    ]
    scene.log.append("good", good)
    report = validate_new_batches(scene.settings, scene.log, 0, 1)
    assert {one.suite for one in report.streams} == rules.keys()
    assert {one.suite: one.failures for one in report.streams if one.failures} == {}
    pages = {one.docs_path for one in report.streams}
    assert len(pages) == len(rules)
    assert all(page is not None and "Succeeded" in page.read_text(encoding="utf-8") for page in pages)


def test_a_broken_rule_is_told_with_its_places_and_no_value(tmp_path: Path) -> None:
    """Whatever stands where a rule looks, no value of a row gets into the report or the Data Docs."""
    planted = ["dana@example.com", "3035550142", "dana_was_here", "Dana Reyes"]
    scene = _scene(tmp_path)
    rules = rules_by_stream()
    rows = [
        record(of_stream, {**good_values(of_stream), path: word, "envelope.source_key": planted[1]})
        for of_stream in rules.values()
        for word in planted
        for path in good_values(of_stream)
        if path != "envelope.source_key"
    ]
    scene.log.append("odd", rows)
    report = validate_new_batches(scene.settings, scene.log, 0, 1)
    failures = [one for stream in report.streams for one in stream.failures]
    assert len(failures) > 40
    assert all(one.samples and one.failed >= len(one.samples) for one in failures)
    shown = repr(report) + "".join(
        path.read_text(encoding="utf-8") for path in (scene.home / "data_docs").rglob("*.html")
    )
    assert "(not listed)" in shown
    assert [word for word in planted if word in shown] == []


def test_a_typo_in_a_rule_names_file_and_key() -> None:
    """A misspelt key is no rule."""
    from extractors.validation import rules  # noqa: PLC0415 - the module, for its reader

    with pytest.raises(PerennialError, match=r"x\.yml: rule odd: pth: ") as caught:
        rules.read_rules("x.yml", [{"name": "odd", "says": "odd", "pth": "id", "path": "id", "is": "there"}])
    assert "CONTRIBUTING" in caught.value.fix
    with pytest.raises(PerennialError, match="has one of is, between"):
        rules.read_rules("x.yml", [{"name": "odd", "says": "odd", "path": "id"}])


def test_the_odd_values_are_json() -> None:
    """What the rows are made of can be sent."""
    assert all(json.dumps(value) for value in ODD)
