"""Options as fields of a dataclass, and the one check of every value."""

import collections.abc
import dataclasses
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin

from pellucid.errors import OptionError, unknown_name
from pellucid.text import shown

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
        Returns the allowed names; a function, since a table may grow.
    help : str
        What the option does, in one line, for ``--help`` and the documentation.
    check : callable or None
        Given a value of the right type, returns it as it is stored; its ValueError says what was expected.
    flag : str
        The option's name in files and on the command line, where it differs from the field's.
    in_config : bool
        Whether ``config`` holds it, and a file may set it.
    group : str
        The heading that it has in a command's help.
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
    group: str = ""

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
        words = " and ".join(
            f"{word} {bound if isinstance(bound, int) else format(bound, 'g')}"
            for word, bound in bounds
            if bound is not None
        )
        return f" {words}" if words else ""


NO_LIMITS = Limits()


def option(default: Any = MISSING, *, kw_only: Any = MISSING, **limits: Any) -> Any:
    """Return a dataclass field that is an option: its default, its bounds, and its line of help.

    Parameters
    ----------
    default : object, optional
        A dictionary or list is copied for each object; without one the option must be given.
    kw_only : bool, optional
        As of ``dataclasses.field``.
    **limits
        Fields of :class:`Limits`.

    Examples
    --------
    >>> from pellucid.registry import Configurable
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
    shared: dict[str, Any] = {"metadata": {"limits": Limits(**limits)}, "kw_only": kw_only}
    if isinstance(default, dict | list):
        return dataclasses.field(default_factory=lambda: type(default)(default), **shared)
    return dataclasses.field(default=default, **shared)


def check_option(
    where: str,
    name: str,
    value: Any,
    hint: Any = Any,
    limits: Limits = NO_LIMITS,
    *,
    show: Callable[[Any], str] = shown,
) -> Any:
    """Return a value as the expected type; OptionError for anything else.

    Numbers may be NumPy's, floats may be integers, tuples lists or arrays, and an object of a family that has
    a table its ``config``; True and "3" are not numbers. ``show`` writes the value for messages.

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
    if fits and isinstance(kept, str) and limits.choices is not None:
        known = list(limits.choices())
        if kept not in known:
            raise OptionError(f"{where}: {unknown_name(name, kept, known)}")
    if not fits:
        made = f" Write {value.__name__}(), with its options." if isinstance(value, type) else ""
        raise OptionError(
            f"{where}: expected {name} to be {type_in_words(hint, limits)}, got {show(value)}.{made}"
        )
    if limits.check is not None:
        try:
            return limits.check(kept)
        except (TypeError, ValueError) as error:
            raise OptionError(f"{where}: expected {name} to be {error}, got {show(value)}.") from None
    return kept


def _read(value: Any, hint: Any, limits: Limits) -> tuple[bool, Any]:
    """Return whether a value fits a type and the limits, and the value as that type."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        for part in inner:
            fits, kept = _read(value, part, limits)
            if fits:
                return True, kept
        return False, value
    if hint is type(None):
        return value is None, None
    if hint in (bool, str):
        return isinstance(value, hint), value
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
    if isinstance(value, Mapping) and getattr(expected, "_registry", None) is not None:
        return True, expected._registry.from_config(value)
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
    return all(fits for fits, _ in entries), kept if kind is list else tuple(kept)


def type_in_words(hint: Any, limits: Limits = NO_LIMITS) -> str:
    """Return what is expected, for a message.

    Examples
    --------
    >>> type_in_words(int | tuple[int, int], Limits(at_least=1))
    'a whole number of at least 1 or a list of 2 of them'
    >>> type_in_words(list[str])
    'a list (each a text)'
    """
    bounds = limits.in_words()
    names = {int: f"a whole number{bounds}", float: f"a number{bounds}", str: "a text", bool: "true or false"}
    words: list[str] = []
    parts = parts_of(hint)
    for i, part in enumerate(parts):
        origin, inner = get_origin(part), get_args(part)
        if origin is Literal:
            words.append(" or ".join(repr(value) for value in inner))
        elif origin in _LISTS or part in _LISTS:
            is_counted = origin is tuple and bool(inner) and inner[-1] is not Ellipsis
            words.append(f"a list{f' of {len(inner)}' if is_counted else ''}")
            if inner and inner[0] in parts[:i]:  # "a number or a list of 2 of them or a list of 2 such lists"
                words[-1] += " such lists" if get_origin(inner[0]) in _LISTS else " of them"
            elif inner:
                words[-1] += f" (each {type_in_words(inner[0], limits)})"
        elif part is not type(None):
            name = getattr(part, "__name__", "value of another type")
            words.append(names.get(part, f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"))
    return " or ".join(dict.fromkeys(words))


def parts_of(hint: Any) -> tuple[Any, ...]:
    """Return the types that a union allows, or the type itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
