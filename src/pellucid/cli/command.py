"""How a command is declared, and the group that finds it: to add a command is to add its file to this folder.

::

    @command("data list", order=141, short_help="The built-in data sets.")
    def data_list(as_json: Json = False) -> None: ...

Each file of the folder is imported to know its name and line of help, so files import only
what is light; a command's options are looked up once it is asked for.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import typer
from typer.core import TyperGroup

from pellucid.cli.terminal import echo
from pellucid.progress import hidden_bars

F = TypeVar("F", bound=Callable[..., None])
TABLE = re.compile(r"\{([\w.]+):(\w+)\}")


@dataclass(frozen=True)
class Declared:
    """A command, or a group of commands (``function`` is None)."""

    name: str  # "run", "data list"
    order: float  # its place in the help
    short_help: str  # fits a terminal of 80 columns
    function: Callable[..., None] | None = None


DECLARED: dict[str, Declared] = {}


def command(name: str, *, order: float, short_help: str) -> Callable[[F], F]:
    """Declare a function as the command ``pellucid NAME``; its docstring is the command's help."""

    def declare(function: F) -> F:
        DECLARED[name] = Declared(name, order, short_help, function)
        return function

    return declare


def group(name: str, *, order: float, short_help: str) -> None:
    """Declare a group, whose commands are called ``NAME SOMETHING``."""
    DECLARED[name] = Declared(name, order, short_help)


def find_commands() -> None:
    """Import every file of this folder, so that each declares its commands."""
    package = importlib.import_module("pellucid.cli")
    for module in pkgutil.iter_modules(package.__path__, "pellucid.cli."):
        importlib.import_module(module.name)


class CommandGroup(TyperGroup):
    """A group that lists its commands as they are declared, and builds one only when it is asked for."""

    prefix = ""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        own = [each for name, each in DECLARED.items() if name.rpartition(" ")[0] == self.prefix]
        self._declared = {
            each.name.rpartition(" ")[2]: each for each in sorted(own, key=lambda each: each.order)
        }
        self.commands: Any = dict.fromkeys(self._declared)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names in the order of the help."""
        return list(self._declared)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by name; None if there is none."""
        if cmd_name in self._declared and self.commands[cmd_name] is None:
            self.commands[cmd_name] = build(self._declared[cmd_name])
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands without building them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.short_help) for name, each in self._declared.items()])


def build(declared: Declared) -> Any:
    """Return a command, or a group, as typer runs it."""
    from pellucid.cli.flags import with_flags

    if declared.function is None:
        of = type("Group", (CommandGroup,), {"prefix": declared.name})
        app = typer.Typer(cls=of, help=declared.short_help, no_args_is_help=True, **PLAIN)
        app.callback()(lambda: None)
        made = typer.main.get_command(app)
    else:
        app = typer.Typer(**PLAIN)
        app.command(short_help=declared.short_help)(with_flags(declared.name, declared.function))
        made = typer.main.get_command(app)
    made.name = declared.name.rpartition(" ")[2]
    for parameter in made.params:
        _finish(parameter)
    if declared.function is not None and made.callback is not None:
        made.callback = _as_asked(made.callback)
    return made


def _as_asked(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Show no progress where a command is to be quiet or print JSON; say that Ctrl-C ended it."""

    def call(**given: Any) -> Any:
        is_quiet = any(given.get(name) for name in ("quiet", "as_json", "as_lines"))
        with hidden_bars() if is_quiet else nullcontext():
            try:
                return callback(**given)
            except KeyboardInterrupt:  # typer would end without a word
                echo("Stopped.", err=True)
                raise typer.Exit(130) from None

    return call


def _finish(parameter: Any) -> None:
    """Write an argument in upper case, and the names of a table where a help text says {module:TABLE}."""
    if parameter.param_type_name == "argument":
        parameter.metavar = parameter.metavar or parameter.name.upper()
    if getattr(parameter, "help", None):
        parameter.help = TABLE.sub(_names, parameter.help)


def _names(found: "re.Match[str]") -> str:
    return ", ".join(getattr(importlib.import_module(found[1]), found[2]))


PLAIN: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
