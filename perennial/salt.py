"""The home's salt: with it a hash stands for an address or an id, and without it nobody can try addresses.

An erasure keeps nothing of a person but such hashes. So the salt belongs with the landing log in a backup: a log
whose erasures were written with another salt is refused, because nobody would know whom to leave alone.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from perennial.errors import PerennialError
from perennial.settings import Settings

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Salt:
    """The salt of one home; its ``repr`` does not show it."""

    text: str = field(repr=False)

    @property
    def salt_id(self) -> str:
        """Return what tells this salt from another one and gives nothing of it away."""
        return hashlib.sha256(f"salt:{self.text}".encode()).hexdigest()[:16]

    def hash(self, *parts: str) -> str:
        """Return what stands for some text; the macro ``salted_hash`` makes the same of it."""
        return hashlib.sha256(":".join([self.text, *parts]).encode()).hexdigest()


def salt_of(settings: Settings) -> Salt:
    """Return the home's salt, made at the first call; readable by its owner only."""
    path = settings.home / "salt"
    if not path.exists():
        _make(path)
    text = path.read_text(encoding="ascii").strip()
    if len(text) != 2 * _BYTES:
        raise PerennialError(
            f"the home's salt {path} is damaged",
            "put it back from a backup: without it nobody knows which addresses erasures have closed",
        )
    return Salt(text)


def _make(path: Path) -> None:
    """Write a salt that is whole before it has its name; whoever comes second takes the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"salt.{secrets.token_hex(4)}.tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_hex(_BYTES).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
