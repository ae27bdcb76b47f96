"""The command ``perennial``."""

from typing import Any

import click
import typer
from typer.core import TyperGroup

from console.commands import check, demo, push, rebuild, run, sandbox, serve, status, worker
from console.output import show_error
from perennial.errors import PerennialError


class ErrorsForPeople(TyperGroup):
    """Ends a command that a person must mend with the cause, the fix and exit code 1, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except PerennialError as error:
            show_error(error)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=ErrorsForPeople,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Perennial: a customer warehouse for cannabis retail that brings shoppers back.",
)
app.command("run")(run.run)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("sandbox")(sandbox.sandbox)
app.command("check")(check.check)
app.command("status")(status.status)
app.command("push")(push.push)
app.command("rebuild")(rebuild.rebuild)
app.add_typer(demo.app, name="demo", hidden=True)
