"""What stops a build or a push."""

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.lib.backlog import uncovered
from dagster_project.lib.keys import BOUNDARY, LANDING_LOG, rules_check
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.home import Home
from reverse_etl.guards import known_people

NOW = datetime(2026, 5, 3, 16, tzinfo=UTC)


def record(stream: str, payload: object, key: str = "k") -> Record:
    """Return a record of ``source/stream``."""
    source, _, name = stream.partition("/")
    return Record(source, name, key, NOW, json.dumps(payload))


def moment(log: LandingLog, build_no: int, upto_seq: int, *, finished: bool = True) -> None:
    """Land a moment, and its end, as the builder does."""
    told = {"build_no": build_no, "upto_seq": upto_seq}
    log.append(f"moments/{build_no}", [record("perennial/moments", told, str(build_no))])
    if finished:
        end = record("perennial/moments", {**told, "finished": True}, f"{build_no}:finished")
        log.append(f"moments/{build_no}/finished", [end])


@pytest.fixture(name="log")
def open_log(home: Path) -> LandingLog:
    """Return the log of the test's home."""
    return LandingLog(str(home / "landing"))


def run_landing(definitions: dg.Definitions, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Look at the landing boundary as a run does."""
    job = definitions.resolve_job_def("build")
    return job.execute_in_process(instance=instance, asset_selection=[LANDING_LOG], raise_on_error=False)


def test_nothing_landed_is_nothing_to_build(log: LandingLog) -> None:
    """An empty log starts no build."""
    assert uncovered(log) is None


def test_a_foreign_batch_waits_until_a_moment_covers_it(log: LandingLog) -> None:
    """What Perennial lands itself never counts, or builds would start each other."""
    first = log.append("one", [record("jane/cart_status", {})]).seq
    assert uncovered(log) == first
    moment(log, 1, upto_seq=first, finished=False)
    assert uncovered(log) == first, "what an unfinished moment read is still to be built"
    moment(log, 1, upto_seq=first)
    assert uncovered(log) is None
    log.append("receipts/1-1", [record("perennial/receipts", {})])
    assert uncovered(log) is None
    second = log.append("two", [record("omni/events", {})]).seq
    assert uncovered(log) == second


def test_good_rows_pass_the_boundary_and_are_seen_once(definitions: dg.Definitions, log: LandingLog) -> None:
    """The second look begins where the first ended."""
    log.append("one", [record("jane/cart_status", {"id": 1})])
    with dg.DagsterInstance.ephemeral() as instance:
        for rows in (1, 0):
            assert run_landing(definitions, instance).success
            event = instance.get_latest_materialization_event(LANDING_LOG)
            assert event is not None
            assert event.asset_materialization is not None
            assert event.asset_materialization.metadata["rows"].value == rows
            assert event.asset_materialization.metadata["last_seq"].value == 1


def test_a_malformed_row_warns_and_lets_the_others_pass(definitions: dg.Definitions, log: LandingLog) -> None:
    """Rows go to quarantine one by one: the check shows them, the build starts."""
    log.append(
        "one", [Record("jane", "cart_status", "k", NOW, "no JSON at all"), record("jane/cart_status", {})]
    )
    with dg.DagsterInstance.ephemeral() as instance:
        done = run_landing(definitions, instance)
        assert done.success
        failed = {check.check_name: check for check in done.get_asset_check_evaluations() if not check.passed}
        assert failed.keys() == {BOUNDARY, rules_check("jane/cart_status")}
        assert {check.severity for check in failed.values()} == {dg.AssetCheckSeverity.WARN}
        assert failed[BOUNDARY].metadata["payload_is_object"] == dg.MetadataValue.json(
            {
                "says": "Each payload is the text of a JSON object.",
                "failed": 1,
                "at": [[1, 1]],
                "quarantined": False,
            }
        )
        rules = failed[rules_check("jane/cart_status")].metadata
        assert rules["rows"].value == 2
        told = rules["cart_id_is_there"].value
        assert isinstance(told, dict)
        assert told["at"] == [[1, 1], [1, 2]]
        assert told["quarantined"] is True
        assert "cart.id is missing" in str(told["says"])
        assert str(rules["data_docs"].value).endswith(".html")


def test_a_broken_file_stops_the_build_and_is_looked_at_again(
    definitions: dg.Definitions, log: LandingLog, home: Path
) -> None:
    """A file that can't be read ends in a cause and a fix; once it is back, the next run passes."""
    batch = log.append("one", [record("jane/cart_status", {})])
    file = home / "landing" / batch.path
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with dg.DagsterInstance.ephemeral() as instance:
        done = run_landing(definitions, instance)
        assert not done.success
        [failure] = [event for event in done.all_events if event.is_step_failure]
        told = failure.step_failure_data.user_failure_data
        assert told is not None
        assert str(file) in str(told.metadata["cause"].value)
        assert "backup" in str(told.metadata["fix"].value)
        file.write_bytes(content)
        assert run_landing(definitions, instance).success


def test_people_are_counted_from_what_is_published(home: Path) -> None:
    """Nothing published: nobody can tell."""
    assert known_people(Home(home)) is None
    folder = home / "published"
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"copy (from range(7)) to '{folder / 'people.parquet'}'")
    pointer = {
        "build_no": 1,
        "as_of": NOW.isoformat(),
        "tables": {"identity.people": "people.parquet"},
        "views": {
            "marts.a": "select * from marts.dim_customers",
            "marts.dim_customers": "from identity.people",
        },
    }
    (folder / "current.json").write_text(json.dumps(pointer), encoding="utf-8")
    assert known_people(Home(home)) == 7


def test_the_first_sync_starts_when_the_credentials_come_and_again_until_something_was_pulled(
    definitions: dg.Definitions, home: Path, log: LandingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Assets that were made while Flowhub was off are no sync, and the sensor reads the settings anew."""
    sensor = definitions.resolve_sensor_def("first_sync_sensor")

    def look(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
        found = sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(found, dg.RunRequest | dg.SkipReason)
        return found

    with dg.DagsterInstance.ephemeral() as instance:
        assert definitions.resolve_job_def("flowhub_locations").execute_in_process(instance=instance).success
        assert isinstance(look(instance), dg.SkipReason), "there are no credentials"
        monkeypatch.setenv("FLOWHUB_CLIENT_ID", "somebody")
        monkeypatch.setenv("FLOWHUB_API_KEY", "secret")
        assert isinstance(look(instance), dg.RunRequest)
        log.append("flowhub/1", [record("flowhub/pulls", {"complete": True})])
        assert isinstance(look(instance), dg.SkipReason), "something was pulled"
    assert home.is_dir()
