"""How a command is declared, and the group that finds it: to add a command is to add its file to this folder.

::

    @command("data list", order=141, short_help="The built-in data sets.")
    def data_list() -> Answer: ...

Each file of the folder is imported to know its name and line of help, so files import only
what is light; a command's options are looked up once it is asked for.
"""

import importlib
import inspect
import os
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

import click

from pellucid.cli.flags import Flag, Flags, declared, flag
from pellucid.cli.terminal import Answer
from pellucid.errors import OptionError
from pellucid.progress import hidden_bars

Function: TypeAlias = Callable[..., int | Answer | None]
F = TypeVar("F", bound=Function)
PRINTED: dict[str, Any] = {  # of a command that returns an Answer
    "as_json": flag(False, flag="json", group="Output", help="Print one JSON object and nothing else."),
    "quiet": flag(False, group="Output", help="Print only what was asked for: no progress, no notes."),
}
HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
MANY = 12  # flags from which they stand under several headings
WIDEST = 30  # columns of the help's first column; what is wider has a line of its own
HEADINGS = (
    "Arguments",
    "Options",
    "Data",
    "Network",
    "Training",
    "Optimizer",
    "Checkpoints",
    "Computation",
    "Output",
)


@dataclass(frozen=True)
class Declared:
    """A command, or a group of commands (``function`` is None)."""

    name: str  # "run", "data list"
    order: float  # its place in the help
    short_help: str  # fits a terminal of 80 columns
    function: Function | None = None

    @property
    def word(self) -> str:
        """The last word of its name."""
        return self.name.rpartition(" ")[2]


DECLARED: dict[str, Declared] = {}


def command(name: str, *, order: float, short_help: str) -> Callable[[F], F]:
    """Declare a function as the command ``pellucid NAME``: its docstring is the help.

    It returns the exit code, or an Answer, with which it has --json and --quiet.
    """

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


class CommandGroup(click.Group):
    """A group that lists its commands as they are declared, and builds one only when it is asked for."""

    def __init__(self, prefix: str, **attributes: Any) -> None:
        super().__init__(context_settings=HELP, **attributes)
        self.prefix = prefix

    @property
    def declared(self) -> dict[str, Declared]:
        """Its commands by their last word, in the order of the help."""
        own = [each for name, each in DECLARED.items() if name.rpartition(" ")[0] == self.prefix]
        return {each.word: each for each in sorted(own, key=lambda each: each.order)}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command; nothing at all asks for help."""
        return super().parse_args(ctx, args or ["--help"])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the order of the help."""
        return list(self.declared)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name; None if there is none."""
        one = self.declared.get(cmd_name)
        if one is not None and cmd_name not in self.commands:
            self.commands[cmd_name] = build(one)
        return None if one is None else self.commands[cmd_name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for; a usage error with the one that is meant if there is none."""
        if args[0] not in self.declared:
            from pellucid.cli.usage import unknown_command

            ctx.fail(unknown_command(args[0], list(self.declared)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without building them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.short_help) for name, each in self.declared.items()])


class FlagCommand(click.Command):
    """A command with flags: help under headings, values read and checked as they are declared."""

    def __init__(self, name: str, function: Function) -> None:
        self.full_name, self.function = name, function
        self.groups: dict[str, Flags] = getattr(function, "__flags__", {})
        self.tables = {parameter: group.flags() for parameter, group in self.groups.items()}
        self.own, self.flags = declared(function), dict[str, Flag]()
        signature = inspect.signature(function)
        for (
            parameter
        ) in signature.parameters:  # its own, the argument of a group in its place, the others last
            if parameter in self.own:
                self.flags[parameter] = self.own[parameter]
            elif argument := self.groups[parameter].argument:
                self.flags[argument] = self.tables[parameter][argument]
        for table in self.tables.values():  # an option of two groups, such as the seed, is one flag
            self.flags |= {name: flag for name, flag in table.items() if name not in self.flags}
        if signature.return_annotation is Answer:
            self.flags |= {name: replace(each, name=name, hint=bool) for name, each in PRINTED.items()}
        super().__init__(
            name.rpartition(" ")[2],
            params=[flag.parameter() for flag in self.flags.values()],
            help=function.__doc__,
            context_settings=HELP | {"allow_extra_args": True},
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a usage error says which command it is of."""
        try:
            super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise
        if ctx.args and not ctx.resilient_parsing:
            ctx.fail(f"unexpected argument {ctx.args[0]!r}.")
        return ctx.args

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write arguments and options, many of them under headings."""
        rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for parameter in self.get_params(ctx):
            flag, record = self.flags.get(parameter.name or ""), parameter.get_help_record(ctx)
            if flag is None:
                rows["Options"].append(record or ("", ""))
            elif flag.is_argument:
                rows["Arguments"].append((flag.value, flag.words))
            else:
                heading = flag.group if len(self.flags) > MANY and flag.group else "Options"
                rows[heading].append((record[0] if record else "", flag.words))
        width = min(WIDEST, max(len(first) for section in rows.values() for first, _ in section))
        for heading in (*HEADINGS, *(rows.keys() - set(HEADINGS))):
            if rows[heading]:
                with formatter.section(heading):
                    formatter.write_dl(
                        [(first.ljust(width), words) for first, words in rows[heading]], WIDEST
                    )

    def invoke(self, ctx: click.Context) -> int | None:
        """Call the function with what was given, and return its exit code."""
        given = {name: value for name, value in ctx.params.items() if value is not None}
        for one in (self.flags[name] for name in given):
            if one.needs and not given.keys() & set(one.needs):
                others, own = " or ".join(self.flags[name].spelling for name in one.needs), one.spelling
                raise OptionError(
                    f"{self.full_name}: {own} is for {others}. Add {others}, or leave {own} out."
                )
        read = {name: self.flags[name].read(self.full_name, value) for name, value in given.items()}
        values = {name: read.get(name, each.default) for name, each in self.own.items()}
        parameters = inspect.signature(self.function).parameters
        for parameter, group in self.groups.items():
            if parameter in parameters:
                chosen = {name: read[name] for name in self.tables[parameter] if name in read}
                values[parameter] = group.made(self.full_name, chosen)
        as_json, quiet = (bool(read.get(name)) for name in PRINTED)
        is_quiet = as_json or quiet or bool(read.get("as_lines"))
        with hidden_bars() if is_quiet else nullcontext(), _chosen(read.get("kernels")):
            found = self.function(**values)
            return found.show(as_json=as_json, quiet=quiet) if isinstance(found, Answer) else found


def build(one: Declared) -> click.Command:
    """Return a command, or a group, as click runs it."""
    if one.function is None:
        return CommandGroup(one.name, name=one.word, help=one.short_help)
    return FlagCommand(one.name, one.function)


@contextmanager
def _chosen(kernels: str | None) -> Iterator[None]:
    """Let --kernels be the environment's choice inside this block, for threads and processes, too."""
    if kernels is None:
        yield
        return
    from pellucid.dispatch import VARIABLE

    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = kernels
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        os.environ.update({} if before is None else {VARIABLE: before})
