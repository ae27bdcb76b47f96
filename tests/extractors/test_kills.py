"""Whoever is killed under load, and when: nothing acknowledged is lost (``benchmarks/kills.py`` kills hundreds)."""

from pathlib import Path

from tests.extractors import kills


def test_what_is_killed_over_and_over_under_load_loses_nothing(tmp_path: Path) -> None:
    """Every acknowledged event and every order of the vendor is there, and the log can be read to its end."""
    counts = kills.run(tmp_path / "home", kills=16, seed=20170610)
    assert counts.kills.total() >= 15, "a victim may have ended by itself"
    assert set(counts.kills) == {"worker", "receiver", "extractor", "compaction"}
    assert (counts.lost, counts.problems) == ([], [])
    assert counts.landed == counts.acknowledged > 100
    assert counts.orders_landed == counts.orders
    assert counts.rewrites > 0
