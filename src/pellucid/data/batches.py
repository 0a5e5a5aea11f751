"""Mini-batches: the training rows in a new order each epoch; what is on disk is read ahead."""

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.data.stored.base import StoredArray
from pellucid.errors import OptionError
from pellucid.rng import stream
from pellucid.types import Array, map_arrays, n_rows
from pellucid.workspace import Workspace

Place = TypeVar("Place")
Piece = TypeVar("Piece")
N_AHEAD = 2  # pieces that wait, or are being read, while one is worked on
Batch: TypeAlias = tuple[Any, Any, "Array | None"]  # inputs, targets, weights
Change: TypeAlias = Callable[[Any, Any, "Array | None", int], Batch]  # the three and the step -> the three


def read_ahead(
    read: Callable[[Place], Piece], places: Iterable[Place], n: int = N_AHEAD
) -> Generator[Piece, None, None]:
    """Yield what is read at each place, in order; the next n are read meanwhile, in one thread.

    What ``read`` raises is raised here, when its turn comes. Closed early, it reads nothing further.

    Examples
    --------
    >>> list(read_ahead(lambda i: i * i, range(5)))
    [0, 1, 4, 9, 16]
    """
    waiting: deque[Future[Piece]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="pellucid-read") as pool:
        try:
            for place in places:
                # which kernels are chosen is in the context
                waiting.append(pool.submit(copy_context().run, read, place))
                if len(waiting) > n:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Batches:
    """The mini-batches of a training set, reshuffled each epoch from a separate random stream.

    Parameters
    ----------
    X, Y : Array, or dict of Array
        Inputs and targets, m rows each. Inputs that stay in their file (a StoredArray, prepared already) are read
        in another thread, two batches ahead: memory for four batches, whatever the size of the file. A shuffled
        batch reads each of its samples, or its compressed chunk, by itself: see docs/limits.md.
    batch_size : int or None
        None: the full batch, in the order of the data and without a copy.
    seed : int
    weights : Array, shape (m,), optional
        How much each sample counts.
    rule, dtype : Preprocessing and str, optional
        How the inputs of each batch are prepared. Default: they are used as they are.
    change : callable, optional
        Given inputs, targets, weights and the step's number, returns what to train on, such as augmented photos.
        With a rule, it may change the inputs in place.
    shuffle : bool, optional
        False: in the order of the data in every epoch, without a copy.

    Examples
    --------
    >>> import numpy as np
    >>> batches = Batches(np.arange(5), np.arange(5), 2, seed=0)
    >>> [len(x) for x, y, weights in batches.epoch(0)]
    [2, 2, 1]
    >>> [x.tolist() for x, y, weights in Batches(np.arange(5), np.arange(5), 2, seed=0, shuffle=False).epoch(3)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        X: Any,
        Y: Any,
        batch_size: int | None,
        seed: int,
        *,
        weights: Array | None = None,
        rule: Preprocessing | None = None,
        dtype: str = "float32",
        change: Change | None = None,
        shuffle: bool = True,
    ) -> None:
        self.n_rows = n_rows(X)
        if batch_size is not None and not 1 <= batch_size <= self.n_rows:
            raise OptionError(
                f"batch_size: expected 1 to {self.n_rows}, the number of training samples, got {batch_size}. "
                "Leave it out for the full batch."
            )
        self.X, self.Y, self.batch_size, self.seed = X, Y, batch_size, seed
        self.weights, self.rule, self.dtype = weights, rule, dtype
        self.change, self.shuffle = change, shuffle
        self._workspace = Workspace()

    @property
    def whole(self) -> "Batches":
        """The batches of which these are a part."""
        return self

    @property
    def n_steps(self) -> int:
        """Steps per epoch; the last batch may be smaller than the others."""
        return 1 if self.batch_size is None else -(-self.n_rows // self.batch_size)

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, all but the first ``skip``; every sample occurs once.

        A batch is valid until the next one: they may be written into the same arrays.
        """
        chosen = itertools.islice(self.rows(epoch), skip, None)
        for i, (rows, X) in enumerate(self.with_inputs(chosen), start=skip):
            Y, weights = self._take(self.Y, rows, "Y"), None if self.weights is None else self.weights[rows]
            if self.change is not None:
                X, Y, weights = self.change(X, Y, weights, epoch * self.n_steps + i)
            yield X, Y, weights

    def rows(self, epoch: int) -> Iterator[Any]:
        """Yield which samples each batch of an epoch has: a slice in order, else numbers."""
        size, order = self.batch_size or self.n_rows, None if self.is_in_order else self.order(epoch)
        for start in range(0, self.n_rows, size):
            rows = slice(start, min(start + size, self.n_rows))
            yield rows if order is None else order[rows]

    @property
    def is_in_order(self) -> bool:
        """Whether every epoch has the samples in the order of the data."""
        return self.batch_size is None or not self.shuffle

    def order(self, epoch: int) -> Array:
        """Return the numbers of the samples in the order in which an epoch has them, batch after batch."""
        if self.is_in_order:
            return np.arange(self.n_rows)
        return stream(self.seed, "batches", epoch).permutation(self.n_rows)

    def with_inputs(self, chosen: Iterable[Any]) -> Generator[tuple[Any, Any], None, None]:
        """Yield the rows of each batch with their inputs; those on disk are read ahead."""
        if not is_on_disk(self.X):
            for rows in chosen:
                yield rows, self._take(self.X, rows, "X", self.rule)
            return
        with closing(
            read_ahead(lambda rows: (rows, map_arrays(partial(_read, rows=rows), self.X)), chosen)
        ) as found:
            yield from found

    def _take(self, arrays: Any, rows: Any, name: str, rule: Preprocessing | None = None) -> Any:
        """Return the chosen samples, prepared by the rule, in a reused array: a new one costs more."""
        if isinstance(arrays, dict):
            return {key: self._take(array, rows, f"{name} {key}", rule) for key, array in arrays.items()}
        if not isinstance(arrays, np.ndarray):  # sparse
            return arrays[rows] if rule is None else rule.apply(arrays[rows], self.dtype)
        if rule is None and isinstance(rows, slice):
            return arrays[rows]
        m = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        shape, dtype = (m, *arrays.shape[1:]), arrays.dtype if rule is None else np.dtype(self.dtype)
        out = self._workspace.take(f"{name} {m}", shape, dtype)
        if rule is not None:
            return rule.apply(arrays, self.dtype, rows=rows, out=out)
        return np.take(arrays, rows, axis=0, out=out, mode="clip")  # "raise" would copy once more


def is_on_disk(X: Any) -> bool:
    """Return whether inputs, or some of those by name, stay in their file."""
    arrays = X.values() if isinstance(X, dict) else [X]
    return any(isinstance(array, StoredArray) for array in arrays)


def _read(X: Any, rows: Array | slice) -> Array:
    """Return rows of an array as a new one, which may be changed in place."""
    return X[rows] if isinstance(X, StoredArray) else np.array(X[rows])
