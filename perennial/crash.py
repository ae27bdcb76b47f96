"""Named places where a test may stop a process dead, to prove what survives.

``PERENNIAL_CRASH_AT=attempting`` ends the process the first time it passes the place named *attempting*,
``attempting:3`` the third time. The variable is read once; without it a place costs one comparison. It is no
setting: nothing but a test sets it, and it changes no behaviour, it only ends it.
"""

import os
from functools import cache
from itertools import count
from typing import NoReturn

VARIABLE = "PERENNIAL_CRASH_AT"
EXIT_CODE = 137  # what a shell reports for a process that was killed


@cache
def _target() -> tuple[str, int] | None:
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return None
    name, _, passes = wanted.partition(":")
    return name, int(passes or 1)


@cache
def _passes() -> "count[int]":  # itertools.count takes no subscript at run time
    return count(1)


def crash_point(name: str) -> None:
    """Mark a place; the process ends here, without a clean-up of any kind, when a test asked for it."""
    target = _target()
    if target is not None and target[0] == name and next(_passes()) == target[1]:
        _die()


def _die() -> NoReturn:
    os._exit(EXIT_CODE)
