"""Flags that derive from the fields of a dataclass, each declared once, by ``pellucid.registry.option``.

::

    @command("train", order=20, short_help="Train with checkpoints.")
    @options(source=SOURCE, training=TRAINING)
    def train(source: DataSource, training: Mapping[str, Any], out: RunFolder = None) -> None: ...

``SOURCE`` and ``TRAINING`` name dataclasses. Each of their options becomes a flag with its help, bounds, choices
and default, and the function is called with a dataclass, or with the options that were given.

``--kernels`` holds for all that a command does. ``@options(kernels=KERNELS)`` gives it to one that computes but
does not train; its function needs no parameter for it.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer

from pellucid.cli.options import chosen
from pellucid.errors import OptionError
from pellucid.registry import Limits, check_option, options_of, parts_of

F = TypeVar("F", bound=Callable[..., None])
SIZE = "HEIGHTxWIDTH"
HUGE = 2**31  # a bound that nobody needs to be told of
PAIRS = "NAME=VALUE,..."
EXAMPLES = {SIZE: "64x64", PAIRS: "momentum=0.9"}


@dataclass(frozen=True)
class Flags:
    """The flags of one parameter of a command.

    Attributes
    ----------
    home : type or str
        The dataclass, or "module:name", which is imported once the command is asked for.
    argument : str
        The option that is an argument without a flag, if any.
    default : str or None
        What the argument is where it is left out; None: it must be given.
    is_optional : bool
        The argument may be left out: the command then gets None, and no option of the dataclass may be given.
    only, without : tuple of str
        Which options become flags; default: all that fit on a command line.
    is_given : bool
        The command gets a mapping of the options that were given: a recipe fills in the rest.
    has_defaults : bool
        With is_given: the rest is the dataclass's defaults, not a recipe's.
    """

    home: type | str
    argument: str = ""
    default: str | None = None
    is_optional: bool = False
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    is_given: bool = False
    has_defaults: bool = False

    def but(self, **changes: Any) -> "Flags":
        """Return flags that differ in some attributes."""
        return replace(self, **changes)

    def options(self) -> dict[str, "Flag"]:
        """Return the flags by the name of their option."""
        cls = self.dataclass()
        defaults = {field.name: field.default for field in fields(cls)}
        is_told = self.has_defaults or not self.is_given
        needed = {
            field.name
            for field in fields(cls)
            if is_told and MISSING is field.default is field.default_factory
        }
        return {
            name: Flag(name, hint, limits, defaults[name] if is_told else None, is_required=name in needed)
            for name, (hint, limits) in options_of(cls).items()
            if (name in self.only if self.only else name not in self.without) and fits_a_flag(hint)
        }

    def dataclass(self) -> Any:
        """Return the dataclass."""
        if not isinstance(self.home, str):
            return self.home
        module, _, name = self.home.partition(":")
        return getattr(importlib.import_module(module), name)


SOURCE = Flags("pellucid.data.source:DataSource", argument="name")
TRAINING = Flags("pellucid.training.options:TrainingOptions", is_given=True)
CHECKPOINTS = Flags("pellucid.workflows.checkpoints:Checkpoints")
KERNELS = Flags("pellucid.dispatch:KernelChoice", is_given=True)


@dataclass(frozen=True)
class Flag:
    """One option as a flag."""

    option: str
    hint: Any
    limits: Limits
    default: Any = None
    is_required: bool = False

    @property
    def name(self) -> str:
        """The flag: ``weight_decay`` is --weight-decay, unless the option has a name of its own for flags."""
        return "--" + (self.limits.flag or self.option).replace("_", "-")

    @property
    def metavar(self) -> str:
        """What stands behind the flag in the help: the choices, or the kind of value."""
        known = self.choices()
        if known:
            return f"[{'|'.join(known)}]"
        kinds = {int: "<int>", float: "<float>", tuple: SIZE, dict: PAIRS}
        parts = [part for part in parts_of(self.hint) if part is not type(None)]
        return kinds.get(get_origin(parts[0]) or parts[0], "<str>")

    @property
    def bounds(self) -> str:
        """The bounds for the help: ``>0, <1``; of a seed only what a person may run into."""
        limits = self.limits
        signs = ((">", limits.above), (">=", limits.at_least), ("<", limits.below), ("<=", limits.at_most))
        return ", ".join(f"{sign}{bound:g}" for sign, bound in signs if bound is not None and bound < HUGE)

    def choices(self) -> list[str]:
        """Return the texts that it may be; empty where it may be any."""
        listed = [] if self.limits.choices is None else [str(name) for name in self.limits.choices()]
        named = [
            str(value)
            for part in parts_of(self.hint)
            if get_origin(part) is Literal
            for value in get_args(part)
        ]
        return listed or named

    def parameter(self) -> tuple[Any, Any]:
        """Return the annotation and the default that typer makes the flag from."""
        words = self.limits.help
        if bool in parts_of(self.hint):
            declared = self.name if self.default is False else f"{self.name}/--no-{self.name[2:]}"
            return Annotated[bool | None, typer.Option(declared, help=words, show_default=False)], None
        notes = [self.bounds] if self.bounds else []
        if self.default not in (None, MISSING, "", {}):
            notes.append(f"default: {self.default}")
        if notes:
            words += f" [{'; '.join(notes)}]"
        option = typer.Option(self.name, metavar=self.metavar, help=words, autocompletion=self.complete)
        if self.is_required:
            return Annotated[str, option], inspect.Parameter.empty
        return Annotated[str | None, option], None

    def complete(self, incomplete: str) -> list[str]:
        """Return the choices that begin so, for the shell."""
        return [name for name in self.choices() if name.startswith(incomplete)]

    def read(self, command: str, given: Any) -> Any:
        """Return what was given as the option's value, checked."""
        value = given if isinstance(given, bool) else typed(given, self.hint)
        if isinstance(value, str) and self.metavar in EXAMPLES:
            raise OptionError(
                f"{command}: expected {self.name} to be {self.metavar} such as {EXAMPLES[self.metavar]}, "
                f"got {value!r}."
            )
        check_option(command, self.name, value, self.hint, self.limits)
        return value


