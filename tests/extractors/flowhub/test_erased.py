"""What the pulls remember of a record whose person was erased."""

from datetime import UTC, datetime
from pathlib import Path

from extractors.flowhub.run import Run
from extractors.flowhub.state import PullState
from perennial.salt import Salt

NOW = datetime(2026, 3, 15, tzinfo=UTC)


def test_an_unchanged_record_is_known_and_its_name_is_not(tmp_path: Path) -> None:
    """The next pull brings nobody back; another salt, or a new version, is no longer known."""
    path = tmp_path / "extractors.sqlite"
    with PullState(path, Salt("a")) as state:
        state.complete(Run("p", "customers", "", NOW), {"fh-ann-1": "h1", "fh-bob-1": "h2"}, sweep=True)
        assert state.erase("customers", ["fh-ann-1"]) == 1
        assert state.erase("customers", ["fh-ann-1"]) == 0
        assert state.hashes("customers", "", ["fh-ann-1", "fh-bob-1", "fh-new-1"]) == {
            "fh-ann-1": "h1",
            "fh-bob-1": "h2",
        }
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"fh-bob-1" in kept
    assert b"fh-ann-1" not in kept
    with PullState(path, Salt("b")) as state:
        assert state.hashes("customers", "", ["fh-ann-1"]) == {}
