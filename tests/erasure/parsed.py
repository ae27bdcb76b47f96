"""Parses the dbt project at import: loaded once by the server that forks the processes of ``erasing``."""

import os
from pathlib import Path
from tempfile import mkdtemp

from warehouse.project import DbtProject

_target = Path(mkdtemp(prefix=f"perennial-parsed-{os.getpid()}-"))
MANIFEST = DbtProject(_target / "warehouse.duckdb", _target).manifest
