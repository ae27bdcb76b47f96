"""Seeds by which the push itself is bound. Analysts edit them, and without them nothing may be sent."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from perennial.errors import PerennialError

SEEDS = Path(__file__).parents[1] / "dbt" / "seeds"
_Read = TypeVar("_Read")


def read_seed(path: Path, what: str, read: Callable[[Mapping[str, str], int], _Read]) -> list[_Read]:
    """Read each row with its line's number; what ``read`` finds wrong with one it says itself.

    Raises ``PerennialError`` where there is no such file, or none of these columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [read(row, line) for line, row in enumerate(csv.DictReader(file), start=2)]
    except KeyError as error:
        raise PerennialError(
            f"{path.name} has no column {error.args[0]}",
            "give its first line back; nothing is sent without it",
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PerennialError(
            f"{what} ({path.name}) can't be read: {type(error).__name__}",
            f"put dbt/seeds/{path.name} back as it was; nothing is sent without it",
        ) from None
