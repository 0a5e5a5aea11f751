"""Random damages: to bytes, to lines of text, to trees of JSON, to arrays."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pellucid.types import Array

# of the whole: damage hurts most at its start
places = st.floats(0, 1, exclude_max=True) | st.floats(0, 0.05)
VALUES: list[Any] = [
    *(None, True, -1, 0, 1, 2, 3, 10**6, 10**12, 10**30, 0.5, -0.5, 1e308, 1e-320),
    *(float("nan"), float("inf"), "", "x", "nan", "relu", "float64", "Dense", "/", "\x1b[31m\n", "é" * 3),
    *("x" * 3000, [], {}, [1], [[]], [None], {"type": "Dense"}, {"shared": "a"}, [3, 3], [10**9, 10**9]),
    *(["a", "a"], {"a": {"a": {}}}, [[[[[]]]]]),
]
SCRAPS = [
    *(b"", b"\0", b"\xff" * 8, b"\n", b"0", b"9" * 12, b"-1", b"nan", b'"', b",", b"{", b"[" * 2000),
    *(b"= [", b"#", b"\r"),
]


class Damage(NamedTuple):
    """What is done to a file."""

    how: str  # a key of BYTES, LINES, TREES or ARRAYS
    place: float  # as a fraction of the whole
    what: Any


def of(table: dict[str, Any], what: SearchStrategy[Any]) -> SearchStrategy[Damage]:
    """Return a strategy for the damages of a table."""
    return st.builds(Damage, st.sampled_from(sorted(table)), places, what)


Edit = Callable[[Any, int, Any], Any]
BYTES: dict[str, Edit] = {
    "cut": lambda data, i, what: data[:i],
    "overwrite": lambda data, i, what: data[:i] + what + data[i + len(what) :],
    "insert": lambda data, i, what: data[:i] + what + data[i:],
    "leave out": lambda data, i, what: data[:i] + data[i + 1 + len(what) :],
    "repeat": lambda data, i, what: data[:i] + data[max(0, i - 100) :],
}
LINES: dict[str, Edit] = {
    "without a line": lambda lines, i, what: lines[:i] + lines[i + 1 :],
    "a line twice": lambda lines, i, what: lines[: i + 1] + lines[i:],
    "lines backwards": lambda lines, i, what: lines[:i] + lines[i:][::-1],
    "another value": lambda lines, i, what: [*lines[:i], _other_value(lines[i], what), *lines[i + 1 :]],
}
TREES = {"replace": "with another value", "remove": "the entry", "rename": "the key"}


def _other_value(line: bytes, what: Any) -> bytes:
    """Return a line of TOML or CSV with another value: after its last "=" or ",", else of all of it."""
    value = json.dumps(what).encode()
    for mark in (b"=", b","):
        before, found, _ = line.rpartition(mark)
        if found:
            return before + found + value
    return value


def damage_bytes(data: bytes, damage: Damage) -> bytes:
    """Return bytes after a damage of ``BYTES`` or, of their lines, of ``LINES``."""
    if damage.how in BYTES:
        return bytes(BYTES[damage.how](data, int(len(data) * damage.place), damage.what))
    lines = data.split(b"\n")
    return b"\n".join(LINES[damage.how](lines, int(len(lines) * damage.place), damage.what))


def damage_tree(tree: Any, damage: Damage) -> Any:
    """Return a tree of dictionaries and lists after a damage of ``TREES`` to one of its entries."""
    tree = json.loads(json.dumps(tree))
    entries = list(_entries(tree))
    owner, key = entries[int(len(entries) * damage.place)]
    if damage.how == "remove":
        del owner[key]
    elif damage.how == "rename" and isinstance(owner, dict):
        owner[str(damage.what)[:99]] = owner.pop(key)
    else:
        owner[key] = damage.what
    return tree


def _entries(tree: Any) -> Any:
    """Yield every entry of a tree: what holds it, and its key or place."""
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _entries(value)


ARRAYS: dict[str, Callable[[Array], Array]] = {
    "strings": lambda array: np.array(["a", "b"] * 3),
    "objects": lambda array: np.array([None, {}], object),
    "records": lambda array: np.zeros(len(array), [("a", int), ("b", float)]),
    "complex": lambda array: array.astype(complex),
    "dates": lambda array: np.arange(len(array)).astype("datetime64[s]"),
    "empty": lambda array: array[:0],
    "no columns": lambda array: array.reshape(len(array), -1)[:, :0],
    "one number": lambda array: np.array(3.0),
    "one row": lambda array: array[:1],
    "too short": lambda array: array[:-1],
    "backwards": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "halves": lambda array: array.astype(np.float16),
    "negative": lambda array: -1 - array.astype(int),
    "far": lambda array: np.where(array > array.mean(), 1e300, array),
    "near": lambda array: np.where(array > array.mean(), 1e-310, array),
    "unknown": lambda array: np.where(array > array.mean(), np.nan, array),
    "endless": lambda array: np.where(array > array.mean(), np.inf, array),
    "one value": lambda array: np.ones_like(array),
    "large integers": lambda array: array.astype(np.uint64) + np.uint64(2**63),
    "more axes": lambda array: array[None, None, None],
    "many classes": lambda array: np.arange(array.size).reshape(array.shape),
}
