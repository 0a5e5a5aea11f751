"""Which arrays of a file belong together, by their names."""

import re
from collections.abc import Iterable

from pellucid.errors import DataError, OptionError
from pellucid.text import join_some

_TRAIN = {"train", "training"}
_TEST = {"test", "testing"}
_VALIDATION = {"val", "valid", "validation", "dev"}
CLASS_KEYS = ("list_classes", "classes")

KeyPair = tuple[str, str]  # the names of X and of y


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
    for role, known in (("train", _TRAIN), ("test", _TEST), ("validation", _VALIDATION)):
        if words & known:
            return role
    return ""


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
    problem = (
        "several pairs of inputs and labels"
        if pairs
        else "no inputs and labels (such as X and y, or *_x and *_y)"
    )
    raise DataError(f"{where}: found {problem}. {has} Name two of them with x_key and y_key.")
