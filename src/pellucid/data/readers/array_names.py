"""Which arrays of a file belong together, by their names, and what they are as parts of a data set."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pellucid.data.labels import class_names
from pellucid.data.validate import RawPart, RawSplit
from pellucid.errors import DataError, OptionError
from pellucid.text import join_some, printable

_ROLES = {
    "train": {"train", "training"},
    "test": {"test", "testing"},
    "validation": {"val", "valid", "validation", "dev"},
}
CLASS_KEYS = ("list_classes", "classes")

KeyPair = tuple[str, str]  # the names of X and of y
Keys: TypeAlias = tuple[str | None, str | None]  # those that were given, both or neither
Read: TypeAlias = Callable[[str], Any]  # of an array by its name


class Found(NamedTuple):
    """The parts of a data set in a file, by role: "train", "test", "validation" or ""."""

    parts: dict[str, RawPart]
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]

    def split(self) -> RawSplit:
        """Return the only part, or both."""
        train = self.parts["train"] if len(self.parts) == 2 else next(iter(self.parts.values()))
        return RawSplit(train, self.parts["test"] if len(self.parts) == 2 else None, self.classes, self.notes)


def find_parts(names: list[str], path: Path, keys: Keys, read: Read, read_inputs: Read) -> Found:
    """Return the parts of a file with several arrays.

    Parameters
    ----------
    names : list of str
        All arrays of the file.
    path : Path
    keys : (str or None, str or None)
        The names of X and y that were given, both or neither: see :func:`choose_pairs`.
    read, read_inputs : callable
        Given a name, return that array; labels and names of classes are read by the first.
    """
    pairs, notes = choose_pairs(names, *keys, str(path))
    parts = {
        role: RawPart(read_inputs(x), read(y), f"{path}, {printable(x)} and {printable(y)}")
        for role, (x, y) in pairs.items()
    }
    return Found(parts, find_classes(names, read, path), notes)


def find_classes(names: list[str], read: Read, path: Path) -> tuple[str, ...] | None:
    """Return the names of the classes, where one of the arrays holds them."""
    key = next((key for key in CLASS_KEYS if key in names), None)
    return class_names(read(key), f"{path}, {key}") if key else None


def find_pairs(names: Iterable[str]) -> dict[str, KeyPair]:
    """Return the pairs of inputs and labels, keyed by what is left of their names without the x and the y.

    Examples
    --------
    >>> find_pairs(["train_set_x", "train_set_y", "list_classes"])
    {'train_set': ('train_set_x', 'train_set_y')}
    >>> find_pairs(["X_test", "y_test", "X", "y"])
    {'test': ('X_test', 'y_test'), '': ('X', 'y')}
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        words = re.split(r"[_\-.]", name)
        for axis in ("x", "y"):
            for place in (-1, 0):  # "train_x" and "x_train"
                if words[place].lower() == axis:
                    rest = "_".join(words[:-1] if place == -1 else words[1:])
                    found.setdefault(rest, {}).setdefault(axis, name)
    return {rest: (pair["x"], pair["y"]) for rest, pair in found.items() if len(pair) == 2}


def role_of(text: str) -> str:
    """Return "train", "test", "validation", or "" where a name has none of these words.

    Examples
    --------
    >>> role_of("train_set"), role_of("X-Val"), role_of("latest_photos")
    ('train', 'validation', '')
    """
    words = set(re.split(r"[^a-z]+", text.lower()))
    return next((role for role, known in _ROLES.items() if words & known), "")


def choose_pairs(
    names: list[str], x_key: str | None, y_key: str | None, where: str
) -> tuple[dict[str, KeyPair], tuple[str, ...]]:
    """Return the pairs to read, by role, and notes on those left out.

    Parameters
    ----------
    names : list of str
        All arrays of the file.
    x_key, y_key : str or None
        Names given by the user; both or neither.
    where : str
        The file's name in messages.

    Returns
    -------
    pairs : dict
        Either one pair under any role, or "train" and "test".
    notes : tuple of str

    Raises
    ------
    DataError
        If the file has no pair, or several without saying which is for training; with the names it has.
    OptionError
        If only one of the two keys is given.

    Examples
    --------
    >>> choose_pairs(["X_train", "y_train", "X_val", "y_val"], None, None, "a.npz")[0]
    {'train': ('X_train', 'y_train'), 'test': ('X_val', 'y_val')}
    """
    if (x_key is None) != (y_key is None):
        raise OptionError(
            f"{where}: expected both x_key and y_key, or neither; got x_key={x_key}, y_key={y_key}."
        )
    has = f"The file has: {join_some(names, most=12)}."
    if x_key is not None and y_key is not None:
        for key in (x_key, y_key):
            if key not in names:
                raise DataError(f"{where}: no array is called {key!r}. {has}")
        return {"": (x_key, y_key)}, ()
    pairs = find_pairs(names)
    by_role = {role_of(rest): pair for rest, pair in pairs.items()}
    if len(pairs) == 1:
        return by_role, ()
    if len(by_role) == len(pairs) and "train" in by_role and {"test", "validation"} & set(by_role):
        used = "test" if "test" in by_role else "validation"
        unused = [pair for role, pair in by_role.items() if role not in ("train", used)]
        notes = tuple(f"{join_some(pair)} are not used" for pair in unused)
        if used == "validation":
            notes = (f"{join_some(by_role[used])} serve as the test part", *notes)
        return {"train": by_role["train"], "test": by_role[used]}, notes
    such = "" if pairs else " (such as X and y, or *_x and *_y)"
    found = f"{'several pairs of' if pairs else 'no'} inputs and labels{such}"
    raise DataError(f"{where}: found {found}. {has} Name two of them with x_key and y_key.")
