"""What commands that list an operator's rows have in common: options, how many are shown, and how they are counted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar

import typer

from console.output import out
from console.tables import show, table
from perennial.errors import PerennialError

Reason = Annotated[str | None, typer.Option("--reason", help="Only rows with these words in their reason.")]
Every = Annotated[bool, typer.Option("--all", help="Every row.")]
SHOWN = 50  # rows, unless every row is asked for
_Row = TypeVar("_Row")


def cut(rows: Sequence[_Row], *, every: bool) -> tuple[Sequence[_Row], str]:
    """Return the rows that are shown, and what they are called."""
    if every or len(rows) <= SHOWN:
        return rows, "Rows"
    return rows[:SHOWN], f"The first {SHOWN} rows"


def show_counts(title: str, columns: Sequence[str], of_rows: Iterable[tuple[str, ...]]) -> None:
    """Print how many rows there are of each kind, the most common first."""
    counts = table(*columns, "rows")
    for words, count in Counter(of_rows).most_common(SHOWN):
        counts.add_row(*words, f"{count:,}")
    show(out, title, counts)


def nothing_named(deed: str, fix: str) -> PerennialError:
    """Return the error of a command that was told of no rows: it never means all of them."""
    return PerennialError(f"nothing says which rows to {deed}", fix)
