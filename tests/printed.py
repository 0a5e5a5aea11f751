"""Commands as texts print them: found in a text, and parsed to the point where they would begin."""

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click

from pellucid.cli.app import app
from pellucid.cli.command import FlagCommand
from pellucid.errors import OptionError

COMMAND = re.compile(r"(?<![\w/.-])pellucid ([a-z-]+)\b([^`\n]*)")
STANDS_FOR = {"N": "3", "...": ""}
# Of a command in a sentence or table
ENDS = re.compile(r"""(\.\s|\.$|;|  | \(| # | \| | > | &|\$\(|"\)|"$|'$).*""")


def commands_in(text: str) -> Iterator[str]:
    """Yield the commands that a text prints, each without the sentence around it."""
    for name, rest in COMMAND.findall(text):
        line = f"pellucid {name}{ENDS.sub('', rest)}".strip().rstrip(".,:;")
        if name in app.list_commands(click.Context(app)) and "[OPTIONS]" not in line:
            yield line


def fault(line: str) -> str:
    """Return why a command line would be refused before it begins; "" where it would begin."""
    try:
        words = shlex.split(line.replace("\u00a0", " "), comments=True)[1:]
    except ValueError as error:
        return str(error)
    words = [STANDS_FOR.get(word, word) for word in words]
    words = [word for word in words if word]
    try:
        with app.make_context("pellucid", words) as context:
            return _run(context)
    except click.exceptions.Exit:  # --help, --version
        return ""
    except (click.UsageError, OptionError) as error:
        return error.format_message() if isinstance(error, click.UsageError) else str(error)


def is_name(line: str) -> bool:
    """Return whether a text is no more than the name of a command, as in "`pellucid run` makes one"."""
    group: click.Command | None = app
    for word in line.split()[1:]:
        if not isinstance(group, click.Group):
            return False
        group = group.get_command(click.Context(group), word)
        if group is None:
            return False
    return True


def _run(context: click.Context) -> str:
    """Run a command of which only the last call, that of its function, is left out."""
    name, command, rest = app.resolve_command(context, context._protected_args + context.args)
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(context, rest)
    assert isinstance(command, FlagCommand)
    kept = command.function
    command.function = _does_nothing(kept)
    try:
        with command.make_context(name, rest, parent=context) as own:
            command.invoke(own)
    finally:
        command.function = kept
    return ""


def _does_nothing(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def nothing(**values: Any) -> int:
        return 0

    return nothing


def texts_of(path: Path) -> Iterator[str]:
    """Yield the strings of a source file; what an f-string fills in is an x."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value
