"""Where the command line writes: results to standard output, progress and errors to standard error."""

import os
import sys

from rich.console import Console

from perennial.errors import PerennialError

# In a file or a pipe there is no width to ask for: wide enough that a table's rows stay rows.
out = Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)
err = Console(stderr=True, highlight=False)


def show_error(error: PerennialError) -> None:
    """Say the cause and the fix; values that came from elsewhere are printed as they are, not as markup."""
    err.print("[bold red]✗[/] ", end="")
    err.print(error.cause, markup=False)
    err.print("  → ", end="", style="bold")
    err.print(error.fix, markup=False)
