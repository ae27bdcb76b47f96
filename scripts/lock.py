"""Recompile the hash-locked requirements, for every platform and every Python that Perennial runs on.

The locks hold no address of an index: whoever installs uses the index that their machine is set up for.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILE = [
    str(Path(sys.executable).with_name("uv")),
    *("pip", "compile", "--quiet", "--upgrade"),
    *("--universal", "--python-version", "3.11"),
    # pip's hash mode refuses a requirement with extras when the lock names it without them.
    *("--generate-hashes", "--no-strip-extras"),
    # The header would name the command with its options, and with them an index.
    *("--no-header", "--no-emit-index-url", "--no-emit-find-links"),
]
LOCKS = (
    ("requirements/bootstrap.lock", ["requirements/bootstrap.in"]),
    ("requirements.lock", ["--all-extras", "pyproject.toml"]),
    ("requirements/rivals.lock", ["requirements/rivals.in"]),
)

if __name__ == "__main__":
    for lock, inputs in LOCKS:
        print(f"  {lock} …", flush=True)
        # An existing lock would be read as preferences; --upgrade ignores it.
        subprocess.run([*COMPILE, *inputs, "-o", lock], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
