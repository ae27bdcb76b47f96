"""Runs the sandbox by itself: ``python -m sandbox [SPEC]``, the spec as JSON."""

import sys

from perennial.settings import load_settings
from sandbox.server import serve
from sandbox.world.spec import WorldSpec, spec_from_json

if __name__ == "__main__":
    given = spec_from_json(sys.argv[1]) if sys.argv[1:] else WorldSpec()
    serve(load_settings(), given, on_progress=lambda message: print(message, flush=True))  # noqa: T201 - for a person
