"""The command line with all its commands and flags, as typer runs it."""

from typing import Annotated

import typer

from pellucid.cli.command import PLAIN, CommandGroup, find_commands
from pellucid.cli.terminal import echo

find_commands()
app = typer.Typer(
    cls=CommandGroup,
    name="pellucid",
    help="Neural networks from scratch on NumPy: train, look inside, compare.",
    no_args_is_help=True,
    **{**PLAIN, "add_completion": True},
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and what does the work.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with every error.")] = False,
) -> None:
    if version:
        from pellucid.workflows.about import about

        echo(*about())
        raise typer.Exit
