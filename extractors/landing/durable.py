"""Folders and names that survive a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder, its parents too, and make their names durable.

    The parents are synced even where they exist: a process that made them may have died before it synced
    them. A folder that we may not write is where that ends: nobody like us has made a name in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for parent in (folder, *folder.absolute().parents):
        if not os.access(parent, os.R_OK | os.W_OK):
            break
        sync_folder(parent)
        if parent.is_mount():
            break
