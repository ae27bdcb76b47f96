"""Graphs of records and the identifiers they carry, as hard as those of a large retailer.

A person is a tree of about four records and identifiers, at times (one in 200) a heavy tail of up to 300, with a second
way between two of them for one in four; one person in a thousand is a chain of 50. Ten hubs a million people (a kiosk's
e-mail, a store's phone) are carried by 500 to 20,000 records of anybody. Keys are 60-bit hashes, as `key64` makes them.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CHAINS = 0.001
CHAIN_LENGTH = 50
HEAVY = 0.005
LONGEST = 300
SECOND_WAY = 0.25
HUBS_OF_A_MILLION = 10
_KEY = np.uint64(2**60 - 1)


def write_links(path: Path, people: int, seed: int = 7) -> int:
    """Write ``(record_key, link_key, person)``, one row for each identifier that a record carries; return the rows.

    ``person`` is the component but for the hubs, which join many: it says what a hub did.
    """
    dice = np.random.default_rng(seed)
    records, identifiers, owners = _persons(people, dice)
    hubs = max(1, people * HUBS_OF_A_MILLION // 1_000_000)
    degrees = np.exp(dice.uniform(np.log(500), np.log(20_000), hubs)).astype(np.int64)
    # a town too small for such hubs has smaller ones
    degrees = np.minimum(degrees, max(2, people // 20))
    picked = dice.integers(0, len(records), degrees.sum())
    hub_of = np.repeat(np.arange(hubs), degrees) + identifiers.max() + 1
    record_keys = np.concatenate([records, records[picked]])
    link_keys = np.concatenate([identifiers, hub_of])
    persons = np.concatenate([owners, owners[picked]])
    order = dice.permutation(len(record_keys))
    table = pa.table(
        {
            "record_key": _hashed(record_keys[order] * 2),
            "link_key": _hashed(link_keys[order] * 2 + 1),
            "person": persons[order],
        }
    )
    pq.write_table(table, path)
    return int(table.num_rows)


def _persons(people: int, dice: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two ends of every edge inside a person, as numbers of nodes, and the person."""
    sizes = 2 + dice.geometric(0.36, people) - 1
    heavy = dice.random(people) < HEAVY
    sizes[heavy] = np.minimum(15 * (1 + dice.pareto(1.2, heavy.sum())), LONGEST).astype(np.int64)
    is_chain = dice.random(people) < CHAINS
    sizes[is_chain] = CHAIN_LENGTH
    begins = np.cumsum(sizes) - sizes
    is_record = np.zeros(sizes.sum(), dtype=bool)
    is_record[begins] = True
    ends: list[tuple[np.ndarray, np.ndarray]] = []
    for place in range(1, int(sizes.max())):
        # each node hangs on one before it, and is what that one is not: a record or an identifier
        grown = np.flatnonzero(sizes > place)
        above = np.where(is_chain[grown], place - 1, (dice.random(len(grown)) * place).astype(np.int64))
        one, other = begins[grown] + above, begins[grown] + place
        is_record[other] = ~is_record[one]
        ends.append((one, other))
    twice = np.flatnonzero((dice.random(people) < SECOND_WAY) & (sizes > 3) & ~is_chain)
    one = begins[twice] + (dice.random(len(twice)) * sizes[twice]).astype(np.int64)
    other = begins[twice] + (dice.random(len(twice)) * sizes[twice]).astype(np.int64)
    crosses = is_record[one] != is_record[other]
    ends.append((one[crosses], other[crosses]))
    ones = np.concatenate([one for one, _ in ends])
    others = np.concatenate([other for _, other in ends])
    owners = np.repeat(np.arange(people), sizes)[ones]
    return np.where(is_record[ones], ones, others), np.where(is_record[ones], others, ones), owners


def _hashed(numbers: np.ndarray) -> np.ndarray:
    """Return numbers as 60-bit hashes, so that their order says nothing (splitmix64)."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed ^ (mixed >> np.uint64(31))) & _KEY).astype(np.int64)
