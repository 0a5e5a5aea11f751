"""The options that a class declares, and what is derived from them: check, config and repr."""

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING
from typing import Any, ClassVar, NamedTuple

from pellucid.errors import OptionError, unknown_name
from pellucid.registry.options import NO_LIMITS, Limits, check_option
from pellucid.text import shown


class Configurable:
    """Base class for objects defined by options: checked at construction, described by ``config``.

    Derive a dataclass whose fields are the options. A class with its own constructor works too: its
    arguments are its options, which it must keep under their names (``**others`` as a dictionary).
    """

    _registry: ClassVar[Any] = None  # the Registry of its family
    _registered_as: ClassVar[str] = ""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._registered_as = cls.__dict__.get("_registered_as", "")  # not that of the class it derives from
        if "__repr__" not in cls.__dict__:  # else ``dataclass`` writes one, of every option
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]

    def _check_options(self) -> None:
        """Check every field against its type and bounds, and keep it as that type."""
        kind: type = type(self)
        for name, (hint, limits) in _fields_of(kind).items():
            self._keep(name, check_option(name_of(kind), name, getattr(self, name), hint, limits))

    __post_init__ = _check_options

    def _keep(self, name: str, value: Any) -> None:
        """Set an option as it is: for constructors, and for what acts on the change."""
        vars(self)[name] = value

    def _checked(self, name: str, value: Any) -> Any:
        """Return a value as the field of that name stores it; OptionError if it is not allowed."""
        kind: type = type(self)
        return check_option(name_of(kind), name, value, *_fields_of(kind)[name])

    def _option_values(self) -> dict[str, Any]:
        """Return the options by name."""
        cls: type = type(self)
        found = declared(cls)
        values = {name: getattr(self, name) for name in found.options}
        return values | (dict(getattr(self, found.rest)) if found.rest else {})

    def config(self) -> dict[str, Any]:
        """Return the options by name, and the registered name as "type", JSON-serializable."""
        return {"type": name_of(type(self)), **plain(self._option_values())}

    def _changed_options(self) -> dict[str, Any]:
        """Return the options that are not at their defaults, by name."""
        cls: type = type(self)
        found = declared(cls)

        def is_default(name: str, value: Any) -> bool:
            default = found.defaults.get(name, MISSING)
            if value is default or default is MISSING:
                return value is default
            try:
                return bool(value == check_option("", name, default, *found.options[name]))
            except (KeyError, OptionError, ValueError):
                return False

        return {name: value for name, value in self._option_values().items() if not is_default(name, value)}

    def __repr__(self) -> str:
        """Return the call that recreates it, without options at their defaults."""
        parts = (f"{name}={value!r}" for name, value in self._changed_options().items())
        return f"{type(self).__name__}({', '.join(parts)})"


class SetOnce:
    """An option of a registered class: the constructor sets it, and another value afterwards is refused.

    Only those of ``number_names`` (the numbers that change from step to step) act when they are set later; they are
    checked. It has no ``__get__``: reading finds the object's own value, and costs nothing more.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __set__(self, one: Configurable, value: Any) -> None:
        kept, name = vars(one), self.name
        if name not in kept:
            kept[name] = value
        elif name in getattr(one, "number_names", ()):
            kept[name] = one._checked(name, value)
        else:
            cls: type = type(one)
            others = {key: kept[key] for key in required_options(cls) if key in kept} | one._changed_options()
            call = ", ".join(f"{key}={shown(each)}" for key, each in (others | {name: value}).items())
            raise OptionError(
                f"{name_of(cls)}: {name} is set by the constructor alone. Make another: {cls.__name__}({call})."
            )


class SetOnceMapping(Mapping[str, Any]):
    """What an option that is a dictionary is kept as: nothing changes it afterwards."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Any:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return repr(self._entries)


def set_once(cls: type) -> None:
    """Have a class refuse its options where they are set after construction."""
    for name in {*_fields_of(cls), *declared(cls).options}:
        setattr(cls, name, SetOnce(name))


