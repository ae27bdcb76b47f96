"""Keeps a generated world on disk, so that the second start is quick."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np

from sandbox.world.accounts import Change, CustomerRecord
from sandbox.world.build import build_world
from sandbox.world.menu import Item
from sandbox.world.orders import Lines, Orders
from sandbox.world.spec import WorldSpec
from sandbox.world.world import Emission, World


@dataclass(frozen=True)
class _Rest:
    """What of a world is not columns."""

    menu: list[Item]
    records: list[CustomerRecord]
    changes: list[Change]
    emissions: list[Emission]


def load_world(folder: Path, spec: WorldSpec, on_progress: Callable[[str], None]) -> World:
    """Return the world of this spec: from ``folder`` where it was kept, else made and kept there.

    ``folder/truth/`` gets the truth about it; a folder that was cut short is made again.
    """
    place = folder / "world" / spec.key
    if not (place / "complete").exists():
        on_progress("making the sandbox's world from The Complete Journey")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        world, truth = build_world(spec)
        np.savez(place / "orders.npz", **asdict(world.orders))
        np.savez(place / "lines.npz", **asdict(world.lines))
        rest = _Rest(world.menu, world.records, world.changes, world.emissions)
        (place / "rest.msgpack").write_bytes(msgspec.msgpack.encode(rest))
        truth.write(place / "truth")
        (place / "complete").touch()
    else:
        world = _read(place, spec)
    shown = folder / "truth"
    shutil.rmtree(shown, ignore_errors=True)
    shutil.copytree(place / "truth", shown)
    return world


def _read(place: Path, spec: WorldSpec) -> World:
    with np.load(place / "orders.npz") as columns:
        orders = Orders(**dict(columns))
    with np.load(place / "lines.npz") as columns:
        lines = Lines(**dict(columns))
    rest = msgspec.msgpack.decode((place / "rest.msgpack").read_bytes(), type=_Rest)
    return World(spec, rest.menu, rest.records, rest.changes, orders, lines, rest.emissions)
