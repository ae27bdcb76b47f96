"""The identity models keep their measure on labelled records, and the measure is counted rightly."""

from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.identity import messy
from benchmarks.identity.pairs import score
from benchmarks.identity.resolving import Resolver


def test_pairs_are_counted_as_by_hand() -> None:
    """Three records of one person and one of another: a, b and d were put together, c was left alone."""
    found = pa.table({"node": ["a", "b", "c", "d"], "person": ["x", "x", "y", "x"]})
    truth = pa.table({"node": ["a", "b", "c", "d"], "person_id": [1, 1, 1, 2]})
    counted = score(found, truth)
    assert (counted.right, counted.joined, counted.true, counted.largest) == (1, 3, 3, 3)
    assert counted.precision == pytest.approx(1 / 3)
    assert counted.recall == pytest.approx(1 / 3)
    assert counted.f1 == pytest.approx(1 / 3)


@pytest.mark.slow
def test_the_models_keep_their_measure_on_the_messy_set(tmp_path: Path) -> None:
    """What `python -m benchmarks.identity.accuracy` measures on a large town holds in a small one."""
    town = messy.generate(1_500, seed=messy.DEVELOPMENT_SEEDS[0])
    with Resolver(tmp_path) as resolver:
        resolver.observe(town.sightings)
        resolver.resolve()
        found = score(resolver.map().rename_columns(["node", "person"]), town.truth)
    assert found.precision >= 0.975
    assert found.f1 >= 0.90
    assert found.largest <= 20
