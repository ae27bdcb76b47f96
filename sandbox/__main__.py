"""Runs the sandbox by itself: ``python -m sandbox [SPEC]``, the spec as JSON."""

import sys

from perennial.errors import PerennialError
from perennial.settings import load_settings
from sandbox.server import serve
from sandbox.world.spec import WorldSpec, spec_from_json


def _say(message: object) -> None:
    print(message, flush=True)  # noqa: T201 - a process of its own talks to a person


if __name__ == "__main__":
    given = spec_from_json(sys.argv[1]) if sys.argv[1:] else WorldSpec()
    try:
        serve(load_settings(), given, on_progress=_say)
    except PerennialError as error:
        _say(error)
        sys.exit(1)
