"""What is kept equal where: the words that all of this room share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["traits", "lists"]
TRAITS: Final = "traits"
LISTS: Final = "lists"
ON_THE_LIST = "on"  # the fingerprint of a member: she is on the list, or she is not


@dataclass(frozen=True, slots=True)
class Mirror:
    """The traits of people at a destination, or one list of it."""

    destination: str
    kind: Kind
    target: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.destination, self.kind, self.target)))


@dataclass(frozen=True, slots=True)
class Item:
    """A person's traits, or an address of a list, as the ledger knows them; its ``repr`` shows no address.

    ``wanted`` and ``confirmed`` are fingerprints, None where nothing is there. ``fields`` may hold a value there.
    """

    item: str
    customer_id: str
    wanted: str | None
    confirmed: str | None
    fields: tuple[str, ...]
    vendor_id: str | None
    attempts: int

    def __repr__(self) -> str:
        return f"Item({self.customer_id})"


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as a destination may know her; its ``repr`` shows no address."""

    customer_id: str
    fingerprint: str
    email: str | None
    phone: str | None
    flowhub_customer_id: str | None
    traits: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Profile({self.customer_id})"

    @property
    def known(self) -> tuple[str, ...]:
        """The fields that have a value."""
        return tuple(sorted(name for name, value in self.traits.items() if value is not None))


@dataclass(frozen=True, slots=True)
class Change:
    """What a sync is about to do: ``there`` is confirmed by now, ``people`` are all whom the destination may know."""

    mirror: Mirror
    there: int
    adds: int
    removals: int
    people: int
