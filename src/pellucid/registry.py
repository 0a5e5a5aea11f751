"""What is declared once: names for classes, options as fields of a dataclass, and the one check of every option.

A layer, loss, optimizer, schedule or callback is a dataclass whose fields are its options::

    @register
    @dataclass
    class Huber(Loss):
        delta: float = option(1.0, above=0, help="Where the square turns into a line.")

Its constructor, ``config()``, ``repr``, the keys that a TOML file may have, the command's help and every message
about a wrong value come from that. ``register`` puts it into the table of its family, by its class name or the name
given; the table finds new files in its family's folder by itself.
"""

import collections.abc
import dataclasses
import functools
import importlib
import math
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Generic, Literal, TypeVar, Union, get_args, get_origin

from pellucid.errors import OptionError, unknown_name

T = TypeVar("T")
_LISTS = (list, tuple, collections.abc.Sequence)


@dataclass(frozen=True)
class Limits:
    """What an option may be, beyond its type.

    Attributes
    ----------
    above, at_least, below, at_most : float or None
        Of a number, or of each number of a list.
    choices : callable or None
        Returns the names that a text may be; a function, since a table may grow.
    help : str
        What the option does, in one line, for ``--help`` and the documentation.
    check : callable or None
        Given a value of the right type, returns it as it is kept; a ValueError's text says what was wanted.
    flag : str
        The option's name in files and on the command line, where it differs from the field's.
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    choices: Callable[[], collections.abc.Iterable[str]] | None = None
    help: str = ""
    check: Callable[[Any], Any] | None = None
    flag: str = ""

    def admits(self, number: float) -> bool:
        """Return whether a number is finite and within the bounds."""
        return (
            math.isfinite(number)
            and (self.above is None or number > self.above)
            and (self.at_least is None or number >= self.at_least)
            and (self.below is None or number < self.below)
            and (self.at_most is None or number <= self.at_most)
        )

    def in_words(self) -> str:
        """Return the bounds for a message, with a space before; empty where there are none.

        Examples
        --------
        >>> Limits(at_least=0, below=1).in_words()
        ' of at least 0 and below 1'
        """
        bounds = (
            ("above", self.above),
            ("of at least", self.at_least),
            ("below", self.below),
            ("of at most", self.at_most),
        )
        words = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
        return f" {words}" if words else ""


NO_LIMITS = Limits()


def option(
    default: Any = MISSING,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    choices: Callable[[], collections.abc.Iterable[str]] | None = None,
    check: Callable[[Any], Any] | None = None,
    help: str = "",
    flag: str = "",
    kw_only: bool = False,
) -> Any:
    """Return a dataclass field that is an option: its default, its bounds, and its line of help.

    Examples
    --------
    >>> @dataclass
    ... class Blur(Configurable):
    ...     radius: float = option(1.0, above=0, help="Of the disc, in pixels.")
    >>> Blur(2)
    Blur(radius=2.0)
    >>> Blur(radius=-1)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: Blur: expected radius to be a number above 0, got -1.
    """
    limits = Limits(above, at_least, below, at_most, choices, help, check, flag)
    metadata = {"limits": limits}
    if isinstance(default, dict | list):
        return dataclasses.field(
            default_factory=lambda: type(default)(default), metadata=metadata, kw_only=kw_only
        )
    return dataclasses.field(default=default, metadata=metadata, kw_only=kw_only)


class Configurable:
    """A dataclass whose fields are options: checked when it is made, and told by ``config``."""

    registry: "ClassVar[Registry[Any] | None]" = None
    registered_as: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self.check_options()

    def check_options(self) -> None:
        """Check every option against its type and bounds, and keep it as that type."""
        where = self.registered_as or type(self).__name__
        for name, (hint, limits) in options_of(type(self)).items():
            object.__setattr__(self, name, check_option(where, name, getattr(self, name), hint, limits))

    def config(self) -> dict[str, Any]:
        """Return the options by name, and the registered name as "type", as JSON can hold them."""
        values = {name: getattr(self, name) for name in options_of(type(self))}
        return {
            "type": self.registered_as or type(self).__name__,
            **{k: _plain(v) for k, v in values.items()},
        }

    @classmethod
    def from_config(cls, options: Mapping[str, Any]) -> Any:
        """Return one with these options: the inverse of ``config`` without its "type"."""
        return cls(**checked_names(cls, options))


class Registry(Generic[T]):
    """A table of classes by name, filled by ``register``; it imports every module of its folder at the first look.

    Parameters
    ----------
    kind : str
        What its entries are, for messages: "optimizer".
    package : str
        The folder whose modules hold them: "pellucid.training.optimizers".

    Examples
    --------
    >>> from pellucid.ops.losses import LOSSES
    >>> "huber" in LOSSES
    True
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._entries: dict[str, type[T]] = {}
        self._is_loaded = False

    def _load(self) -> dict[str, type[T]]:
        if not self._is_loaded:
            self._is_loaded = True
            package = importlib.import_module(self.package)
            for module in sorted(found.name for found in pkgutil.iter_modules(package.__path__)):
                importlib.import_module(f"{self.package}.{module}")
        return self._entries

    def add(self, name: str, cls: type[T]) -> None:
        """Put a class under a name, in the place of one that has it: a notebook's cell may run twice."""
        self._entries[name] = cls

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._load()))

    def __len__(self) -> int:
        return len(self._load())

    def __getitem__(self, name: str) -> type[T]:
        """Return the class of that name; an OptionError tells the nearest one where there is none."""
        if name in self._entries:
            return self._entries[name]
        if name not in self._load():
            raise OptionError(unknown_name(self.kind, name, self._entries))
        return self._entries[name]

    def items(self) -> list[tuple[str, type[T]]]:
        """Return the names and their classes, sorted by name."""
        return sorted(self._load().items())

    def make(self, name: str, **options: Any) -> T:
        """Return a new one by name, with these options."""
        cls = self[name]
        return cls(**checked_names(cls, options))

    def from_config(self, config: Mapping[str, Any]) -> T:
        """Return what a ``config()`` describes."""
        options = dict(config)
        cls: Any = self[options.pop("type", None)]
        made: T = cls.from_config(options)
        return made

    def resolve(self, given: "str | Mapping[str, Any] | T") -> T:
        """Return an object given as itself, as its name, or as ``{"type": name, **options}``."""
        if isinstance(given, str):
            return self.make(given)
        return self.from_config(given) if isinstance(given, Mapping) else given


