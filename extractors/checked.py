"""What trying a setting found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was tried: ``name`` holds its settings, ``fix`` is empty where it works."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
