"""Labels in any usual form (numbers, words, yes / no; rows or columns) -> indices into class names."""

from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.text import join_some
from pellucid.types import Array

_LARGEST_EXACT = 2**53  # above it, float64 does not hold every whole number


def as_labels(y: Array, m: int, where: str) -> Array:
    """Return labels as one axis of int64, bool or str.

    Parameters
    ----------
    y : Array, shape (m,), (m, 1) or (1, m)
        Whole numbers (of any dtype), booleans, strings or UTF-8 bytes.
    m : int
        The number of samples that they label.
    where : str
        Their name in messages.

    Returns
    -------
    labels : Array, shape (m,)

    Raises
    ------
    DataError
        If they are anything else.

    Examples
    --------
    >>> as_labels(np.array([[1.0, 0.0, 1.0]]), 3, "y")
    array([1, 0, 1])
    """
    if y.ndim == 2 and 1 in y.shape:
        y = y.ravel()
    if y.ndim != 1:
        hint = (
            "They look one-hot; try Y.argmax(axis=1)." if y.ndim == 2 else "One number per sample is needed."
        )
        raise DataError(f"{where}: expected labels of shape (m,), (m, 1) or (1, m), got {y.shape}. {hint}")
    if len(y) != m:
        raise DataError(
            f"{where}: expected {m} labels, one per sample, got {len(y)}. Check that they belong together."
        )
    if y.dtype.kind in "iuf":
        return _whole_numbers(y, where)
    if y.dtype.kind == "S":
        return _decoded(y, where)
    if y.dtype.kind in "bU":
        return y
    raise DataError(
        f"{where}: expected numbers or words, got dtype {y.dtype}. Save them as integers or strings."
    )


def class_names(names: Array, where: str) -> tuple[str, ...]:
    """Return the stored names of the classes as strings.

    Raises
    ------
    DataError
        If they are not one axis of distinct names, at least two.

    Examples
    --------
    >>> class_names(np.array([b"non-cat", b"cat"]), "list_classes")
    ('non-cat', 'cat')
    """
    if names.dtype.hasobject or names.ndim != 1 or names.dtype.kind not in "SUiub":
        raise DataError(
            f"{where}: expected one axis of class names, got shape {names.shape} and dtype {names.dtype}. "
            "Save them as an array of strings."
        )
    texts = _decoded(names, where) if names.dtype.kind == "S" else names
    result = tuple(str(name) for name in texts.tolist())
    if len(result) < 2 or len(set(result)) < len(result) or "" in result:
        raise DataError(
            f"{where}: expected at least two class names, all different, got: {join_some(result)}."
        )
    return result


def encode(
    labels: list[Array], classes: tuple[str, ...] | None, where: str
) -> tuple[list[Array], tuple[str, ...], tuple[str, ...]]:
    """Return labels as indices 0..k-1, the k class names, and notes on what was renamed.

    Parameters
    ----------
    labels : list of Array, each of shape (m,)
        What `as_labels` returned, of the training and, where there is one, the test part.
    classes : tuple of str, or None
        The class names, where the source has them. Without them the distinct labels, sorted, are the classes.
    where : str
        The source's name in messages.

    Raises
    ------
    DataError
        If there is only one class, or a label has no name.

    Examples
    --------
    >>> encode([np.array([5, 3, 5])], None, "y")
    ([array([1, 0, 1])], ('3', '5'), ('labels 3, 5 became 0, 1',))
    >>> encode([np.array(["dog", "cat"])], None, "y")
    ([array([1, 0])], ('cat', 'dog'), ())
    """
    if len({values.dtype.kind for values in labels}) > 1:
        kinds = " and ".join(str(values.dtype) for values in labels)
        raise DataError(f"{where}: training and test labels differ in kind ({kinds}). Use one kind for both.")
    values, codes = np.unique(np.concatenate(labels), return_inverse=True)
    is_text = values.dtype.kind == "U"
    notes: tuple[str, ...] = ()
    if classes is None:
        if len(values) < 2:
            raise DataError(
                f"{where}: expected at least two classes, but every label is {values[0].item()!r}. "
                "Add samples of another class."
            )
        classes = tuple(str(value) for value in values.tolist())
        notes = () if is_text else _renaming(values)
    elif is_text:
        codes = renumbered(codes, tuple(values.tolist()), classes, where)
    elif values[0] >= 0 and values[-1] < len(classes):
        codes = values.astype(np.int64)[codes]
    elif len(values) == len(classes) and 0 not in values:  # counted from 1, or -1 and 1
        notes = _renaming(values)
    else:
        raise DataError(
            f"{where}: expected labels from 0 to {len(classes) - 1}, one for each class name "
            f"({join_some(classes)}), got {len(values)} different ones from {values[0]} to {values[-1]}. "
            "Add names or correct the labels."
        )
    return np.split(codes.astype(np.int64), np.cumsum([len(part) for part in labels])[:-1]), classes, notes


def _renaming(values: Array) -> tuple[str, ...]:
    """Return the note on which labels were renumbered, or none."""
    if np.array_equal(values, np.arange(len(values))):
        return ()
    return (f"labels {join_some(values.tolist())} became {join_some(range(len(values)))}",)


def _whole_numbers(y: Array, where: str) -> Array:
    if y.dtype.kind == "f":
        is_whole = np.isfinite(y)
        is_whole[is_whole] = np.trunc(y[is_whole]) == y[is_whole]
        if not is_whole.all():
            first = int(np.argmin(is_whole))
            raise DataError(
                f"{where}: expected whole numbers, got {y[first]} at sample {first} (counted from 0). "
                "Labels name classes; numbers are predicted from a .csv table with --target, or by pl.train."
            )
    if len(y) and max(y.max().item(), -y.min().item()) > _LARGEST_EXACT:  # a float16 could not be compared
        raise DataError(
            f"{where}: expected small whole numbers, got {y.min()} to {y.max()}. Count classes from 0."
        )
    return y.astype(np.int64)


def _decoded(texts: Array, where: str) -> Array:
    try:
        return np.array([text.decode() for text in texts.tolist()])
    except UnicodeDecodeError:
        raise DataError(f"{where}: expected words in UTF-8, got other bytes. Save them as UTF-8.") from None


def numbered(y: Any, classes: tuple[str, ...], where: str) -> tuple[Array, tuple[str, ...]]:
    """Return names of classes as numbers, and the names; sorted unless ``classes`` gives them.

    Examples
    --------
    >>> numbered(np.array(["dog", "cat"]), (), "y")
    (array([1, 0]), ('cat', 'dog'))
    """
    words = np.asarray(y).astype(str)
    if words.ndim == 2 and words.shape[1] == 1:
        words = words[:, 0]
    names, codes = np.unique(words, return_inverse=True)
    found = tuple(names.tolist())
    if not classes:
        return codes, found
    return renumbered(codes, found, classes, where), classes


def renumbered(y: Array, names: tuple[str, ...], classes: tuple[str, ...], where: str) -> Array:
    """Return class numbers in the order of ``classes``; DataError where one of the names is not among them."""
    unknown = [name for name in names if name not in classes]
    if unknown:
        raise DataError(f"{where}: expected the classes {join_some(classes)}, also got {join_some(unknown)}.")
    return np.array([classes.index(name) for name in names])[y]


def has_classes(y: Any) -> bool:
    """Return whether labels are one class for each sample: no quantities, no column a label, no dictionary.

    Examples
    --------
    >>> has_classes(np.array([1, 0])), has_classes(np.array([0.5, 1]))
    (True, False)
    """
    return isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind != "f"
