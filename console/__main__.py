"""``python -m console`` is ``perennial``: how its own processes are started."""

from console.cli import app

if __name__ == "__main__":  # the receiver's workers load this module too
    app()
