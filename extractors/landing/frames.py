"""How records lie in a journal: length and CRC-32, then the bytes.

Four bytes of length and four of checksum, both little-endian; the checksum covers the length too, so that
neither a run of zeros nor a shifted length passes.
"""

import struct
import zlib
from dataclasses import dataclass

_HEADER = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What could be read of a journal.

    ``torn`` counts bytes at the end that make no whole frame: a write that a crash cut off, never
    acknowledged. ``damaged`` counts bytes that make none and have good frames after them: no crash does that
    to what was synced.
    """

    contents: list[bytes]
    torn: int
    damaged: int


def framed(content: bytes) -> bytes:
    """Return a record's bytes as they are written; an empty record is no record."""
    if not content:
        raise ValueError("a journal record can't be empty")
    return _HEADER.pack(len(content), _checksum(content)) + content


def recover(journal: bytes) -> Recovered:
    """Return every record that can be read, whatever lies between."""
    contents: list[bytes] = []
    at = skipped = damaged = 0
    view = memoryview(journal)
    while at < len(view):
        content = _frame_at(view, at)
        if content is None:
            at += 1
            skipped += 1
            continue
        damaged, skipped = damaged + skipped, 0
        contents.append(content)
        at += _HEADER.size + len(content)
    return Recovered(contents, torn=skipped, damaged=damaged)


def _frame_at(view: memoryview, at: int) -> bytes | None:
    start = at + _HEADER.size
    if start > len(view):
        return None
    length, checksum = _HEADER.unpack_from(view, at)
    if length == 0 or start + length > len(view):
        return None
    content = bytes(view[start : start + length])
    return content if _checksum(content) == checksum else None


def _checksum(content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(struct.pack("<I", len(content))))
