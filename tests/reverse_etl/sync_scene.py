"""A home with a published set, and destinations that are kept equal to it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from perennial.home import Home
from reverse_etl.destinations.aiq_attributes import AiqAccount
from reverse_etl.destinations.klaviyo_profiles import KlaviyoAccount
from reverse_etl.sync.guard import Guard
from reverse_etl.sync.mirror import Kind, Mirror
from reverse_etl.sync.sync import Account, MirrorReport, Parts, sync_with
from reverse_etl.sync.wanted import open_wanted
from sandbox.credentials import AIQ_API_KEY, KLAVIYO_API_KEY
from tests.reverse_etl.sandbox_vendors import Vendors
from tests.reverse_etl.scene import WIDE, Scene

LIST = "SbxVip"
_TEXT, _NUMBER = pa.string(), pa.int64()
_TABLES = {
    "marts.destination_profiles": {
        "destination": _TEXT,
        "customer_id": _TEXT,
        "email": _TEXT,
        "phone": _TEXT,
        "flowhub_customer_id": _TEXT,
        "traits": _TEXT,
        "fingerprint": _TEXT,
        "changed_build_no": _NUMBER,
    },
    "marts.destination_lists": {"destination": _TEXT, "list_id": _TEXT, "audience_name": _TEXT},
    "marts.destination_list_members": {
        "destination": _TEXT,
        "list_id": _TEXT,
        "audience_name": _TEXT,
        "customer_id": _TEXT,
        "email": _TEXT,
        "changed_build_no": _NUMBER,
    },
}


@dataclass
class Warehouse:
    """What a warehouse publishes for destinations; rows carry the build that changed them, as the models' do."""

    home: Path
    build_no: int = 0
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
    lists: tuple[str, ...] = (LIST,)
    destinations: tuple[str, ...] = ("aiq", "klaviyo")
    _changed: dict[str, int] = field(default_factory=dict)

    def publish(
        self, people: Mapping[str, Mapping[str, Any] | None] = {}, members: Sequence[str] | None = None
    ) -> None:
        """Publish the next build: of some people other traits (None: they are gone), and who is on the list."""
        self.build_no += 1
        for name, traits in people.items():
            if traits is None:
                self.people.pop(name, None)
            elif self.people.get(name) != traits:
                self.people[name] = dict(traits)
                self._changed[name] = self.build_no
        if members is not None:
            self.members = {name: self.members.get(name, self.build_no) for name in members}
        rows: dict[str, list[tuple[Any, ...]]] = {
            "marts.destination_profiles": [
                (
                    destination, name, f"{name}@example.com", None, f"fh-{name}", json.dumps(traits),
                    json.dumps(traits, sort_keys=True), self._changed[name],
                )
                for destination in self.destinations
                for name, traits in self.people.items()
            ],
            "marts.destination_lists": [("klaviyo", list_id, "vip_customers") for list_id in self.lists],
            "marts.destination_list_members": [
                ("klaviyo", LIST, "vip_customers", name, f"{name}@example.com", changed)
                for name, changed in self.members.items()
                if LIST in self.lists
            ],
        }  # fmt: skip
        folder = Home(self.home).published
        folder.mkdir(parents=True, exist_ok=True)
        tables = {}
        for table, columns in _TABLES.items():
            named = [dict(zip(columns, row, strict=True)) for row in rows[table]]
            tables[table] = f"{table}.{self.build_no}.parquet"
            schema = pa.schema(list(columns.items()))
            parquet.write_table(pa.Table.from_pylist(named, schema=schema), folder / tables[table])
        current = {
            "build_no": self.build_no,
            "as_of": "2026-03-15T18:00:00+00:00",
            "tables": tables,
            "views": {},
        }
        (folder / "current.json").write_text(json.dumps(current), encoding="utf-8")


def change_by_hand(vendors: Vendors, *, off: Sequence[str], on: Sequence[str] = ("by.hand",)) -> None:
    """Take people off the list and put others on it, as somebody does at Klaviyo's own page."""
    directory = vendors.klaviyo.directory
    directory.advance()
    for name in off:
        directory.members[LIST].pop(f"email:{name}@example.com")
    for name in on:
        directory.import_one({"email": f"{name.title()}@example.com"})
        directory.members[LIST][f"email:{name}@example.com"] = "2026-01-01"


def on_the_list(vendors: Vendors) -> set[str]:
    """Return who is on the list."""
    vendors.klaviyo.directory.advance()
    members = vendors.klaviyo.directory.members[LIST]
    return {key.removeprefix("email:").removesuffix("@example.com") for key in members}


@dataclass
class SyncScene:
    """A home, the warehouse that publishes there, and the vendors that it syncs with."""

    scene: Scene
    warehouse: Warehouse
    klaviyo_url: str
    aiq_url: str
    longest: timedelta = timedelta(seconds=30)
    guard: Guard | None = None

    @classmethod
    def at(cls, home: Path, vendors: Vendors, ledger_url: str = "") -> "SyncScene":
        """Make a home that syncs with the sandbox's vendors."""
        scene = Scene(home, ledger_url=ledger_url)
        return cls(scene, Warehouse(home), f"{vendors.url}/klaviyo", f"{vendors.url}/aiq")

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """Open what a sync works with."""
        accounts: dict[str, Account] = {
            "klaviyo": KlaviyoAccount(self.klaviyo_url, KLAVIYO_API_KEY, self.scene.clock),
            "aiq": AiqAccount(self.aiq_url, AIQ_API_KEY, "aiq", self.scene.clock, WIDE),
        }
        ledger = self.scene.open()
        wanted = open_wanted(Home(self.scene.home))
        assert wanted is not None
        parts = Parts(
            ledger, wanted, self.scene.log, self.scene.clock, accounts, patience=self.scene.patience,
            longest=self.longest,
        )  # fmt: skip
        if self.guard is not None:
            parts.guard = self.guard
        try:
            with wanted:
                yield parts
        finally:
            ledger.close()

    def sync(self, *destinations: str, kinds: Sequence[Kind] | None = None) -> dict[str, MirrorReport]:
        """Sync once; return the report of each mirror by its name."""
        with self.parts() as parts:
            report = sync_with(parts, destinations=destinations or None, kinds=kinds)
        return {str(one.mirror): one for one in report.mirrors}

    def items(self, mirror: Mirror) -> list[dict[str, Any]]:
        """Return what the book holds of a mirror."""
        ledger = self.scene.open()
        try:
            with ledger.read() as connection:
                rows = connection.exec_driver_sql(
                    f"select * from sync_items where destination = '{mirror.destination}' "
                    f"and kind = '{mirror.kind}' order by item"
                )
                return [dict(row) for row in rows.mappings()]
        finally:
            ledger.close()
