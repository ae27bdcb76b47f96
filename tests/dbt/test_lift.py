"""The interval of a lift: the macros' SQL against the same formulas in plain Python, and against the paper's own table."""

import math
import random

import duckdb
import pytest

from benchmarks.identity.macro_sql import MacroFile

Z = 1.959963984540054


def wilson(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's interval of a share: the two shares whose score test just doesn't refuse what was seen."""
    share = count / total
    # the roots of (share - p)² = z² p (1 - p) / n
    a, b, c = 1 + Z * Z / total, -2 * share - Z * Z / total, share * share
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def newcombe(count: int, total: int, other_count: int, other_total: int) -> tuple[float, float]:
    """Return the interval of the difference of two shares by the hybrid of their Wilson intervals."""
    share, other = count / total, other_count / other_total
    (low, high), (other_low, other_high) = wilson(count, total), wilson(other_count, other_total)
    difference = share - other
    return (
        difference - math.hypot(share - low, other_high - other),
        difference + math.hypot(high - share, other - other_low),
    )


def by_macros(*counts: tuple[int, int, int, int]) -> list[tuple[float, float]]:
    """Return the intervals as the models ask for them."""
    connection = duckdb.connect()

    def run(statement: str) -> list[tuple[float, float]]:
        return connection.execute(statement).fetchall()

    wilson_bound = MacroFile("performance/wilson_bound.sql", run, "duckdb").wilson_bound
    difference_bound = MacroFile("performance/difference_bound.sql", run, "duckdb").difference_bound
    bounds = ", ".join(
        f"{wilson_bound(x, n, side)} as {share}_{name}"
        for share, x, n in (("one", "x", "n"), ("other", "y", "m"))
        for side, name in (("-", "low"), ("+", "high"))
    )
    found = run(
        f"with shares as (select x / n as one, y / m as other, {bounds} "
        f"from (values {', '.join(map(str, counts))}) as counted (x, n, y, m)) "
        f"select {difference_bound('one', 'other', '-')}, {difference_bound('one', 'other', '+')} from shares"
    )
    return list(found)


# Newcombe 1998, table II, method 10: what he prints, to four places.
PUBLISHED = {
    (56, 70, 48, 80): (0.0524, 0.3339),
    (9, 10, 3, 10): (0.1705, 0.8090),
    (6, 7, 2, 7): (0.0582, 0.8062),
    (5, 56, 0, 29): (-0.0381, 0.1926),
    (0, 10, 0, 20): (-0.1611, 0.2775),
    (0, 10, 0, 10): (-0.2775, 0.2775),
    (10, 10, 0, 20): (0.6791, 1.0000),
    (10, 10, 0, 10): (0.6075, 1.0000),
}


def test_the_interval_is_the_one_of_the_paper() -> None:
    """For its eight examples, to the four places that are printed."""
    for found, printed in zip(by_macros(*PUBLISHED), PUBLISHED.values(), strict=True):
        assert found == pytest.approx(printed, abs=0.00005)


def test_the_sql_says_what_plain_python_says() -> None:
    """Few and many people, none and all of whom buy."""
    dice = random.Random(7)
    totals = [(dice.choice((1, 2, 30, 500, 100_000)), dice.choice((1, 2, 30, 500, 100_000))) for _ in range(200)]
    counts = [(dice.choice((0, dice.randint(0, n), n)), n, dice.randint(0, m), m) for n, m in totals]
    for asked, found in zip(counts, by_macros(*counts), strict=True):
        assert found == pytest.approx(newcombe(*asked), abs=1e-9), asked
        seen = asked[0] / asked[1] - asked[2] / asked[3]
        assert -1 - 1e-9 <= found[0] <= seen + 1e-9 and seen - 1e-9 <= found[1] <= 1 + 1e-9, asked
