"""The command ``perennial``."""

from typing import Any

import click
import typer
from typer.core import TyperGroup

from console.commands.check import check
from console.commands.deadletters import app as deadletters
from console.commands.demo import app as demo
from console.commands.erase import erase
from console.commands.explain import explain
from console.commands.flow import app as flow
from console.commands.holds import app as holds
from console.commands.identity import app as identity
from console.commands.order import app as order
from console.commands.pauses import pause, resume
from console.commands.push import push
from console.commands.quarantine import app as quarantine
from console.commands.rebuild import rebuild
from console.commands.run import run
from console.commands.sandbox import sandbox
from console.commands.serve import serve
from console.commands.status import status
from console.commands.worker import worker
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
for command in (run, serve, worker, sandbox, check, status, explain, push, pause, resume, rebuild, erase):
    app.command()(command)
app.add_typer(flow, name="flow")
app.add_typer(identity, name="identity")
app.add_typer(order, name="order")
app.add_typer(quarantine, name="quarantine")
app.add_typer(deadletters, name="deadletters")
app.add_typer(holds, name="holds")
app.add_typer(demo, name="demo", hidden=True)