def options(**flags: Flags) -> Callable[[F], F]:
    """Say which parameters of a command's function stand for the flags of a dataclass."""

    def note(function: F) -> F:
        function.__flags__ = flags  # type: ignore[attr-defined]
        return function

    return note


def with_flags(command: str, function: Callable[..., None]) -> Callable[..., None]:
    """Return a function that has a parameter for every flag, as typer wants it."""
    flags: Mapping[str, Flags] = getattr(function, "__flags__", {})
    if not flags:
        return function
    taken = inspect.signature(function).parameters
    tables = {parameter: group.options() for parameter, group in flags.items()}
    shown: dict[str, Flag] = {}
    for table in tables.values():  # an option of two groups, such as the seed, is one flag
        shown.update({name: flag for name, flag in table.items() if name not in shown})

    def call(**given: Any) -> None:
        values = {name: given.pop(name) for name in [*shown] if name in given}
        read = {name: shown[name].read(command, value) for name, value in values.items() if value is not None}
        made: dict[str, Any] = {}
        for parameter, group in flags.items():
            own = {name: value for name, value in read.items() if name in tables[parameter]}
            if group.is_optional and group.argument not in own:
                _refuse_alone(command, own, tables[parameter])
                made[parameter] = None
            else:
                made[parameter] = own if group.is_given else group.dataclass()(**own)
        with chosen(read.get("kernels")):
            function(**given, **{name: value for name, value in made.items() if name in taken})

    parameters = _parameters(function, flags, shown)
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in parameters}
    return call


def _refuse_alone(command: str, own: Mapping[str, Any], table: Mapping[str, Flag]) -> None:
    """Raise OptionError if there are options of data, and no data are named."""
    for name in own:
        raise OptionError(
            f"{command}: {table[name].name} says how data are read. Name them too, behind the model, or leave it "
            "out: the model's own data are read as they were."
        )


def _parameters(
    function: Callable[..., None], flags: Mapping[str, Flags], shown: Mapping[str, Flag]
) -> list[inspect.Parameter]:
    """Return the parameters of a command: its own, an argument in the place of its group, the flags last."""
    found, last = [], []
    annotations = inspect.get_annotations(function, eval_str=False)
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in flags:
            found.append((name, annotations[name], parameter.default))
        elif argument := flags[name].argument:
            found.append((argument, *_argument(shown[argument], flags[name])))
    arguments = {group.argument for group in flags.values()}
    last = [(name, *flag.parameter()) for name, flag in shown.items() if name not in arguments]
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in (*found, *last)
    ]


def _argument(flag: Flag, group: Flags) -> tuple[Any, Any]:
    default = "the model's own" if group.is_optional else group.default
    words = flag.limits.help + (f" [default: {default}]" if default else "")
    argument = typer.Argument(
        help=words, metavar="DATA" if flag.option == "name" else flag.option.upper(), show_default=False
    )
    if group.is_optional:
        return Annotated[str | None, argument], None
    return Annotated[str, argument], inspect.Parameter.empty if default is None else default


def fits_a_flag(hint: Any) -> bool:
    """Return whether a value of that type can be written behind a flag.

    Examples
    --------
    >>> fits_a_flag(int | None), fits_a_flag(tuple[int, int]), fits_a_flag(list[int])
    (True, True, False)
    """
    return any(
        part in (bool, int, float, str) or get_origin(part) in (Literal, tuple, dict)
        for part in parts_of(hint)
    )


def typed(text: str, hint: Any) -> Any:
    """Return a text as a value of the first type that it parses as, or unchanged if it parses as none.

    Examples
    --------
    >>> typed("3", int | None), typed("0.5", float), typed("64x48", tuple[int, int])
    (3, 0.5, (64, 48))
    >>> typed("mode=max,patience=3", dict[str, Any])
    {'mode': 'max', 'patience': 3}
    >>> typed("three", int)
    'three'
    """
    for part in parts_of(hint):
        try:
            if part in (int, float):
                return part(text)
            if get_origin(part) is dict:
                return _pairs(text)
            if get_origin(part) is tuple and text.lower().count("x") == len(get_args(part)) - 1:
                return tuple(int(side) for side in text.lower().split("x"))
        except ValueError:
            continue
    known: Iterable[Any] = [
        value for part in parts_of(hint) if get_origin(part) is Literal for value in get_args(part)
    ]
    return next((value for value in known if str(value) == text), text)


def _pairs(text: str) -> dict[str, Any]:
    """Return options written as NAME=VALUE, values as in TOML but that text needs no quotes; else ValueError."""
    import tomllib

    quoted = re.sub(r"(=\s*)([A-Za-z_][\w-]*)\s*(?=,|$)", lambda m: f"{m[1]}{_literal(m[2])}", text)
    try:
        return tomllib.loads(f"pairs = {{{quoted}}}")["pairs"]  # type: ignore[no-any-return]
    except tomllib.TOMLDecodeError as error:
        raise ValueError(str(error)) from None


def _literal(word: str) -> str:
    return word if word in ("true", "false", "inf", "nan") else f'"{word}"'
