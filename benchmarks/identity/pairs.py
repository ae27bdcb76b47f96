"""How well records were put together, counted in pairs of records against the truth."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

_PAIRS = """
with records as (select truth.person_id, found.person from truth inner join found on truth.node = found.node)
select
    (select coalesce(sum(n * (n - 1) // 2), 0) from (select count(*) as n from records group by person, person_id)),
    (select coalesce(sum(n * (n - 1) // 2), 0) from (select count(*) as n from records group by person)),
    (select coalesce(sum(n * (n - 1) // 2), 0) from (select count(*) as n from truth group by person_id)),
    (select max(n) from (select count(*) as n from records group by person))
"""


@dataclass(frozen=True)
class Score:
    """Pairs joined rightly, joined, and of one person; ``largest`` is the number of records of the largest group."""

    right: int
    joined: int
    true: int
    largest: int

    @property
    def precision(self) -> float:
        """The share of the joined pairs that are right."""
        return self.right / self.joined if self.joined else 1.0

    @property
    def recall(self) -> float:
        """The share of the true pairs that were joined."""
        return self.right / self.true

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        return 2 * self.right / (self.joined + self.true)


def score(found: pa.Table, truth: pa.Table) -> Score:
    """Compare ``found (node, person)``, whatever its persons are called, with ``truth (node, person_id)``."""
    with duckdb.connect() as connection:
        connection.register("found", found)
        connection.register("truth", truth)
        [[right, joined, true, largest]] = connection.execute(_PAIRS).fetchall()
    return Score(int(right), int(joined), int(true), largest)
