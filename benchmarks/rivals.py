"""What the benchmarks are measured beside, in an environment of its own that nothing else uses."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "rivals.lock"


def rivals_python(folder: Path) -> str:
    """Make the environment of ``requirements/rivals.lock`` in a folder, and return its interpreter."""
    uv = str(Path(sys.executable).with_name("uv"))
    python = folder / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(LOCK)],
    ):
        subprocess.run(command, check=True)  # noqa: S603 - our own commands
    return str(python)
