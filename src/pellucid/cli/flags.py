"""Flags: the options and arguments of commands, each declared once.

Those of a training or of data are the fields of a dataclass, declared by ``pellucid.registry.option``; a command's
own are parameters of its function, declared by ``flag`` likewise::

    @command("train", order=20, short_help="Train with checkpoints.")
    @options(source=SOURCE, training=TRAINING)
    def train(
        *, source: DataSource, training: Mapping[str, Any], steps: int = flag(9, at_least=1, help="Steps.")
    ) -> None: ...

Help, completion, errors and the values that the function is called with come from the declaration.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import click

from pellucid.errors import OptionError, unknown_name
from pellucid.registry import Limits, check_option, options_of, parts_of

F = TypeVar("F", bound=Callable[..., Any])
HUGE = 2**31  # a bound that is not worth showing
LONGEST = 64  # columns of choices that fit a line with their flag; longer ones stand behind the help
KINDS = {  # what stands for a value of a type, and an example where not every text is one
    int: ("INT", ""),
    float: ("FLOAT", ""),
    str: ("TEXT", ""),
    Path: ("PATH", ""),
    dict: ("NAME=VALUE,...", "momentum=0.9"),
    dict[str, str]: ("COLUMN=KIND,...", "zip=category"),
    tuple: ("HEIGHTxWIDTH", "64x64"),
    tuple[int, ...]: ("HEIGHTxWIDTHxCHANNELS", "64x64x3"),
    tuple[str, ...]: ("NAME,...", ""),
    list: ("NAME,...", ""),
    list[float]: ("FLOAT,...", "5,10,15"),
}


@dataclass(frozen=True, kw_only=True)
class Flag(Limits):
    """An option or argument of a command: what it may be, and how it is written and shown.

    Attributes
    ----------
    choices : str or callable or None
        Where the names are that it may be, "module:NAME", or what returns them.
    short : str
        A second spelling: "-o".
    metavar : str
        What stands for its value in the help; default: its choices, or its kind.
    is_argument : bool
        It has a place, not a name.
    is_open : bool
        It may be other than one of the choices, too.
    needs : tuple of str
        Parameters of the command, one of which must be given with it.
    name, hint, default, is_required
        Of the parameter that it declares.
    """

    choices: Any = None
    short: str = ""
    metavar: str = ""
    is_argument: bool = False
    is_open: bool = False
    needs: tuple[str, ...] = ()
    name: str = ""
    hint: Any = str
    default: Any = None
    is_required: bool = False

    def needing(self, *parameters: str) -> Any:
        """Return the flag of a command whose parameters, one of them at least, must be given with it."""
        return replace(self, needs=parameters)

    @property
    def type(self) -> Any:
        """The first type that it may have."""
        return next(part for part in parts_of(self.hint) if part is not type(None))

    @property
    def is_list(self) -> bool:
        """Whether it is several values."""
        return get_origin(self.type) is list

    @property
    def kind(self) -> tuple[str, str]:
        """The kind of its value, and an example."""
        return KINDS.get(self.type) or KINDS.get(get_origin(self.type)) or KINDS[str]

    @property
    def spelling(self) -> str:
        """How it is written: ``n_jobs`` is --jobs, ``weight_decay`` --weight-decay; an argument as in the help."""
        name = self.flag or self.name.removeprefix("n_")
        return self.value if self.is_argument else "--" + name.replace("_", "-")

    @property
    def names(self) -> list[str]:
        """The texts that it may be; none where it may be any."""
        named = [
            value for part in parts_of(self.hint) if get_origin(part) is Literal for value in get_args(part)
        ]
        choices = load(self.choices) if isinstance(self.choices, str) else self.choices and self.choices()
        return [str(name) for name in (named if choices is None else choices)]

    @property
    def value(self) -> str:
        """What stands for its value in the help."""
        if self.metavar or self.is_argument:
            return self.metavar or self.name.upper()
        if not self.names or self.is_list:
            return self.kind[0]
        known = f"[{'|'.join(self.names)}]"
        return "NAME" if self.is_open or len(known) > LONGEST else known

    @property
    def words(self) -> str:
        """Its line of help, with choices, bounds and default."""
        signs = ((">", self.above), (">=", self.at_least), ("<", self.below), ("<=", self.at_most))
        is_known = isinstance(self.default, str | int | float | Path) and not isinstance(self.default, bool)
        notes = (
            "required" if self.is_required and not self.is_argument else "",
            "" if self.value.startswith("[") else ", ".join(self.names),
            ", ".join(f"{sign}{bound:g}" for sign, bound in signs if bound is not None and bound < HUGE),
            f"default: {self.default}" if is_known and self.default != "" else "",
        )
        shown = "; ".join(filter(None, notes))
        return f"{self.help} [{shown}]" if shown else self.help

    def parameter(self) -> click.Parameter:
        """Return what click parses; it leaves values as texts, which :meth:`read` reads."""
        path = click.Path() if self.type is Path else click.STRING
        shared: dict[str, Any] = {"required": self.is_required, "type": path, "shell_complete": self.complete}
        if self.is_argument:
            usage = (self.value if self.is_required else f"[{self.value}]") + "..." * self.is_list
            return click.Argument([self.name], metavar=usage, nargs=-1 if self.is_list else 1, **shared)
        names = [self.name, *filter(None, [self.short]), self.spelling]
        if self.type is bool:
            names[-1] += "" if self.default is False else f"/--no-{self.spelling[2:]}"
            return click.Option(names, is_flag=True, default=None)
        return click.Option(names, metavar=self.value, **shared)

    def complete(self, context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        """Return the choices that begin so, for the shell; files where it has none."""
        if not self.names:
            return parameter.type.shell_complete(context, parameter, incomplete)
        before, comma, last = incomplete.rpartition(",") if self.is_list else ("", "", incomplete)
        return [before + comma + name for name in self.names if name.startswith(last)]

    def read(self, command: str, given: Any) -> Any:
        """Return what was given as the parameter's value, checked."""
        value = typed(given, self.hint) if isinstance(given, str) else given
        kind, example = self.kind
        if isinstance(value, str) and example:
            raise OptionError(
                f"{command}: expected {self.spelling} to be {kind} such as {example}, got {value!r}."
            )
        if self.names and not self.is_open:
            for one in value if isinstance(value, list) else (value,):
                if str(one) not in self.names:
                    raise OptionError(f"{command}: {unknown_name(self.spelling, one, self.names)}")
        check_option(command, self.spelling, value, self.hint, replace(self, choices=None))
        return value


