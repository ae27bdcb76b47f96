"""``python -m console`` is ``perennial``: how its own processes are started."""

from console.cli import app

app()
