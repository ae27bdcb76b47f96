"""What is left of a landed row whose person was erased: its place, and that it was there."""

# The macro `is_erased` knows the same text.
TOMBSTONE = '{"erased":true}'


def is_tombstone(payload: str) -> bool:
    """Say whether an erasure has left nothing of a row."""
    return payload == TOMBSTONE
