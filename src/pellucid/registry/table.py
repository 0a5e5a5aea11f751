"""Classes by name: ``register`` adds them to the table of their family, which finds new files by itself."""

import functools
import importlib
import inspect
import pkgutil
import re
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Generic, TypeVar

from pellucid.errors import OptionError, UnknownAttributeError, unknown_name
from pellucid.registry.calls import explain_calls
from pellucid.registry.configurable import checked_names, declared, set_once
from pellucid.registry.options import type_in_words
from pellucid.text import shown

T = TypeVar("T")
# With "^" it takes 20 times as long.
_REGISTERED = re.compile(r'@register(?:\("(\w+)"\))?\n(?:@.*\n)*class (\w+)')


class Registry(Generic[T]):
    """A table of classes by name, filled by ``register``; it imports every module of its folder on first use.

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
        self._homes: dict[str, str] | None = None
        self._is_loaded = False
        self._lock = threading.RLock()

    def _load(self) -> dict[str, type[T]]:
        with self._lock:  # another thread waits until all are there; this one may re-enter from a module
            if not self._is_loaded:
                self._is_loaded = True
                package = importlib.import_module(self.package)
                for module in sorted(found.name for found in pkgutil.iter_modules(package.__path__)):
                    importlib.import_module(f"{self.package}.{module}")
            return self._entries

    def _find(self, name: str) -> None:
        """Import the module that registers a name, as its text says: who needs one class need not wait for all."""
        if self._is_loaded or name in self._entries:
            return
        if self._homes is None:
            folders = importlib.import_module(self.package).__path__
            texts = {
                path.stem: path.read_text("utf-8") for folder in folders for path in Path(folder).glob("*.py")
            }
            self._homes = {
                given or own: module
                for module, text in texts.items()
                for given, own in _REGISTERED.findall(text)
            }
        if name in self._homes:
            importlib.import_module(f"{self.package}.{self._homes[name]}")

    def add(self, name: str, cls: type[T]) -> None:
        """Register a class under a name, replacing the one that has it: a notebook's cell may run twice."""
        self._entries[name] = cls

    def remove(self, name: str) -> None:
        """Remove a name."""
        del self._entries[name]

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str):
            self._find(name)
        return name in self._entries or name in self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._load()))

    def __len__(self) -> int:
        return len(self._load())

    def __getitem__(self, name: str) -> type[T]:
        """Return the class of that name; if there is none, an OptionError names the nearest."""
        if not isinstance(name, str) or name not in self:
            raise OptionError(unknown_name(self.kind, name, self._load()))
        return self._entries[name]

    def items(self) -> list[tuple[str, type[T]]]:
        """Return the names and their classes, sorted by name."""
        return sorted(self._load().items())

    def make(self, name: str, /, **options: Any) -> T:
        """Return a new object by name, with these options."""
        cls = self[name]
        return cls(**checked_names(cls, options))

    def from_config(self, config: "str | Mapping[str, Any]") -> T:
        """Return the object that a ``config()`` describes: a dictionary of "type" and options, or its name."""
        name, options = self.split(config)
        return self.make(name, **options)

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
                f"{self.kind}: expected a name, or a dictionary with 'type' and options, got {shown(given)}."
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
        if isinstance(given, str | Mapping):
            return self.from_config(given)
        made = f" Write {given.__name__}(), with its options." if isinstance(given, type) else ""
        if isinstance(given, type) or getattr(given, "_registry", None) is not self:
            raise OptionError(
                f"{self.kind}: expected a name, a dictionary with 'type' and options, or an object of that kind, "
                f"got {shown(given)}.{made}"
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
            if getattr(value, "_registry", None) is registry
        }
        return {table_name: registry, **own, **{cls.__name__: cls for _, cls in registry.items()}}

    def find(name: str) -> Any:
        if not name[0].isupper() or name not in (known := names()):  # modules are in lower case
            raise UnknownAttributeError(
                f"module {package!r}", name, importlib.import_module(package), kind="class"
            )
        return known[name]

    return find, lambda: sorted(names())


def register(cls_or_name: Any) -> Any:
    """Register a class in the table of its family, under its own name or, as ``@register("adamw")``, another.

    Examples
    --------
    >>> from pellucid.nn.layer import Layer
    >>> @register
    ... class Double(Layer):
    ...     def forward(self, X, *, training=False):
    ...         return 2 * X
    >>> Layer._registry["Double"] is Double
    True
    """
    if isinstance(cls_or_name, str):
        return functools.partial(_register, name=cls_or_name)
    return _register(cls_or_name, name=cls_or_name.__name__)


def _register(cls: Any, name: str) -> Any:
    if getattr(cls, "_registry", None) is None:
        raise OptionError(
            f"register: {cls.__name__} belongs to no family that has a table: derive it from Layer or another."
        )
    cls._registered_as = name
    cls._registry.add(name, cls)
    explain_calls(cls)
    _document(cls)
    set_once(cls)
    return cls


def _document(cls: type) -> None:
    """Add the options to the docstring, before its first section, unless it lists them itself."""
    found = declared(cls)
    if not vars(cls).get("__doc__") or not found.options or "Parameters\n" in cls.__doc__:  # type: ignore[operator]
        return
    lines = ["Parameters", "----------"]
    for name, (hint, limits) in found.options.items():
        default = "" if (value := found.defaults[name]) is MISSING else f", default {value!r}"
        lines += [f"{name} : {type_in_words(hint, limits)}{default}"]
        lines += textwrap.wrap(limits.help, 110, initial_indent="    ", subsequent_indent="    ")
    text = inspect.cleandoc(cls.__doc__ or "")
    section = re.search(r"^.+\n---+$", text, re.MULTILINE)
    place = section.start() if section else len(text)
    cls.__doc__ = f"{text[:place].rstrip()}\n\n" + "\n".join(lines) + f"\n\n{text[place:]}".rstrip()
