"""Tables as the command line prints them: readable on a terminal and in a file."""

from rich import box
from rich.console import Console
from rich.table import Table


def table(*columns: str) -> Table:
    """Return an empty table; columns after the first hold numbers, unless their name begins with a dot."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        is_text = place == 0 or column.startswith(".")
        made.add_column(column.removeprefix("."), justify="left" if is_text else "right", overflow="fold")
    return made


def show(console: Console, title: str, made: Table) -> None:
    """Print a table under its title; the title may be wider than the table."""
    console.print(f"[bold]{title}[/]", soft_wrap=True)
    console.print(made)
