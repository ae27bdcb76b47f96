"""Tables as the command line prints them: readable on a terminal and in a file."""

from rich import box
from rich.table import Table


def table(title: str, *columns: str) -> Table:
    """Return an empty table; columns after the first hold numbers, unless their name begins with a dot."""
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        is_text = place == 0 or column.startswith(".")
        made.add_column(column.removeprefix("."), justify="left" if is_text else "right", overflow="fold")
    return made
