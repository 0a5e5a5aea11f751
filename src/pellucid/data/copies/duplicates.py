"""Copies within and across the parts of a data set: which samples are exact or near copies of one another."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.copies.crops import SMALLEST, changed_pairs
from pellucid.data.copies.near import (
    Pair,
    Signatures,
    agree_between_bars,
    cosine_threshold,
    grey_pixels,
    near_pairs,
    pixels_of,
    signatures,
    typical_likeness,
)
from pellucid.data.copies.pixels import PixelScale, are_pictures
from pellucid.data.dataset import Dataset
from pellucid.errors import ShapeError
from pellucid.progress import Progress, ProgressCallback, no_progress, shown_progress
from pellucid.types import Array

MOST_KNOWN = 8  # searches whose pairs are remembered: folds, seeds and settings divide the same data
_KNOWN: dict[bytes, Any] = {}
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
    across = [Pair(i, j, "exact", 1.0) for i, j in same]
    near: list[list[Pair]] = [[], []]
    if not (are_pictures(train) and are_pictures(test) and train.shape[1:] == test.shape[1:]):
        return Copies(first, second, near[0], near[1], across, 0.0)

    def search() -> Any:
        scale = PixelScale(train, test)
        one = signatures(train, first.firsts, scale, progress)
        two = signatures(test, second.firsts, scale, progress)
        typical = typical_likeness(one, two)
        return typical, _pictures_alike(one, two, typical, within, progress)

    typical, (train_pairs, test_pairs, found) = _remembered(search, within, train, first, second)
    across += [pair for pair in found if (pair.first, pair.second) not in set(same)]
    return Copies(first, second, train_pairs, test_pairs, across, typical)


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


def _remembered(search: Callable[[], Any], kind: Any, X: Any, *parts: Distinct) -> Any:
    """Return what a search finds among pictures; of those searched last in this process what was found then."""
    total = hashlib.blake2b(
        repr((kind, X.dtype.str, X.shape[1:], [len(part.digests) for part in parts])).encode()
    )
    for part in parts:
        total.update(b"".join(part.digests))
    key = total.digest()
    if key not in _KNOWN:
        while len(_KNOWN) >= MOST_KNOWN:
            del _KNOWN[next(iter(_KNOWN))]
        _KNOWN[key] = search()
    return _KNOWN[key]


def _pictures_alike(
    one: Signatures, two: Signatures, typical: float, within: bool, progress: ProgressCallback
) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Return the near and changed copies within each part, and those across, first in ``two``."""
    wanted, n = cosine_threshold(typical), len(one.rows)
    near = [near_pairs(marks, marks, wanted, progress) if within else [] for marks in (one, two)]
    across = near_pairs(two, one, wanted, progress)
    if n + len(two.rows) > MOST_SEARCHED:
        return _once(near[0], one, one), _once(near[1], two, two), _once(across, two, one)
    for pair in changed_pairs((one, two), typical, progress):
        if pair.second < n:
            near[0].append(pair)
        elif pair.first >= n:
            near[1].append(pair._replace(first=pair.first - n, second=pair.second - n))
        else:
            across.append(pair._replace(first=pair.second - n, second=pair.first))
    return _once(near[0], one, one), _once(near[1], two, two), _once(across, two, one)


def _once(pairs: list[Pair], one: Signatures, other: Signatures) -> list[Pair]:
    """Return each pair once, as it was found first, sorted; without those that are alike by their bars alone."""
    found = {pair[:2]: pair for pair in reversed(pairs)}
    return sorted(
        pair
        for pair in found.values()
        if agree_between_bars(_grey(one, pair.first), _grey(other, pair.second))
    )


def _grey(some: Signatures, i: int) -> Array:
    """Return the grey values of a picture, of at most 64 pixels a side."""
    return grey_pixels(pixels_of(some, np.array([i]), 64))[0]


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

    def search() -> list[Pair]:
        with shown_progress(progress) as show:
            marks = signatures(X, same.firsts, PixelScale(X), show)
            typical = typical_likeness(marks)
            near = near_pairs(marks, marks, cosine_threshold(typical), show)
            if len(firsts) > MOST_SEARCHED:
                return _once(near, marks, marks)
            return _once(near + changed_pairs((marks,), typical, show), marks, marks)

    near = _remembered(search, None, X, same)
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
