"""The world as the vendors keep it: what was generated, without who is who."""

from dataclasses import dataclass

from sandbox.world.accounts import Change, CustomerRecord
from sandbox.world.menu import Item
from sandbox.world.orders import Lines, Orders
from sandbox.world.spec import WorldSpec


@dataclass(frozen=True, slots=True)
class Emission:
    """A webhook or partner event that a vendor sends.

    ``due`` is when it is sent, ``signed`` the time in its signature (earlier where an old one comes late),
    both in microseconds since 1970. Those of one ``subject`` are sent in the order of ``number``.
    """

    number: int
    due: int
    signed: int
    vendor: str
    path: str
    topic: str
    subject: str
    body: str


@dataclass(frozen=True)
class World:
    """Everything that the vendors know or will come to know."""

    spec: WorldSpec
    menu: list[Item]
    records: list[CustomerRecord]
    changes: list[Change]
    orders: Orders
    lines: Lines
    emissions: list[Emission]
