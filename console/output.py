"""Where the command line writes: results to standard output, progress and errors to standard error."""

from rich.console import Console

from perennial.errors import PerennialError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def show_error(error: PerennialError) -> None:
    """Say the cause and the fix; values that came from elsewhere are printed as they are, not as markup."""
    err.print("[bold red]✗[/] ", end="")
    err.print(error.cause, markup=False)
    err.print("  → ", end="", style="bold")
    err.print(error.fix, markup=False)