def flag(default: Any = MISSING, **about: Any) -> Any:
    """Return what a parameter of a command is declared by: its default, unless it must be given, and its words.

    Parameters
    ----------
    default : object, optional
    **about
        Attributes of :class:`Flag`.
    """
    return Flag(default=None if default is MISSING else default, is_required=default is MISSING, **about)


def declared(function: Callable[..., Any]) -> dict[str, Flag]:
    """Return the flags that parameters of a function, or fields of a dataclass, are declared by, by name."""
    return {
        name: replace(each.default, name=name, hint=each.annotation)
        for name, each in inspect.signature(function).parameters.items()
        if isinstance(each.default, Flag)
    }


@dataclass(frozen=True)
class Flags:
    """The flags of a dataclass, for which one parameter of a command stands.

    Attributes
    ----------
    home : type or str
        The dataclass, or "module:name", which is imported once the command is asked for.
    group : str
        The heading of those that name none.
    argument : str
        The option that is an argument without a flag, if any.
    default : str or None
        What the argument is where it is left out; None: it must be given.
    is_optional : bool
        The argument may be left out: the command then gets None, and no option of the dataclass may be given.
    only, without : tuple of str
        Which options become flags; default: all that fit on a command line. ``without`` may be the place of its
        tuple, "module:NAME".
    is_given : bool
        The command gets a mapping of the options that were given: a recipe fills in the rest.
    has_defaults : bool
        With is_given: the rest is the dataclass's defaults, not a recipe's.
    """

    home: type | str
    group: str = ""
    argument: str = ""
    default: str | None = None
    is_optional: bool = False
    only: tuple[str, ...] = ()
    without: tuple[str, ...] | str = ()
    is_given: bool = False
    has_defaults: bool = False

    def but(self, **changes: Any) -> "Flags":
        """Return flags that differ in some attributes."""
        return replace(self, **changes)

    def dataclass(self) -> Any:
        """Return the dataclass."""
        return load(self.home) if isinstance(self.home, str) else self.home

    def flags(self) -> dict[str, Flag]:
        """Return the flags by the name of their option."""
        cls = self.dataclass()
        if found := declared(cls):
            return found
        without = load(self.without) if isinstance(self.without, str) else self.without
        for field in fields(cls):
            name, (hint, limits) = field.name, options_of(cls).get(field.name, (None, None))
            is_asked = name in self.only if self.only else name not in without
            if limits is None or not is_asked or not fits_a_flag(hint):
                continue
            made = Flag(**vars(limits) | {"group": limits.group or self.group}, name=name, hint=hint)
            own: dict[str, Any] = {}  # of one whose default a recipe brings
            if name == self.argument:
                own = {"is_argument": True, "metavar": "DATA" if name == "name" else ""}
                own["default"] = "the model's own" if self.is_optional else self.default
                own["is_required"] = self.default is None and not self.is_optional
            elif self.has_defaults or not self.is_given:
                is_required = MISSING is field.default is field.default_factory
                own = {"default": field.default, "is_required": is_required}
            found[name] = replace(made, **own)
        return found

    def made(self, command: str, own: Mapping[str, Any]) -> Any:
        """Return what the command gets for the options that were given."""
        if self.is_optional and self.argument not in own:
            for name in own:
                raise OptionError(
                    f"{command}: {self.flags()[name].spelling} says how data are read. Name them too, behind the "
                    "model, or leave it out: the model's own data are read as they were."
                )
            return None
        own = own if self.default is None else {self.argument: self.default, **own}
        if self.is_given:
            return own
        defaults = {name: each.default for name, each in declared(self.dataclass()).items()}
        return self.dataclass()(**defaults | {**own})


