"""An erasure on its way: what is to be forgotten and which steps are done, in a file of the home until it is over.

It is the one place where the person's values outlive a crash, so that the same command can finish: readable by its
owner only, and gone with the last step. Once only a destination is left to be told, it holds no more than that needs;
that it is about her is then known by the same hashes as in the log.
"""

import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from erasure.person import Person, hashes_asked, hashes_of
from perennial.home import Home
from perennial.salt import Salt


class Work(msgspec.Struct, kw_only=True):
    """One erasure; ``person`` is None once everything in this home is done. ``hashes`` stand for her names."""

    erasure_id: str
    erased_at: datetime
    hashes: list[str]
    person: Person | None
    done: list[str] = []
    # destination → the e-mails that it has still to be asked to forget
    to_tell: dict[str, list[str]] = {}

    def __repr__(self) -> str:
        return f"Work({self.erasure_id})"

    def save(self, home: Home) -> None:
        """Write it down, durably; a crash leaves the file as it was or as it is now."""
        folder = _folder(home)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"{self.erasure_id}.{secrets.token_hex(4)}.tmp"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(self))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path(home))

    def end(self, home: Home) -> None:
        """Forget it."""
        self._path(home).unlink(missing_ok=True)
        for draft in _folder(home).glob("*.tmp"):
            draft.unlink()

    def is_about(self, asked: str, salt: Salt) -> bool:
        """Tell whether somebody asks for the person whom this erasure is about."""
        return not hashes_asked(asked, salt).isdisjoint(self.hashes)

    def _path(self, home: Home) -> Path:
        return _folder(home) / f"{self.erasure_id}.json"

    @classmethod
    def of(cls, person: Person, salt: Salt, at: datetime) -> Self:
        """Begin one."""
        kept = hashes_of(person, salt)
        erasure_id = salt.hash("erasure", person.customer_id, at.isoformat())[:24]
        hashes = [*(hashed for _, hashed in kept.addresses), *kept.records]
        return cls(erasure_id=erasure_id, erased_at=at, hashes=sorted(hashes), person=person)


def open_work(home: Home) -> Iterator[Work]:
    """Yield the erasures that have begun and not ended."""
    for path in sorted(_folder(home).glob("*.json")):
        yield msgspec.json.decode(path.read_bytes(), type=Work)


def _folder(home: Home) -> Path:
    return home.root / "erasures"
