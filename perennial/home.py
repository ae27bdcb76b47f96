"""The home folder: what lives where, and whether it is a demo's."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from perennial.errors import SettingsError
from perennial.settings import Settings

Kind = Literal["real", "demo"]


@dataclass(frozen=True)
class Home:
    """The files of one installation."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The DuckDB file; only the builder opens it."""
        return self.root / "warehouse.duckdb"

    @property
    def journal(self) -> Path:
        """The receiver's append-only journals."""
        return self.root / "journal"

    @property
    def published(self) -> Path:
        """What consumers read."""
        return self.root / "published"

    @property
    def dagster(self) -> Path:
        """Dagster's instance."""
        return self.root / "dagster"

    @property
    def extractor_state(self) -> Path:
        """Cursors of the pulls (SQLite)."""
        return self.root / "extractors.sqlite"

    @property
    def data_docs(self) -> Path:
        """Great Expectations' Data Docs."""
        return self.root / "data_docs"

    @property
    def plans(self) -> Path:
        """Plans of pushes that were made without naming a file."""
        return self.root / "plans"

    @property
    def sandbox(self) -> Path:
        """What the sandbox's vendors keep."""
        return self.root / "sandbox"

    @property
    def worker_socket(self) -> Path:
        """Where a running worker says how to reach it: ``{"port", "token", "pid"}``."""
        return self.root / "worker.json"


def open_home(settings: Settings, kind: Kind) -> Home:
    """Make or enter the home; a demo's home is never used for real data, nor the reverse."""
    home = Home(settings.home)
    home.root.mkdir(parents=True, exist_ok=True)
    marker = home.root / "home.json"
    if not marker.exists():
        marker.write_text(json.dumps({"kind": kind}), encoding="utf-8")
    found = kind_of(settings)
    if found != kind:
        raise SettingsError(
            f"PERENNIAL_HOME ({home.root}) belongs to a {found} installation, this command works on a {kind} one",
            "point PERENNIAL_HOME at another folder; for the demo use make run, or set PERENNIAL_CLOCK=sandbox",
        )
    return home


def kind_of(settings: Settings) -> Kind | None:
    """Return whose home this is; None where nothing has been made yet."""
    marker = settings.home / "home.json"
    if not marker.exists():
        return None
    kind: Kind = json.loads(marker.read_text(encoding="utf-8"))["kind"]
    return kind
