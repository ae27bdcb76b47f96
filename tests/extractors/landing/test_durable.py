"""Every byte and every name is synced before anyone is told of it."""

import asyncio
import os
from pathlib import Path

import pytest

from extractors.landing.journal import Journal
from extractors.landing.log import LandingLog
from tests.extractors.landing.samples import cart


class Syncs:
    """The files and folders that were synced, by inode, in order, as the kernel was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._seen: list[int] = []
        sync = os.fsync

        def noted(handle: int) -> None:
            sync(handle)
            self._seen.append(os.fstat(handle).st_ino)

        monkeypatch.setattr(os, "fsync", noted)

    def forget(self) -> None:
        """Begin anew."""
        self._seen.clear()

    def of(self, path: Path) -> list[int]:
        """Return the places in the order at which a file or folder was synced."""
        inode = path.stat().st_ino
        return [place for place, seen in enumerate(self._seen) if seen == inode]


def test_a_batch_and_the_way_to_it_are_synced_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, its name, entry, its name: an entry never survives a power cut that its file did not."""
    root = tmp_path / "home" / "landing"
    syncs = Syncs(monkeypatch)
    batch = LandingLog(str(root)).append("b/1", [cart(1)])
    for folder in (tmp_path, tmp_path / "home", root, root / "batches"):
        assert syncs.of(folder), f"the names in {folder.name} may be lost"
    file, entry = root / batch.path, root / "manifest/000000000001.json"
    order = [syncs.of(file)[0], syncs.of(file.parent)[-1], syncs.of(entry)[0], syncs.of(entry.parent)[-1]]
    assert order == sorted(order)


def test_a_reader_shows_nothing_that_a_power_cut_could_take_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that died between making an entry and syncing the folder has left just this."""
    log = LandingLog(str(tmp_path / "landing"))
    log.append("b/1", [cart(1)])
    syncs = Syncs(monkeypatch)
    reader = LandingLog(str(tmp_path / "landing"))
    assert reader.last_seq() == 1
    assert syncs.of(tmp_path / "landing/manifest")
    syncs.forget()
    assert reader.last_seq() == 1
    assert not syncs.of(tmp_path / "landing/manifest")


def test_an_acknowledged_record_and_the_way_to_it_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The segment, its name, the receiver's folder and the journal's."""
    syncs = Syncs(monkeypatch)

    async def run() -> None:
        journal = Journal(tmp_path / "home" / "journal")
        await journal.append([cart(1)])
        [folder] = (tmp_path / "home" / "journal").iterdir()
        [segment] = folder.glob("*.segment")
        first = syncs.of(segment)
        assert first
        for above in (folder, *folder.parents[:3]):
            assert syncs.of(above), f"the names in {above.name} may be lost"
        await journal.append([cart(2)])
        assert len(syncs.of(segment)) == len(first) + 1

    asyncio.run(run())
