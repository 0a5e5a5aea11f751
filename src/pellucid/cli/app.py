"""The command line with all its commands and flags, as click runs it."""

import os
from collections.abc import Sequence

import click

from pellucid.cli.command import CommandGroup, find_commands
from pellucid.cli.terminal import echo

COMPLETE = "_PELLUCID_COMPLETE"  # set by a shell that completes a line: see docs/cli.md


def _show_version(context: click.Context, parameter: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        from pellucid.workflows.about import about

        echo(*about())
        context.exit()


def _of_root(flag: str, words: str, **attributes: object) -> click.Option:
    return click.Option([flag], is_flag=True, expose_value=False, help=words, **attributes)  # type: ignore[arg-type]


find_commands()
app = CommandGroup(
    "",
    name="pellucid",
    help="Neural networks from scratch on NumPy: train, look inside, compare.",
    params=[
        _of_root("--version", "Print the versions of what computes.", is_eager=True, callback=_show_version),
        _of_root("--debug", "Show a traceback with every error."),
    ],
)


def run_command(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; errors and Ctrl-C pass through."""
    if os.environ.get(COMPLETE):
        app(prog_name="pellucid")
    try:
        with app.make_context("pellucid", list(arguments)) as context:
            return app.invoke(context) or 0
    except click.exceptions.Exit as done:  # of --help and --version
        return done.exit_code