def plain(value: Any, describe: Callable[[Any], Any] = lambda one: one.config()) -> Any:
    """Return a JSON-serializable value: tuples as lists, objects with a ``config`` as ``describe`` returns them.

    Examples
    --------
    >>> plain({"size": (3, 3)})
    {'size': [3, 3]}
    """
    if isinstance(value, list | tuple):
        return [plain(entry, describe) for entry in value]
    if isinstance(value, Mapping):
        return {key: plain(entry, describe) for key, entry in value.items()}
    return describe(value) if hasattr(value, "config") else value


def name_of(cls: type) -> str:
    """Return the name that a class is registered under, else its own; a parent's registration does not count."""
    return str(vars(cls).get("_registered_as") or cls.__name__)


def options_of(cls: type) -> dict[str, tuple[Any, Limits]]:
    """Return the type and the limits of each option of a class, by name, in order.

    The options are a dataclass's fields, else what its constructor takes.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from pellucid.registry import option
    >>> @dataclass
    ... class Blur(Configurable):
    ...     radius: float = option(1.0, above=0)
    >>> options_of(Blur)["radius"][1].above
    0
    """
    return dict(declared(cls).options)


def required_options(cls: type) -> list[str]:
    """Return the names of the options that have no default.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> required_options(Dense)
    ['units']
    """
    found = declared(cls)
    return [name for name in found.options if found.defaults[name] is MISSING]


def takes_others(cls: type) -> bool:
    """Return whether a class's constructor takes further options by any name."""
    return bool(declared(cls).rest)


class Declared(NamedTuple):
    """The options of a class: types and limits, defaults, and the name of its ``**others``."""

    options: dict[str, tuple[Any, Limits]]
    defaults: dict[str, Any]
    rest: str


def flags_of(cls: type) -> dict[str, str]:
    """Return the field of each option, by the name that it has in files and on the command line.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from pellucid.registry import option
    >>> @dataclass
    ... class Plan(Configurable):
    ...     n_epochs: int = option(10, flag="epochs")
    >>> flags_of(Plan)
    {'epochs': 'n_epochs'}
    """
    return {limits.flag or name: name for name, (_, limits) in options_of(cls).items()}


@functools.cache
def declared(cls: type) -> Declared:
    """Return the options that a class declares."""
    owner = next(one for one in cls.__mro__ if "__init__" in vars(one))
    if getattr(vars(owner).get("__dataclass_params__"), "init", False):  # ``dataclass`` wrote the constructor
        fields = {
            name: (hint, limits) for name, (hint, limits) in _fields_of(cls).items() if limits.in_config
        }
        defaults = {
            field.name: field.default if field.default_factory is MISSING else field.default_factory()
            for field in dataclasses.fields(cls)
        }
        return Declared(fields, defaults, "")
    options, defaults, rest = {}, {}, ""
    made: Any = cls
    hints = hints_of(made.__init__)
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            rest = name
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            options[name] = (hints.get(name, Any), NO_LIMITS)
            defaults[name] = MISSING if parameter.default is parameter.empty else parameter.default
    return Declared(options, defaults, rest)


@functools.cache
def _fields_of(cls: type) -> dict[str, tuple[Any, Limits]]:
    if not dataclasses.is_dataclass(cls):
        return {}
    hints = hints_of(cls)
    fields = sorted(
        (field for field in dataclasses.fields(cls) if field.init), key=lambda field: bool(field.kw_only)
    )
    return {
        field.name: (hints.get(field.name, Any), field.metadata.get("limits", NO_LIMITS)) for field in fields
    }


def hints_of(source: Any) -> dict[str, Any]:
    """Return the annotated types by name, of a class or a function."""
    try:
        return typing.get_type_hints(source)
    except (NameError, TypeError, AttributeError):  # for a user's class, not written for a type checker
        return {}


def checked_names(cls: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options; an OptionError where the class has no such option, or one is missing."""
    where, known = name_of(cls), options_of(cls)
    for name in options:
        if name not in known and not takes_others(cls):
            if not known:
                raise OptionError(f"{where}: takes no options, got {name!r}. Leave it out.")
            raise OptionError(f"{where}: {unknown_name('option', name, known)}")
    missing = [name for name in required_options(cls) if name not in options]
    if missing:
        raise OptionError(f"{where}: {missing[0]} is missing. It has no default.")
    return dict(options)
