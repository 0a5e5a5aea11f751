"""What a function returned, compared with what it should have: the first difference of each output."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.types import Array

KINDS = "type", "shape", "dtype", "value"  # in the order in which they are looked at
DIGITS = 6  # of numbers that are shown
WHOLE = "the result"
MOST_SHOWN = 12  # numbers of an array that is shown whole


class Difference(NamedTuple):
    """Where what came differs from what was expected.

    Attributes
    ----------
    kind : {"type", "shape", "dtype", "value"}
    output : str
        The output that is wrong.
    where : str
        The output, or the part of it.
    expected, got : object
    """

    kind: str
    output: str
    where: str
    expected: Any
    got: Any


def is_number(value: Any) -> bool:
    """Return whether a value is an array of numbers, or one number."""
    return (
        isinstance(value, np.ndarray | np.generic | bool | int | float)
        and np.asarray(value).dtype.kind in "biuf"
    )


def close(expected: Any, got: Any) -> bool:
    """Return whether two arrays of the same shape agree to rounding; in float32, to its rounding.

    Examples
    --------
    >>> close(np.array([1.0, np.inf]), np.array([1 + 1e-9, np.inf])), close(1.0, 1.01)
    (True, False)
    """
    a, b = np.asarray(expected, dtype=float), np.asarray(got, dtype=float)
    if a.shape != b.shape:
        return False
    is_rough = np.asarray(got).dtype in (np.float32, np.float16)
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return False
    scale = float(np.max(np.abs(a[finite]), initial=0.0))
    rough, fine = (3e-4, 1e-5) if is_rough else (1e-6, 1e-9)
    return bool(np.all(np.abs(a[finite] - b[finite]) <= rough * np.abs(a[finite]) + fine * max(scale, 1e-3)))


def arrays_in(value: Any, depth: int = 8) -> Iterator[Array]:
    """Yield the arrays and numbers in nested tuples, lists and dictionaries."""
    if isinstance(value, Mapping | list | tuple):
        for one in (value.values() if isinstance(value, Mapping) else value) if depth else ():
            yield from arrays_in(one, depth - 1)
    elif is_number(value):
        yield np.asarray(value)


def compare(names: Sequence[str], expected: Any, got: Any) -> list[Difference]:
    """Return what differs, one difference for each output, or entry of a dictionary, that is wrong.

    Parameters
    ----------
    names : sequence of str
        Of the outputs. One that begins with "cache" may have any layout that holds the expected arrays.
    expected, got : object
        What a correct function returns, and what came.
    """
    if len(names) == 1 or not isinstance(expected, tuple | list) or len(expected) != len(names):
        return [*_differences(names[0], expected, got)]
    if not isinstance(got, tuple | list) or len(got) != len(names):
        return [Difference("type", names[0], WHOLE, expected, got)]
    return [one for parts in zip(names, expected, got, strict=True) for one in _differences(*parts)]


def _differences(name: str, expected: Any, got: Any) -> Iterator[Difference]:
    if name == "layer_cache":  # of a whole layer: that of its sums, then that of its activation
        yield from _pair(name, expected, got)
    elif isinstance(expected, dict) and isinstance(got, Mapping):
        for key, one in expected.items():
            where = f"{name}[{key!r}]"
            if str(key).startswith("dA"):
                continue
            if key not in got:
                yield Difference("type", key, where, one, None)
            elif found := _array(key, where, one, got[key]) or _not_float(key, where, one, got[key]):
                yield found
    elif found := _difference(name, name, expected, got):
        yield found


def _pair(name: str, expected: Any, got: Any) -> Iterator[Difference]:
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        yield Difference("type", name, name, expected, got)
        return
    for number, (a, b) in enumerate(zip(expected, got, strict=True)):
        if found := _cache(name, f"{name}[{number}]", a, b):
            yield found
            return


def _difference(output: str, where: str, expected: Any, got: Any) -> Difference | None:
    if output == "cache":
        return _cache(output, where, expected, got)
    if isinstance(expected, dict):
        return Difference("type", output, where, expected, got)
    if isinstance(expected, list | tuple):
        is_list = isinstance(got, list | tuple) or (isinstance(got, np.ndarray) and got.ndim == 1)
        if not is_list or len(got) != len(expected):
            return Difference("type", output, where, expected, got)
        for number, (a, b) in enumerate(zip(expected, got, strict=True)):
            found = (
                _cache(output, f"{where}[{number}]", a, b)
                if output == "caches"
                else _difference(output, f"{where}[{number}]", a, b)
            )
            if found:
                return found
        return None
    return _array(output, where, expected, got)


def _cache(output: str, where: str, expected: Any, got: Any) -> Difference | None:
    there = [*arrays_in(got)]
    for wanted in arrays_in(expected):
        if not any(one.size == wanted.size and close(wanted.squeeze(), one.squeeze()) for one in there):
            return Difference("value", output, where, wanted, got)
    return None


def _array(output: str, where: str, expected: Any, got: Any) -> Difference | None:
    if not is_number(got) or not is_number(expected):
        same = type(expected) is type(got) and not is_number(expected)
        kind = "dtype" if isinstance(got, np.ndarray | np.generic | complex) else "type"
        return None if same else Difference(kind, output, where, expected, got)
    a, b = np.asarray(expected), np.asarray(got)
    if a.shape != b.shape:
        return Difference("shape", output, where, expected, got)
    if close(a, b):
        return None
    has_fractions = not np.all(a == np.round(a))
    return (has_fractions and _not_float(output, where, expected, got)) or Difference(
        "value", output, where, expected, got
    )


def _not_float(output: str, where: str, expected: Any, got: Any) -> Difference | None:
    """Return a difference for whole numbers, or booleans, instead of floats."""
    is_wrong = np.asarray(expected).dtype.kind == "f" and np.asarray(got).dtype.kind in "iub"
    return Difference("dtype", output, where, expected, got) if is_wrong else None


def kind_of_value(value: Any) -> str:
    """Return what a value is, in a few words.

    Examples
    --------
    >>> kind_of_value(np.zeros((2, 3))), kind_of_value(None), kind_of_value((1, 2)), kind_of_value(1.5)
    ('an array of shape (2, 3)', 'None', 'a tuple of 2', 'the number 1.5')
    """
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" + ("" if value.dtype.kind in "biuf" else f", {value.dtype}")
    if is_number(value):
        return f"the number {float(value):.{DIGITS}g}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Mapping):
        return f"a dictionary of {', '.join(map(repr, list(value)[:6])) or 'nothing'}"
    return f"{'an' if type(value).__name__[0] in 'aeiouAEIOU' else 'a'} {type(value).__name__}"


def shown(value: Any) -> str:
    """Return a value as it is shown: a small array whole, of a large one its shape.

    Examples
    --------
    >>> shown(np.array([[0.5, 1 / 3]]))
    '[[0.5 0.333333]]'
    """
    if isinstance(value, np.ndarray) and value.ndim and value.size <= MOST_SHOWN:
        text = np.array2string(value, formatter={"float_kind": lambda x: f"{x:.{DIGITS}g}"})
        return " ".join(text.split()).replace("[ ", "[")
    return kind_of_value(value).removeprefix("the number ")


def relation(expected: Any, got: Any) -> str:
    """Return how two arrays are related, where it is simple: "4 times what it should be".

    Examples
    --------
    >>> relation(np.array([1.0, 2.0]), np.array([-1.0, -2.0])), relation(np.eye(2), np.zeros((2, 2)))
    ('of the other sign', 'all zeros')
    """
    if not (is_number(expected) and is_number(got)):
        return ""
    a, b = np.asarray(expected, float), np.asarray(got, float)
    if not np.isfinite(b).all():
        return "not finite"
    if a.shape != b.shape:
        return "transposed" if a.ndim == 2 and a.T.shape == b.shape and close(a.T, b) else ""
    if not b.any():
        return "all zeros"
    if a.ndim == 2 and a.shape[0] == a.shape[1] and close(a.T, b):
        return "transposed"
    at = np.unravel_index(np.argmax(np.abs(a)), a.shape) if a.size else ()
    factor = float(b[at] / a[at]) if a.size and a[at] else math.nan
    if math.isfinite(factor) and factor and close(a * factor, b):
        return "of the other sign" if abs(factor + 1) < 1e-6 else f"{factor:.4g} times what it should be"
    return ""
