"""Run every judge of the code, each to its end, and say at the end which of them complained."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PYTHON_ROOMS = (
    "console", "dagster_project", "dbt_perennial", "erasure", "extractors", "perennial", "reverse_etl", "sandbox",
    "scripts", "tests", "warehouse", "benchmarks",
)  # fmt: skip
PROJECT = ("--project-dir", "dbt", "--profiles-dir", "dbt")
JUDGES = (
    ("ruff: the rules of Python", ["ruff", "check", "."]),
    ("ruff: the format of Python", ["ruff", "format", "--check", "."]),
    ("mypy: the types", ["mypy", *(room for room in PYTHON_ROOMS if any((ROOT / room).glob("*.py")))]),
    ("layers, YAML keys of dbt, locks", ["python", "-m", "pytest", "tests/test_architecture.py"]),
    # without the builder's own tables sqlfluff passes over every model that looks up how far it has read
    (
        "dbt: the tables that sqlfluff's models look into",
        ["dbt", "run-operation", "prepare_operations", *PROJECT],
    ),
    ("sqlfluff: the SQL", ["sqlfluff", "lint", "--disable-progress-bar", "--processes", "2", "dbt/models"]),
    ("dbt-score: the models' documentation", ["python", "scripts/score.py"]),
    ("PostgreSQL: the SQL compiles", ["python", "scripts/compile_postgres.py"]),
    ("dg: Dagster's definitions", ["dg", "check", "defs"]),
)


def environment(scratch: Path) -> dict[str, str]:
    """Return the environment of the judges: a scratch home, nothing of a real installation, no telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERENNIAL_")}
    return {
        **kept,
        "PATH": f"{BIN}{os.pathsep}{kept.get('PATH', '')}",
        "PERENNIAL_HOME": str(scratch),
        "PERENNIAL_WAREHOUSE": str(scratch / "lint.duckdb"),
        "DBT_TARGET_PATH": str(scratch / "target"),
        "DBT_LOG_PATH": str(scratch / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


def main() -> int:
    """Run the judges; 1 when one of them complained."""
    wanted = sys.argv[1:]
    complained = []
    with tempfile.TemporaryDirectory(prefix="perennial-lint-") as scratch:
        for title, command in JUDGES:
            if wanted and not any(word in title.lower() for word in wanted):
                continue
            print(f"— {title}", flush=True)
            began = time.monotonic()
            done = subprocess.run(
                [str(BIN / command[0]), *command[1:]], cwd=ROOT, env=environment(Path(scratch)), check=False
            )
            print(
                f"  {'fine' if done.returncode == 0 else 'COMPLAINS'} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
            if done.returncode != 0:
                complained.append(title)
    print("Every judge is content." if not complained else "Complaints: " + "; ".join(complained))
    return 1 if complained else 0


if __name__ == "__main__":
    sys.exit(main())
