"""What a vendor says about a call, without what was in the call."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
_EMAIL = re.compile(r"[^\s\"'<>,;:=(]+@[^\s\"'<>,;)]+")
_DIGITS = re.compile(r"\+?\d[\d\s().-]{5,}\d")
_LONGEST = 200
_SHORTEST_VALUE = 3  # a shorter one would blank letters of ordinary words


def scrub(text: str, sent: Mapping[str, Any]) -> str:
    """Blank what may be a value of ours: what we sent, anything quoted, e-mails, digits; cut to a line."""
    line = " ".join(text.split())
    for value in sorted(_values(sent), key=len, reverse=True):
        line = re.sub(re.escape(value), "…", line, flags=re.IGNORECASE)
    for pattern in (_QUOTED, _EMAIL, _DIGITS):
        line = pattern.sub("…", line)
    return line[:_LONGEST]


def _values(part: object) -> Iterator[str]:
    if isinstance(part, str) and len(part) >= _SHORTEST_VALUE:
        yield part
    elif isinstance(part, Mapping):
        for inner in part.values():
            yield from _values(inner)
    elif isinstance(part, (list, tuple)):
        for inner in part:
            yield from _values(inner)