def register(cls_or_name: Any) -> Any:
    """Put a class into the table of its family, under its own name or, as ``@register("adamw")``, another.

    Examples
    --------
    >>> from pellucid.nn.layer import Layer
    >>> @register
    ... class Double(Layer):
    ...     def forward(self, X, *, training=False):
    ...         return 2 * X
    >>> Layer.registry["Double"] is Double
    True
    """
    if isinstance(cls_or_name, str):
        return functools.partial(_register, name=cls_or_name)
    return _register(cls_or_name, name=cls_or_name.__name__)


def _register(cls: Any, name: str) -> Any:
    if getattr(cls, "registry", None) is None:
        raise OptionError(
            f"register: {cls.__name__} belongs to no family that has a table: derive it from Layer or another."
        )
    cls.registered_as = name
    cls.registry.add(name, cls)
    return cls


def options_of(cls: type) -> dict[str, tuple[Any, Limits]]:
    """Return the type and the limits of each option of a dataclass, by name, in its order.

    Examples
    --------
    >>> @dataclass
    ... class Blur(Configurable):
    ...     radius: float = option(1.0, above=0)
    >>> options_of(Blur)["radius"][1].above
    0
    """
    return _options_of(cls)


def flags_of(cls: type) -> dict[str, str]:
    """Return the field of each option, by the name that it has in files and on the command line.

    Examples
    --------
    >>> @dataclass
    ... class Plan(Configurable):
    ...     n_epochs: int = option(10, flag="epochs")
    >>> flags_of(Plan)
    {'epochs': 'n_epochs'}
    """
    return {limits.flag or name: name for name, (_, limits) in options_of(cls).items()}


@functools.cache
def _options_of(cls: type) -> dict[str, tuple[Any, Limits]]:
    if not dataclasses.is_dataclass(cls):
        return {}
    try:
        hints = typing.get_type_hints(cls)
    except (NameError, TypeError):  # of a class of one's own, written for no type checker
        hints = {}
    return {
        field.name: (hints.get(field.name, Any), field.metadata.get("limits", NO_LIMITS))
        for field in dataclasses.fields(cls)
        if field.init
    }


