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
import inspect
import math
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from pellucid.errors import OptionError, unknown_name

T = TypeVar("T")
_LISTS = (list, tuple, collections.abc.Sequence)
_MAPPINGS = (dict, collections.abc.Mapping)


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
        Given a value of the right type, returns it as it is kept; the text of its ValueError is what was expected.
    flag : str
        The option's name in files and on the command line, where it differs from the field's.
    in_config : bool
        Whether ``config`` holds it, and a file may set it.
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    choices: Callable[[], collections.abc.Iterable[str]] | None = None
    help: str = ""
    check: Callable[[Any], Any] | None = None
    flag: str = ""
    in_config: bool = True

    def admits(self, number: Any) -> bool:
        """Return whether a number is finite and within the bounds."""
        return (
            (isinstance(number, Integral) or math.isfinite(number))
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
    kw_only: Any = MISSING,
    in_config: bool = True,
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
    limits = Limits(above, at_least, below, at_most, choices, help, check, flag, in_config)
    metadata = {"limits": limits}
    if isinstance(default, dict | list):
        return dataclasses.field(
            default_factory=lambda: type(default)(default), metadata=metadata, kw_only=kw_only
        )
    return dataclasses.field(default=default, metadata=metadata, kw_only=kw_only)


class Configurable:
    """What is made of options: checked when it is made, and described by ``config``.

    Derive a dataclass whose fields are the options. A class with a constructor of its own works too: what that
    takes are its options, which it must keep under their names (``**others`` as a dictionary).
    """

    registry: "ClassVar[Registry[Any] | None]" = None
    registered_as: ClassVar[str] = ""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.registered_as = cls.__dict__.get("registered_as", "")  # not that of the class it derives from

    def __post_init__(self) -> None:
        self.check_options()

    def check_options(self) -> None:
        """Check every field against its type and bounds, and keep it as that type."""
        kind: type = type(self)
        for name in _fields_of(kind):
            object.__setattr__(self, name, self.checked(name, getattr(self, name)))

    def checked(self, name: str, value: Any) -> Any:
        """Return a value as the field of that name keeps it; OptionError if it may not have it."""
        kind: type = type(self)
        return check_option(name_of(kind), name, value, *_fields_of(kind)[name])

    def option_values(self) -> dict[str, Any]:
        """Return the options by name."""
        declared = _declared_by(self)
        values = {name: getattr(self, name) for name in declared.options}
        return values | (dict(getattr(self, declared.rest)) if declared.rest else {})

    def config(self) -> dict[str, Any]:
        """Return the options by name, and the registered name as "type", as JSON can hold them."""
        return {
            "type": name_of(type(self)),
            **{name: _plain(value) for name, value in self.option_values().items()},
        }

    def changed_options(self) -> dict[str, Any]:
        """Return the options that are not at their defaults, by name."""
        declared = _declared_by(self)

        def is_default(name: str, value: Any) -> bool:
            default = declared.defaults.get(name, MISSING)
            if value is default:
                return True
            try:
                return bool(value == check_option("", name, default, *declared.options[name]))
            except (KeyError, OptionError, ValueError):
                return False

        return {name: value for name, value in self.option_values().items() if not is_default(name, value)}

    def __repr__(self) -> str:
        """Return the call that makes it again, without what is at its default."""
        parts = (f"{name}={value!r}" for name, value in self.changed_options().items())
        return f"{type(self).__name__}({', '.join(parts)})"

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

    def remove(self, name: str) -> None:
        """Take a name out again."""
        del self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._load()))

    def __len__(self) -> int:
        return len(self._load())

    def __getitem__(self, name: str) -> type[T]:
        """Return the class of that name; an OptionError names the nearest one where there is none."""
        if not isinstance(name, str) or name not in self:
            raise OptionError(unknown_name(self.kind, name, self._load()))
        return self._entries[name]

    def items(self) -> list[tuple[str, type[T]]]:
        """Return the names and their classes, sorted by name."""
        return sorted(self._load().items())

    def make(self, name: str, **options: Any) -> T:
        """Return a new one by name, with these options."""
        cls = self[name]
        return cls(**checked_names(cls, options))

    def from_config(self, config: Mapping[str, Any]) -> T:
        """Return what a ``config()`` describes: a dictionary of "type" and options."""
        name, options = self.split(config)
        cls: Any = self[name]
        made: T = cls.from_config(options)
        return made

    def split(self, given: "str | Mapping[str, Any]") -> tuple[str, dict[str, Any]]:
        """Return the name and the options of what is given as a name or as ``{"type": name, **options}``.

        Examples
        --------
        >>> from pellucid.ops.losses import LOSSES
        >>> LOSSES.split({"type": "huber", "delta": 2.0}), LOSSES.split("hinge")
        (('huber', {'delta': 2.0}), ('hinge', {}))
        """
        options = {"type": given} if isinstance(given, str) else dict(given)
        if "type" not in options:
            raise OptionError(
                f"{self.kind}: expected a name, or a dictionary with 'type' and options, got {given!r}."
            )
        return options.pop("type"), options

    def resolve(self, given: "str | Mapping[str, Any] | T") -> T:
        """Return an object given as itself, as its name, or as ``{"type": name, **options}``.

        Examples
        --------
        >>> from pellucid.ops.losses import LOSSES
        >>> LOSSES.resolve({"type": "huber", "delta": 2})
        Huber(delta=2.0)
        """
        if isinstance(given, str):
            return self.make(given)
        if isinstance(given, Mapping):
            return self.from_config(given)
        if isinstance(given, type) or getattr(given, "registry", None) is not self:
            raise OptionError(
                f"{self.kind}: expected a name, a dictionary with 'type' and options, or an object of that kind, "
                f"got {given!r}."
            )
        return given


