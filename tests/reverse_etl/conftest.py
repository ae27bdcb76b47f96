"""What the tests of the push share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.salt import Salt
from reverse_etl.ledger.store import open_ledger
from tests.reverse_etl.judges import judge
from tests.reverse_etl.scene import Scene
from tests.reverse_etl.vendor import Vendor, serving


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """Run a scripted vendor that takes everything, until a test gives it another script.

    Whatever a test sent is held against the vendors' documents.
    """
    with serving() as vendor:
        yield vendor
    for path, raw in zip(vendor.paths, vendor.raw, strict=True):
        assert judge(path, raw) == []


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a ledger once, for tests to copy."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    open_ledger(f"sqlite:///{path}", Salt("empty")).close()
    return path


@pytest.fixture
def scene(tmp_path: Path, vendor: Vendor, empty_ledger: Path) -> Scene:
    """Make a home that pushes to the scripted vendor."""
    shutil.copy(empty_ledger, tmp_path / "ledger.sqlite")
    return Scene(
        tmp_path, aiq_url=vendor.url, klaviyo_url=vendor.url, flowhub_url=vendor.url, webhook_url=vendor.url
    )
