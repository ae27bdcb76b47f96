"""``make bench``: run the benchmarks that need nothing but this repository, and print their tables.

The figures that were kept, with machine and date, are in ``benchmarks/RESULTS.md``. ``benchmarks/latency.py`` and
``benchmarks.opt_outs`` need ``make dev`` beside them and are called by hand.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Run them; 1 when one failed."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as folder:
        home = str(Path(folder) / "demo")
        for title, command in (
            ("make run, first call", ["-m", "console", "demo", "run", "--home", home]),
            ("make run, second call", ["-m", "console", "demo", "run", "--home", home]),
            ("builds by their news", ["benchmarks/builds.py", home]),
            ("the Flowhub pull", ["-m", "benchmarks.flowhub_pull"]),
            ("the push", ["-m", "benchmarks.push_rate"]),
            ("durable acknowledgements", ["-m", "benchmarks.acknowledgements"]),
            ("kills under load", ["-m", "benchmarks.kills"]),
            ("who is who, full", ["-m", "benchmarks.identity.full"]),
            ("who is who, a little news", ["-m", "benchmarks.identity.incremental"]),
            ("who is who, right and wrong", ["-m", "benchmarks.identity.accuracy"]),
            ("ten minutes at the highest rate", ["-m", "benchmarks.soak"]),
        ):
            print(f"\n# {title}", flush=True)
            began = time.monotonic()
            done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)  # noqa: S603 - fixed commands
            print(f"({time.monotonic() - began:.1f} s)", flush=True)
            if done.returncode:
                failed.append(title)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
