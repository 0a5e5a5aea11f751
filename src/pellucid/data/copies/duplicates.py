"""Copies within and across the parts of a data set: which samples are exact or near copies of one another."""

import hashlib
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.copies.crops import SMALLEST, changed_pairs
from pellucid.data.copies.near import (
    Pair,
    are_alike_between_bars,
    cosine_threshold,
    near_pairs,
    signatures,
    typical_likeness,
)
from pellucid.data.copies.pixels import are_pictures
from pellucid.data.dataset import Dataset
from pellucid.errors import ShapeError
from pellucid.progress import Progress, ProgressCallback, no_progress, shown_progress
from pellucid.types import Array

MOST_KNOWN = 8  # searches whose pairs are remembered: folds, seeds and settings divide the same data
_KNOWN: dict[bytes, tuple[float, list[Pair]]] = {}
MOST_COPIES = 10  # of one sample that are named
MOST_SEARCHED = 10_000  # pictures; among more, only those that are near as they are are looked for


class Leak(NamedTuple):
    """A test sample that is in the training part too."""

    test: int  # index in the test part
    train: int  # index in the training part
    kind: str  # "exact"; "near": resized, saved again, brightened; "mirrored", "cropped", "recoloured", or several


class Distinct(NamedTuple):
    """The distinct samples of one part, and the rows of each."""

    digests: list[bytes]  # of each distinct sample
    members: list[list[int]]  # its rows, in order
    firsts: Array  # the first row of each


class Copies(NamedTuple):
    """All copies in a data set; indices of distinct samples count in ``train`` and ``test``."""

    train: Distinct
    test: Distinct
    within_train: list[Pair]  # near ones
    within_test: list[Pair]
    across: list[Pair]  # first in test, second in train; exact and near
    typical: float  # how similar the pictures of this set are; 0 where there are none

    def leaks(self) -> list[Leak]:
        """Return the leaks by rows, sorted; for each test sample exact copies first, at most ten in all."""
        copies: dict[int, list[Leak]] = defaultdict(list)
        for pair in sorted(self.across, key=lambda pair: (pair.kind != "exact", -pair.similarity)):
            originals = self.train.members[pair.second][:MOST_COPIES]
            for row in self.test.members[pair.first]:
                copies[row] += [Leak(row, copy, pair.kind) for copy in originals]
        return [leak for row in sorted(copies) for leak in copies[row][:MOST_COPIES]]


def distinct(X: Any) -> Distinct:
    """Return which samples are identical to the last bit.

    Parameters
    ----------
    X : Array, shape (m, ...), or several by name

    Notes
    -----
    0.0 and -0.0 count as equal. 128-bit BLAKE2b digests stand for the samples.

    Examples
    --------
    >>> distinct(np.array([[1, 2], [3, 4], [1, 2]])).members
    [[0, 2], [1]]
    """
    found: dict[bytes, list[int]] = {}
    arrays = [X[name] for name in sorted(X)] if isinstance(X, dict) else [X]
    for i, parts in enumerate(zip(*arrays, strict=True)):
        digest = hashlib.blake2b(digest_size=16)
        for part in parts:
            digest.update(np.ascontiguousarray(part + 0.0 if part.dtype.kind == "f" else part).data)
        found.setdefault(digest.digest(), []).append(i)
    members = list(found.values())
    return Distinct(list(found), members, np.array([rows[0] for rows in members], np.int64))


def _in_one_dtype(train: Any, test: Any) -> tuple[Any, Any]:
    """Return both parts in the dtype that holds both: 1 and 1.0 have different bytes."""
    if isinstance(train, dict):
        pairs = {name: _in_one_dtype(train[name], test[name]) for name in train}
        return {n: pair[0] for n, pair in pairs.items()}, {n: pair[1] for n, pair in pairs.items()}
    common = np.result_type(train.dtype, test.dtype)
    return train.astype(common, copy=False), test.astype(common, copy=False)


def find_copies(
    train: Any, test: Any, progress: ProgressCallback = no_progress, *, within: bool = True
) -> Copies:
    """Return every copy within and across two parts.

    Parameters
    ----------
    train, test : Array, shape (m, ...), or several by name
        Near copies are looked for in pictures only.
    progress : callable, optional
    within : bool, optional
        Whether near copies within a part are wanted: those across are cheaper.
    """
    train, test = _in_one_dtype(train, test)
    first, second = distinct(train), distinct(test)
    places = {digest: i for i, digest in enumerate(first.digests)}
    same = [(i, places[digest]) for i, digest in enumerate(second.digests) if digest in places]
    across = {pair: Pair(*pair, "exact", 1.0) for pair in same}
    within_train: list[Pair] = []
    within_test: list[Pair] = []
    typical, n = 0.0, len(first.members)
    if are_pictures(train) and are_pictures(test) and train.shape[1:] == test.shape[1:]:
        typical, alike = _pictures_alike((train, test), (first, second), progress, within=within)
        for pair in alike:
            one, other = pair.first - n, pair.second - n
            if other < 0:
                within_train.append(pair)
            elif one >= 0:
                within_test.append(pair._replace(first=one, second=other))
            else:
                across.setdefault((other, pair.first), pair._replace(first=other, second=pair.first))
    return Copies(first, second, within_train, within_test, list(across.values()), typical)


