"""Whether a worker hosts the builder in this home."""

import json
import os

from perennial.home import Home


def worker_runs(home: Home) -> bool:
    """Return whether the worker that announced itself is alive."""
    try:
        pid = int(json.loads(home.worker_socket.read_text(encoding="utf-8"))["pid"])
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, KeyError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
