"""Samples that belong together: groups that were named, and copies, which no division may part.

With a copy on the other side, a network is tested on what it was trained on; so it is with two photos of one cat.
"""

from typing import Any, NamedTuple

import numpy as np

from pellucid.data.copies.duplicates import MOST_SEARCHED, components, distinct, near_duplicates
from pellucid.data.copies.pixels import are_pictures
from pellucid.data.dataset import Dataset
from pellucid.data.labels import has_classes
from pellucid.process_state import one_at_a_time
from pellucid.text import join, printable
from pellucid.types import Array, n_rows

MOST_MOVES = 20  # of groups, for each class, until every part has one of it


class Groups(NamedTuple):
    """What must stay on one side of any division, and which copies need not."""

    numbers: Array | None  # (m,), equal for samples of one group; None where each stands alone
    divided: tuple[str, ...] = ()  # classes whose copies need not: there are too few other samples of them

    def notes(self, place: str) -> tuple[str, ...]:
        """Return what is to be said of copies that may be in several parts.

        Examples
        --------
        >>> Groups(None, ("cat",)).notes("both parts")
        ("copies of class 'cat' may be in both parts: it has too few other samples",)
        """
        if not self.divided:
            return ()
        if self.divided == ("",):
            return (f"copies may be in {place}: there are too few other samples",)
        which = "class" if len(self.divided) == 1 else "classes"
        names = join([repr(printable(name)) for name in self.divided])
        few = "it has" if len(self.divided) == 1 else "they have"
        return (f"copies of {which} {names} may be in {place}: {few} too few other samples",)


def find_groups(data: Dataset, least: int = 2) -> Groups:
    """Return which samples must stay on one side of any division, and of which classes copies need not.

    Parameters
    ----------
    data : Dataset
        Its ``groups`` are kept together, and of pictures the copies: of up to 10,000 near, mirrored, cropped and
        recoloured ones, too, of more the exact ones alone. Rows of a table may be alike without being copies.
    least : int, optional
        Where a class has fewer groups than this because of copies, its copies are not kept together: the class
        could not be divided at all.

    Returns
    -------
    Groups

    Notes
    -----
    209 photos of 64x64 take 0.4 s of one core, 2,000 pictures 6, 10,000 half a minute.

    Examples
    --------
    >>> from pellucid.data.built_in import load_drawn_cats
    >>> find_groups(load_drawn_cats().train.take(np.array([0, 1, 2, 3, 4, 5, 6, 7, 0]))).numbers
    array([0, 1, 2, 3, 4, 5, 6, 7, 0])
    >>> data = Dataset(np.zeros((4, 8, 8), np.uint8), np.array([0, 0, 0, 1]), ("cat", "dog"))
    >>> find_groups(data)
    Groups(numbers=None, divided=('cat', 'dog'))
    """
    m = n_rows(data.X)
    named: list[tuple[int, int]] = []  # pairs that link the samples of each group
    if data.groups is not None:
        order = np.argsort(data.groups, kind="stable")
        same = np.flatnonzero(np.diff(data.groups[order]) == 0)
        named = list(zip(order[same].tolist(), order[same + 1].tolist(), strict=True))
    copies, divided = _copies(data.X), set[int]()
    labels = data.y if has_classes(data.y) else np.zeros(m, np.int64)
    of_sample = labels.tolist()
    while True:
        groups, together = np.arange(m), components(m, named + copies)
        for rows in together:
            groups[rows] = rows[0]
        short = {k for k in np.unique(labels).tolist() if len(np.unique(groups[labels == k])) < least}
        of_pairs = [short & {of_sample[one], of_sample[other]} for one, other in copies]
        if not any(of_pairs):
            break
        divided |= set().union(*of_pairs)
        copies = [pair for pair, its in zip(copies, of_pairs, strict=True) if not its]
    numbers = groups if together else None
    if not has_classes(data.y):
        return Groups(numbers, ("",) if divided else ())
    return Groups(numbers, tuple(data.classes[k] if data.classes else str(k) for k in sorted(divided)))


