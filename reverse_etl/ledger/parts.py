"""Long lists of ids, in parts that a statement takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
_AT_ONCE = 2_000  # SQLite takes some ten thousand values a statement


def in_parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield a list in parts, in order."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
