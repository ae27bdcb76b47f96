"""Single values of landed payloads, which may be anything: read as the models read them, or not at all."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

_FLAGS: Mapping[str, bool] = {"true": True, "false": False}


def text(value: object) -> str:
    """Read a text or a whole number; '' where it is neither."""
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def flag_of(value: object) -> bool | None:
    """Read a boolean as the models do: as JSON has it, or as its word."""
    if isinstance(value, bool):
        return value
    return _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def epoch(value: object) -> datetime | None:
    """Read an instant that is told in seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(text(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def instant(value: object, *, naive: tzinfo | None = None) -> datetime | None:
    """Read an instant in ISO 8601; one without an offset is of the zone ``naive``, or none at all."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    if found.tzinfo is not None:
        return found
    return None if naive is None else found.replace(tzinfo=naive)