def checked_names(cls: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options; an OptionError where the class has no such option, or one is missing."""
    where = getattr(cls, "registered_as", "") or cls.__name__
    known = options_of(cls)
    if not dataclasses.is_dataclass(cls):
        return dict(options)
    for name in options:
        if name not in known:
            if not known:
                raise OptionError(f"{where}: it takes no options, got {name!r}. Leave it out.")
            raise OptionError(f"{where}: {unknown_name('option', name, known)}")
    missing = [
        field.name
        for field in dataclasses.fields(cls)
        if field.init
        and field.default is MISSING
        and field.default_factory is MISSING
        and field.name not in options
    ]
    if missing:
        raise OptionError(f"{where}: {missing[0]} is missing. It has no default.")
    return dict(options)


def check_option(where: str, name: str, value: Any, hint: Any = Any, limits: Limits = NO_LIMITS) -> Any:
    """Return a value as the type that is wanted; anything else is an OptionError.

    Whole numbers may be NumPy's, a number may be whole, a tuple may come as a list; True and "3" are no numbers.

    Examples
    --------
    >>> check_option("Dense", "units", 3.0, int, Limits(at_least=1))
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: Dense: expected units to be a whole number of at least 1, got 3.0.
    >>> check_option("Conv2D", "kernel_size", [3, 5], int | tuple[int, int])
    (3, 5)
    """
    fits, kept = _read(value, hint, limits)
    if (
        fits
        and isinstance(kept, str)
        and limits.choices is not None
        and kept not in (known := list(limits.choices()))
    ):
        raise OptionError(f"{where}: {unknown_name(name, kept, known)}")
    if not fits:
        raise OptionError(f"{where}: expected {name} to be {type_in_words(hint, limits)}, got {value!r}.")
    if limits.check is not None:
        try:
            return limits.check(kept)
        except (TypeError, ValueError) as error:
            raise OptionError(f"{where}: expected {name} to be {error}, got {value!r}.") from None
    return kept


def _read(value: Any, hint: Any, limits: Limits) -> tuple[bool, Any]:
    """Return whether a value fits a type and the limits, and the value as that type."""
    for part in parts_of(hint):
        fits, kept = _read_one(value, part, limits)
        if fits:
            return True, kept
    return False, value


def _read_one(value: Any, hint: Any, limits: Limits) -> tuple[bool, Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is type(None):
        return value is None, None
    if hint is bool:
        return isinstance(value, bool), value
    if hint is int:
        fits = not isinstance(value, bool) and isinstance(value, Integral) and limits.admits(float(value))
        return fits, int(value) if fits else value
    if hint is float:
        fits = not isinstance(value, bool) and isinstance(value, Real) and limits.admits(float(value))
        return fits, float(value) if fits else value
    if hint is str:
        return isinstance(value, str), value
    if origin is Literal:
        return isinstance(value, str | int | float | bool) and value in inner, value
    if origin in _LISTS or hint in _LISTS:
        return _read_list(value, origin or hint, inner, limits)
    if hint is Any:
        return True, value
    expected = origin or hint
    return (not isinstance(expected, type) or isinstance(value, expected)), value


def _read_list(value: Any, kind: Any, inner: tuple[Any, ...], limits: Limits) -> tuple[bool, Any]:
    if not isinstance(value, list | tuple):
        return False, value
    is_counted = kind is tuple and bool(inner) and inner[-1] is not Ellipsis
    hints = inner if is_counted else (inner[:1] or (Any,)) * len(value)
    if len(hints) != len(value):
        return False, value
    entries = [_read(entry, hint, limits) for entry, hint in zip(value, hints, strict=True)]
    kept = [entry for _, entry in entries]
    return all(fits for fits, _ in entries), tuple(kept) if kind is tuple else kept


def type_in_words(hint: Any, limits: Limits = NO_LIMITS) -> str:
    """Return what is wanted, for a message.

    Examples
    --------
    >>> type_in_words(int | tuple[int, int], Limits(at_least=1))
    'a whole number of at least 1 or a list of 2 (each a whole number of at least 1)'
    """
    bounds = limits.in_words()
    names = {int: f"a whole number{bounds}", float: f"a number{bounds}", str: "a text", bool: "true or false"}
    words = []
    for part in parts_of(hint):
        origin, inner = get_origin(part), get_args(part)
        if origin is Literal:
            words.append(" or ".join(repr(value) for value in inner))
        elif origin in _LISTS or part in _LISTS:
            is_counted = origin is tuple and bool(inner) and inner[-1] is not Ellipsis
            each = f" (each {type_in_words(inner[0], limits)})" if inner else ""
            words.append(f"a list{f' of {len(inner)}' if is_counted else ''}{each}")
        elif part is not type(None):
            words.append(names.get(part, f"a {getattr(part, '__name__', 'value of another type')}"))
    return " or ".join(dict.fromkeys(words))


def parts_of(hint: Any) -> tuple[Any, ...]:
    """Return the types that a union allows, or the type itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: tuples as lists, what has a ``config`` as that."""
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value.config() if hasattr(value, "config") else value
