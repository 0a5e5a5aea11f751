"""Options and saved states checked where they come in, and things made from their names."""

import inspect
import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from pellucid.errors import FormatError, OptionError, unknown_name
from pellucid.types import Array

T = TypeVar("T")


def check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return a finite number within its bounds as a float; anything else is an OptionError.

    Examples
    --------
    >>> check_number("momentum", 1.5, at_least=0, below=1)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: momentum: expected a number of at least 0 and below 1, got 1.5.
    """
    number = float(value) if isinstance(value, Real) else math.nan
    is_right = (
        math.isfinite(number)
        and (above is None or number > above)
        and (at_least is None or number >= at_least)
        and (below is None or number < below)
        and (at_most is None or number <= at_most)
    )
    if not is_right:
        bounds = (("above", above), ("of at least", at_least), ("below", below), ("of at most", at_most))
        words = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
        raise OptionError(f"{name}: expected a number {words}, got {value!r}.")
    return number


def check_count(name: str, value: Any, *, at_least: int = 1) -> int:
    """Return a whole number as an int; anything else is an OptionError.

    Examples
    --------
    >>> check_count("memory", 0)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: memory: expected a whole number of at least 1, got 0.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise OptionError(f"{name}: expected a whole number of at least {at_least}, got {value!r}.")
    return int(value)


def check_flag(name: str, value: Any) -> bool:
    """Return True or False; anything else is an OptionError.

    Examples
    --------
    >>> check_flag("recalibrate", "yes")
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: recalibrate: expected true or false, got 'yes'.
    """
    if not isinstance(value, bool):
        raise OptionError(f"{name}: expected true or false, got {value!r}.")
    return value


def make_by_name(kind: str, table: Mapping[str, type[T]], name: str, options: Mapping[str, Any]) -> T:
    """Return what stands under a name, made with the options; the nearest name is told for a wrong one.

    Parameters
    ----------
    kind : str
        What it is, for the message: ``"optimizer"``.
    table : mapping of str to class
    name : str
    options : mapping of str to Any
        For the class's constructor.

    Raises
    ------
    OptionError
        If the name or an option is not known.
    """
    if name not in table:
        raise OptionError(unknown_name(kind, name, table))
    known = inspect.signature(table[name]).parameters
    for option in options:
        if option not in known:
            raise OptionError(f"{name}: {unknown_name('option', option, known)}")
    return table[name](**options)


def make_from_config(kind: str, table: Mapping[str, type[T]], config: Mapping[str, Any]) -> T:
    """Return what a ``config()`` describes: its class under "type", its options beside it."""
    options = dict(config)
    by_class = {made.__name__: made for made in table.values()}
    return make_by_name(kind, by_class, options.pop("type", None), options)


def check_keys(where: str, state: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """Raise FormatError unless the state has exactly the entries that are wanted."""
    if set(state) != set(wanted):
        raise FormatError(
            f"{where}: expected {', '.join(wanted)}, got {', '.join(state) or 'nothing'}. "
            "It was saved by another one, or with other options."
        )


def check_real(where: str, came: Any) -> None:
    """Raise FormatError unless it is a number."""
    if not isinstance(came, Real):
        raise FormatError(f"{where}: expected a number, got {came!r}. The saved state is damaged.")


def check_array(where: str, came: Any, like: Array) -> None:
    """Raise FormatError unless an array has the shape and dtype of the one that it is to fill."""
    if not isinstance(came, np.ndarray) or came.shape != like.shape or came.dtype != like.dtype:
        is_array = isinstance(came, np.ndarray)
        words = f"{came.dtype} of shape {came.shape}" if is_array else type(came).__name__
        raise FormatError(
            f"{where}: expected {like.dtype} of shape {like.shape}, got {words}. "
            "It was saved with a model of another architecture or dtype."
        )