def module_attributes(table: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that offers a table, its classes and their family.

    Parameters
    ----------
    table : str
        Where the table is: "pellucid.ops.losses.base.LOSSES", for the package ``pellucid.ops.losses``.

    Examples
    --------
    >>> import pellucid.ops.losses as losses
    >>> losses.Huber(delta=2)
    Huber(delta=2.0)
    """
    home, table_name = table.rsplit(".", 1)
    package = home.rsplit(".", 1)[0]

    def names() -> dict[str, Any]:
        module = importlib.import_module(home)
        registry = getattr(module, table_name)
        own = {
            name: value
            for name, value in vars(module).items()
            if getattr(value, "registry", None) is registry
        }
        return {table_name: registry, **own, **{cls.__name__: cls for _, cls in registry.items()}}

    def find(name: str) -> Any:
        if not name[0].isupper() or name not in (known := names()):  # modules are in lower case
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return known[name]

    return find, lambda: sorted(names())


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
    _document(cls)
    return cls


def _document(cls: type) -> None:
    """Put the options into the docstring, before its first section, unless it lists them itself."""
    declared = _declared(cls)
    if not vars(cls).get("__doc__") or not declared.options or "Parameters\n" in cls.__doc__:  # type: ignore[operator]
        return
    lines = ["Parameters", "----------"]
    for name, (hint, limits) in declared.options.items():
        default = "" if (value := declared.defaults[name]) is MISSING else f", default {value!r}"
        lines += [f"{name} : {type_in_words(hint, limits)}{default}", f"    {limits.help}".rstrip()]
    text = inspect.cleandoc(cls.__doc__ or "")
    section = re.search(r"^.+\n---+$", text, re.MULTILINE)
    place = section.start() if section else len(text)
    cls.__doc__ = f"{text[:place].rstrip()}\n\n" + "\n".join(lines) + f"\n\n{text[place:]}".rstrip()


def name_of(cls: type) -> str:
    """Return the name that a class is registered under, else its own; a parent's registration is not its."""
    return str(vars(cls).get("registered_as") or cls.__name__)


def options_of(cls: type) -> dict[str, tuple[Any, Limits]]:
    """Return the type and the limits of each option of a class, by name, in order.

    The options are a dataclass's fields, else what its constructor takes.

    Examples
    --------
    >>> @dataclass
    ... class Blur(Configurable):
    ...     radius: float = option(1.0, above=0)
    >>> options_of(Blur)["radius"][1].above
    0
    """
    return dict(_declared(cls).options)


def required_options(cls: type) -> list[str]:
    """Return the names of the options that have no default.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> required_options(Dense)
    ['units']
    """
    declared = _declared(cls)
    return [name for name in declared.options if declared.defaults[name] is MISSING]


def takes_others(cls: type) -> bool:
    """Return whether a class's constructor takes further options by any name."""
    return bool(_declared(cls).rest)


class _Declared(NamedTuple):
    """The options of a class: types and limits, defaults, and the name of its ``**others``."""

    options: dict[str, tuple[Any, Limits]]
    defaults: dict[str, Any]
    rest: str


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


def _declared_by(one: object) -> _Declared:
    kind: type = type(one)
    return _declared(kind)


@functools.cache
def _declared(cls: type) -> _Declared:
    if _constructor_is_generated(cls):
        fields = {
            name: (hint, limits) for name, (hint, limits) in _fields_of(cls).items() if limits.in_config
        }
        defaults = {field.name: _default_of(field) for field in dataclasses.fields(cls)}
        return _Declared(fields, defaults, "")
    options, defaults, rest = {}, {}, ""
    made: Any = cls
    hints = _hints_of(made.__init__)
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            rest = name
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            options[name] = (hints.get(name, Any), NO_LIMITS)
            defaults[name] = MISSING if parameter.default is parameter.empty else parameter.default
    return _Declared(options, defaults, rest)


@functools.cache
def _fields_of(cls: type) -> dict[str, tuple[Any, Limits]]:
    if not dataclasses.is_dataclass(cls):
        return {}
    hints = _hints_of(cls)
    fields = sorted(
        (field for field in dataclasses.fields(cls) if field.init), key=lambda field: bool(field.kw_only)
    )
    return {
        field.name: (hints.get(field.name, Any), field.metadata.get("limits", NO_LIMITS)) for field in fields
    }


def _default_of(field: "dataclasses.Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _hints_of(source: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(source)
    except (NameError, TypeError, AttributeError):  # of a class of one's own, written for no type checker
        return {}


def _constructor_is_generated(cls: type) -> bool:
    """Return whether ``dataclass`` wrote a class's constructor."""
    owner = next(one for one in cls.__mro__ if "__init__" in vars(one))
    return bool(getattr(vars(owner).get("__dataclass_params__"), "init", False))


def checked_names(cls: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options; an OptionError where the class has no such option, or one is missing."""
    where, known = name_of(cls), options_of(cls)
    for name in options:
        if name not in known and not takes_others(cls):
            if not known:
                raise OptionError(f"{where}: it takes no options, got {name!r}. Leave it out.")
            raise OptionError(f"{where}: {unknown_name('option', name, known)}")
    missing = [name for name in required_options(cls) if name not in options]
    if missing:
        raise OptionError(f"{where}: {missing[0]} is missing. It has no default.")
    return dict(options)


def check_option(
    where: str,
    name: str,
    value: Any,
    hint: Any = Any,
    limits: Limits = NO_LIMITS,
    *,
    show: Callable[[Any], str] = repr,
) -> Any:
    """Return a value as the type that is wanted; anything else is an OptionError.

    Numbers may be NumPy's, a number may be whole, a tuple may be given as a list or an array, and an object of a
    family that has a table as its ``config``; True and "3" are no numbers. ``show`` writes the value for messages.

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
        raise OptionError(f"{where}: expected {name} to be {type_in_words(hint, limits)}, got {show(value)}.")
    if limits.check is not None:
        try:
            return limits.check(kept)
        except (TypeError, ValueError) as error:
            raise OptionError(f"{where}: expected {name} to be {error}, got {show(value)}.") from None
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
        fits = not isinstance(value, bool) and isinstance(value, Integral) and limits.admits(value)
        return fits, int(value) if fits else value
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, Real):
            return False, value
        try:
            number = float(value)
        except OverflowError:  # a whole number of hundreds of digits
            number = math.inf
        fits = limits.admits(number)
        return fits, number if fits else value
    if hint is str:
        return isinstance(value, str), value
    if origin is Literal:
        return isinstance(value, str | int | float | bool) and value in inner, value
    if origin in _LISTS or hint in _LISTS:
        return _read_list(value, origin or hint, inner, limits)
    if hint is Any:
        return True, value
    expected = origin or hint
    if origin in _MAPPINGS and isinstance(value, Mapping) and len(inner) == 2:
        entries = {key: _read(entry, inner[1], limits) for key, entry in value.items()}
        fits = all(ok for ok, _ in entries.values()) and all(
            _read(key, inner[0], NO_LIMITS)[0] for key in value
        )
        return fits, {key: kept for key, (_, kept) in entries.items()} if fits else value
    if isinstance(value, Mapping) and getattr(expected, "registry", None) is not None:
        return True, expected.registry.from_config(value)
    return (not isinstance(expected, type) or isinstance(value, expected)), value


def _read_list(value: Any, kind: Any, inner: tuple[Any, ...], limits: Limits) -> tuple[bool, Any]:
    if getattr(value, "ndim", 0) == 1:  # an array of NumPy
        value = value.tolist()
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
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return value.config() if hasattr(value, "config") else value
