"""Where libraries' warnings go: into the home's logs, not between a person's tables."""

import logging

from perennial.home import Home


def keep_log(home: Home, name: str) -> None:
    """Write this process's log to ``logs/<name>.log`` in the home."""
    folder = home.root / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=folder / f"{name}.log",
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
