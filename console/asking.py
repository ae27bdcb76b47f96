"""Asking whether somebody is sure, and how commands are told that she is."""

from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def sure(question: str, *, is_sure: bool = False) -> None:
    """Ask, unless somebody is sure; end the command where the answer is no."""
    if not is_sure and not typer.confirm(question):
        raise typer.Exit(1)
