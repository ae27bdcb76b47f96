"""Run every judge of the code, each to its end, and say at the end which of them complained."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PYTHON_ROOMS = (
    "console", "dagster_project", "dbt_perennial", "erasure", "extractors", "perennial", "reverse_etl", "sandbox",
    "scripts", "tests", "warehouse", "benchmarks",
)  # fmt: skip
PROJECT = ("--project-dir", "dbt", "--profiles-dir", "dbt")
# each in a scratch of its own; the longest first, as two work at a time
JUDGES = (
    # without the builder's own tables sqlfluff passes over every model that looks up how far it has read
    (
        "sqlfluff: the SQL",
        ["dbt", "run-operation", "prepare_operations", *PROJECT],
        ["sqlfluff", "lint", "--disable-progress-bar", "dbt/models"],
    ),
    ("mypy: the types", ["mypy", *(room for room in PYTHON_ROOMS if any((ROOT / room).glob("*.py")))]),
    ("ruff: the rules of Python", ["ruff", "check", "."]),
    ("ruff: the format of Python", ["ruff", "format", "--check", "."]),
    ("layers, YAML keys of dbt, locks", ["python", "-m", "pytest", "tests/test_architecture.py"]),
    ("PostgreSQL: the SQL compiles", ["python", "scripts/compile_postgres.py"]),
    ("dbt-score: the models' documentation", ["python", "scripts/score.py"]),
    ("dg: Dagster's definitions", ["dg", "check", "defs"]),
)
AT_A_TIME = 2


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


def judged(title: str, commands: Sequence[Sequence[str]], scratch: Path) -> bool:
    """Run a judge to its end, print what it says in one piece, and return whether it is content."""
    scratch.mkdir()
    began = time.monotonic()
    said = []
    for command in commands:
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT, env=environment(scratch), check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said.append(done.stdout)
        if done.returncode != 0:
            break
    verdict = "fine" if done.returncode == 0 else "COMPLAINS"
    print(f"— {title}\n{''.join(said)}  {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run the judges; 1 when one of them complained."""
    wanted = sys.argv[1:]
    asked = [judge for judge in JUDGES if not wanted or any(word in judge[0].lower() for word in wanted)]
    print(f"asking {len(asked)} judges, {AT_A_TIME} at a time; some need minutes", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="perennial-lint-") as scratch,
        ThreadPoolExecutor(AT_A_TIME) as desks,
    ):
        content = list(
            desks.map(
                lambda numbered: judged(numbered[1][0], numbered[1][1:], Path(scratch) / str(numbered[0])),
                enumerate(asked),
            )
        )
    complained = [judge[0] for judge, is_content in zip(asked, content, strict=True) if not is_content]
    print("Every judge is content." if not complained else "Complaints: " + "; ".join(complained))
    return 1 if complained else 0


if __name__ == "__main__":
    sys.exit(main())
