"""What every pull needs and says: ids, hashes, instants as text, and what it did in numbers."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream of a pull.

    ``records`` were seen, ``landed`` of them are new or changed, ``unchanged`` were skipped; ``first_seq``
    and ``last_seq`` bound the batches (None where none landed). Completeness markers are not counted as
    records.
    """

    stream: str
    pages: int = 0
    records: int = 0
    landed: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    first_seq: int | None = None
    last_seq: int | None = None


def new_pull_id(started_at: datetime) -> str:
    """Return an id that sorts by time and is unlike any other."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def content_hash(text: str) -> str:
    """Return 16 hex digits of the text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()[:16]


def rfc3339(instant: datetime) -> str:
    """Write an instant as landing rows hold it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