def kinds_searched(X: Any, n: int) -> tuple[str, ...]:
    """Return the kinds of copies, exact ones aside, that are looked for among n pictures like those of X.

    Examples
    --------
    >>> kinds_searched(np.zeros((2, 64, 64, 3)), 500)
    ('near', 'mirrored', 'cropped', 'recoloured')
    >>> kinds_searched(np.zeros((2, 8, 8)), 500), kinds_searched(np.zeros((2, 64)), 500)
    (('near', 'mirrored'), ())
    """
    if not are_pictures(X):
        return ()
    if n > MOST_SEARCHED:
        return ("near",)
    cropped = ("cropped",) if min(X.shape[1:3]) >= SMALLEST else ()
    recoloured = ("recoloured",) if X.ndim == 4 and X.shape[3] >= 3 else ()
    return ("near", "mirrored", *cropped, *recoloured)


def _pictures_alike(
    arrays: tuple[Any, ...], parts: tuple[Distinct, ...], progress: ProgressCallback, *, within: bool = True
) -> tuple[float, list[Pair]]:
    """Return how similar pictures usually are, and their near and changed copies, numbered through all parts.

    Those of the pictures searched last in this process are remembered.
    """
    given = within, arrays[0].dtype.str, arrays[0].shape[1:], [part.digests for part in parts]
    key = hashlib.blake2b(repr(given).encode()).digest()
    if key not in _KNOWN:
        while len(_KNOWN) >= MOST_KNOWN:
            del _KNOWN[next(iter(_KNOWN))]
        marks = signatures(arrays, [part.firsts for part in parts], progress)
        typical = typical_likeness(marks)
        pairs = near_pairs(marks, cosine_threshold(typical), progress, within=within)
        if len(marks.rows) <= MOST_SEARCHED:
            pairs += changed_pairs(marks, typical, progress)
        found = {pair[:2]: pair for pair in reversed(pairs)}  # each as it was found first
        _KNOWN[key] = typical, [found[rows] for rows in sorted(found) if are_alike_between_bars(marks, rows)]
    return _KNOWN[key]


def find_leaks(train: Any, test: Any) -> list[Leak]:
    """Return only the copies across two parts, which is cheaper."""
    return find_copies(train, test, within=False).leaks()


def components(n: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Return the connected components of n items and their pairs: groups of two or more, sorted.

    Examples
    --------
    >>> components(6, [(4, 1), (1, 2), (3, 5)])
    [[1, 2, 4], [3, 5]]
    """
    if not pairs:
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = tuple(np.array(pairs, np.intp).reshape(-1, 2).T)
    labels = connected_components(coo_array((np.ones(len(pairs), bool), ends), (n, n)), directed=False)[1]
    shared = np.flatnonzero(np.bincount(labels)[labels] > 1)
    order = shared[np.argsort(labels[shared], kind="stable")]
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return sorted(part.tolist() for part in parts if len(part))


def near_duplicates(X: Array, *, progress: Progress = None) -> list[Pair]:
    """Return the pictures that occur twice, exactly or nearly.

    Parameters
    ----------
    X : Array, shape (m, h, w) or (m, h, w, c)
        Pictures of any numeric dtype; c is 1, 3 or 4.
    progress : callable or bool, optional
        Called with a stage, how much of it is done, and of how much; default: a bar; False: silent.

    Returns
    -------
    list of Pair
        ``first < second``; each exact copy is paired with the first picture of its group, near copies by the first
        of each group. Copies that were resized, saved as JPEG or brightened are found and, of up to 10,000
        pictures, those that were mirrored, cropped, moved or recoloured; rotations are not.

    Raises
    ------
    ShapeError
        If X does not hold pictures.

    Examples
    --------
    >>> from pellucid.data.built_in import load_drawn_cats
    >>> X = load_drawn_cats().test.X[:5]
    >>> [pair[:3] for pair in near_duplicates(np.concatenate([X, X[:1], X[1:2] // 2]))]
    [(0, 5, 'exact'), (1, 6, 'near')]
    """
    if not are_pictures(X):
        raise ShapeError(
            f"near_duplicates: expected pictures of shape (m, h, w) or (m, h, w, c), 4 x 4 pixels or more, got "
            f"{np.shape(X)}. If they were flattened, pass them as they were before."
        )
    if not len(X):
        return []
    same = distinct(X)
    firsts = same.firsts.tolist()
    with shown_progress(progress) as show:
        _, near = _pictures_alike((X,), (same,), show)
    pairs = [Pair(rows[0], row, "exact", 1.0) for rows in same.members for row in rows[1:]]
    pairs += [pair._replace(first=firsts[pair.first], second=firsts[pair.second]) for pair in near]
    return sorted(pairs)


def leaked_test_rows(train: Dataset, test: Dataset) -> Array:
    """Return which test samples are in the training part too, exactly or, for pictures, nearly.

    Parameters
    ----------
    train, test : Dataset

    Returns
    -------
    rows : Array, shape (n,), int64
        Indices of test samples, sorted: those of ``check_data(split).leaks``.

    Notes
    -----
    Under half a second for 209 and 50 pictures of 64 x 64.

    Examples
    --------
    >>> from pellucid.data.built_in import load_drawn_cats
    >>> cats = load_drawn_cats()
    >>> leaked_test_rows(cats.train, cats.test)
    array([], dtype=int64)
    >>> leaked_test_rows(cats.train, cats.train.take(slice(3)))
    array([0, 1, 2])
    """
    if not len(train) or not len(test):
        return np.zeros(0, np.int64)
    return np.array(sorted({leak.test for leak in find_leaks(train.X, test.X)}), np.int64)
