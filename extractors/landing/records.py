"""What a source sent, before and after it has its place in the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that a source sent: an order, an item, a webhook body.

    ``payload`` is its text exactly as received. ``headers`` holds allow-listed ones only and ``request`` how
    it was asked for; neither ever holds a secret.
    """

    source: str
    stream: str
    source_key: str | None
    received_at: datetime
    payload: str
    headers: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a time without a zone: it would land as another instant than the one meant."""
        if self.received_at.tzinfo is None:
            raise ValueError(f"received_at of a {self.source}/{self.stream} record has no time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedRecord(Record):
    """A record with its place: the batch's ``seq`` and its row in the batch, from 1."""

    seq: int
    row_no: int