def fewest_groups(groups: Array, y: Any) -> tuple[int, int]:
    """Return the least number of groups of a class, and that class; of what has no classes, of all.

    Examples
    --------
    >>> fewest_groups(np.array([0, 0, 2, 3]), np.array([0, 0, 0, 1]))
    (1, 1)
    """
    if not has_classes(y):
        return len(np.unique(groups)), 0
    return min((len(np.unique(groups[y == label])), label) for label in np.unique(y).tolist())


def _copies(X: Any) -> list[tuple[int, int]]:
    if not are_pictures(X) or len(X) < 2:
        return []
    if len(X) <= MOST_SEARCHED:
        return [(pair.first, pair.second) for pair in near_duplicates(X, progress=None)]
    return [(rows[0], row) for rows in distinct(X).members for row in rows[1:]]


@one_at_a_time
def folds_by(splitter: Any, *samples: Any) -> list[tuple[Array, Array]]:
    """Return the rows of both sides of each fold that a splitter of scikit-learn draws.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> [test.tolist() for _, test in folds_by(KFold(2), np.zeros(4))]
    [[0, 1], [2, 3]]
    """
    return list(splitter.split(*samples))


def divide_groups(groups: Array, labels: Array, n_test: int, seed: int) -> tuple[Array, Array]:
    """Return training and test rows of which no group has some in each, with about the same mix of classes.

    Parameters
    ----------
    groups : Array, shape (m,)
    labels : Array, shape (m,), integers from 0
        All 0 where there are no classes.
    n_test : int
        How many test samples are wanted; a large group makes it more or fewer.
    seed : int

    Notes
    -----
    Groups are shuffled, then taken from the largest to the smallest, each into the test part if that brings its
    classes nearer to what is wanted: as scikit-learn's StratifiedGroupKFold does. A class of several groups
    has one in each part, unless groups of several classes are so interlocked that no division does that.

    Examples
    --------
    >>> groups, labels = np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> divide_groups(groups, labels, 4, seed=1)[1]
    array([0, 1, 4, 5])
    """
    names, places = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), int(labels.max()) + 1))
    np.add.at(counts, (places, labels), 1)
    wanted = counts.sum(axis=0) * (n_test / len(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    counts, missing = counts[order], wanted.copy()
    side = np.zeros(len(names), bool)  # whether a group is in the test part, the largest first
    for i, its in enumerate(counts):
        if ((missing - its) ** 2).sum() < (missing**2).sum():
            side[i] = True
            missing -= its
    is_test = np.zeros(len(names), bool)
    is_test[order] = _with_all_classes(side, counts > 0, seed)
    in_test = is_test[places]
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def _with_all_classes(side: Array, has: Array, seed: int) -> Array:
    """Return the parts of the groups after small ones were moved to where a class of several groups had none.

    Parameters
    ----------
    side : Array, shape (groups,), bool
        Which groups are in the test part, the largest first.
    has : Array, shape (groups, classes), bool
        Which classes are in which.
    seed : int
    """
    rng, n_of = np.random.default_rng(seed), has.sum(axis=0)
    for _ in range(MOST_MOVES * len(n_of)):
        n_test = has[side].sum(axis=0)
        lacking = (n_of > 1) & ((n_test == 0) | (n_test == n_of))
        if not lacking.any():
            break
        label = int(np.argmax(lacking))
        to_test = n_test[label] == 0
        its = np.flatnonzero(has[:, label])[::-1]  # the smallest first
        if not to_test:
            its[:2] = its[1::-1]
        after = n_test + (1 if to_test else -1) * has[its]
        n_lacking = ((n_of > 1) & ((after == 0) | (after == n_of))).sum(axis=1)
        best = int(np.argmin(n_lacking))
        side[rng.choice(its) if n_lacking[best] >= lacking.sum() else its[best]] = to_test
    return side