SOURCE = Flags("pellucid.data.source:DataSource", "Data", argument="name")
TRAINING = Flags("pellucid.training.options:TrainingOptions", "Training", is_given=True)
CHECKPOINTS = Flags("pellucid.workflows.checkpoints:Checkpoints", "Checkpoints")
# Of a command that computes, but does not train
KERNELS = Flags("pellucid.dispatch:KernelChoice", is_given=True)


def options(**flags: Flags) -> Callable[[F], F]:
    """Say which parameters of a command's function stand for the flags of a dataclass.

    ``kernels=KERNELS`` needs no parameter: it holds for all that a command does.
    """

    def note(function: F) -> F:
        function.__flags__ = flags  # type: ignore[attr-defined]
        return function

    return note


def load(home: str) -> Any:
    """Return what "module:name" says."""
    module, _, name = home.partition(":")
    return getattr(importlib.import_module(module), name)


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
    >>> typed("3", int | None), typed("0.5", float), typed("64x48", tuple[int, int]), typed("64", tuple[int, int])
    (3, 0.5, (64, 48), (64, 64))
    >>> typed("mode=max,patience=3", dict[str, Any]), typed("5, 7.5", list[float])
    ({'mode': 'max', 'patience': 3}, [5.0, 7.5])
    >>> typed("three", int)
    'three'
    """
    for part in parts_of(hint):
        kind, inner = get_origin(part), get_args(part)
        try:
            if part in (int, float, Path):
                return part(text)
            if part == dict[str, str]:  # names may be any text but these two signs
                pairs = [word.rpartition("=") for word in _words(text)]
                if all(name.strip() for name, _, _ in pairs):
                    return {name.strip(): value.strip() for name, _, value in pairs}
            elif kind is dict:
                return _pairs(text)
            if part == tuple[str, ...]:
                return _words(text)
            if kind is tuple and inner == (int, int) and text.isdecimal():
                return int(text), int(text)  # a square
            if kind is tuple and (... in inner or text.lower().count("x") == len(inner) - 1):
                return tuple(int(side) for side in text.lower().split("x"))
            if kind is list:
                values = [typed(word.strip(), inner[0]) for word in text.split(",") if word.strip()]
                if str in parts_of(inner[0]) or not any(isinstance(value, str) for value in values):
                    return values
            if kind is Literal and text in map(str, inner):
                return next(value for value in inner if str(value) == text)
        except ValueError:
            continue
    return text


def _words(text: str) -> tuple[str, ...]:
    """Return words with commas between them; one that has a comma itself stands in double quotes."""
    import csv

    return tuple(word.strip() for word in next(csv.reader([text], skipinitialspace=True), ()) if word.strip())


def _pairs(text: str) -> dict[str, Any]:
    """Return options written as NAME=VALUE, values as in TOML but that text needs no quotes; else ValueError."""
    import tomllib

    quoted = re.sub(
        r"(=\s*)([A-Za-z_][\w-]*)\s*(?=,|$)",
        lambda m: m[0] if m[2] in ("true", "false", "inf", "nan") else f'{m[1]}"{m[2]}"',
        text,
    )
    try:
        return tomllib.loads(f"pairs = {{{quoted}}}")["pairs"]
    except tomllib.TOMLDecodeError as error:
        raise ValueError(str(error)) from None
