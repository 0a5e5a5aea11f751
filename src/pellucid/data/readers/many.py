"""Reading many files: in threads, into the rows of one array, in their order."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Generic, NamedTuple, TypeVar

from pellucid.data.readers.reading import quiet
from pellucid.errors import DataError
from pellucid.job_threads import jobs_on_threads
from pellucid.progress import CountCallback
from pellucid.threads import allowed_threads
from pellucid.types import Array

Result = TypeVar("Result")
MOST_THREADS = 8  # more wait for the interpreter's lock, and for the disk
MOST_PIXELS = 2**25  # decoded at the same time, in all threads: some 130 MB


class Rows(NamedTuple, Generic[Result]):
    """What was read into an array, and what could not be read."""

    found: dict[int, Result]  # by the number of the source, in order; its place here is its row
    faults: dict[int, DataError]  # in order


def fill_rows(X: Array, read: Callable[[int], tuple[Array, Result]], progress: CountCallback) -> Rows[Result]:
    """Fill an array with samples that are read from their sources.

    Parameters
    ----------
    X : Array, shape (n, ...)
        The first rows take the samples that can be read, without gaps.
    read : callable
        ``read(i)`` returns sample i and what else is to be known of it, or raises DataError. It is called in
        several threads: Pillow decodes and resizes without the interpreter's lock.
    progress : callable
        ``progress(done, total)`` is called after each.

    Returns
    -------
    Rows
        The same however many threads there are.

    Examples
    --------
    >>> import numpy as np
    >>> def read(i):
    ...     if i == 1:
    ...         raise DataError("b.jpg: damaged")
    ...     return np.full(2, i), f"size of {i}"
    >>> X = np.zeros((3, 2), int)
    >>> fill_rows(X, read, lambda done, total: None)
    Rows(found={0: 'size of 0', 2: 'size of 2'}, faults={1: DataError('b.jpg: damaged')})
    >>> X[:2].tolist()
    [[0, 0], [2, 2]]
    """

    def fill(i: int) -> Result:
        X[i], result = read(i)
        return result

    rows = read_each(len(X), fill, progress)
    for place, i in enumerate(rows.found):
        if place < i:
            X[place] = X[i]
    return rows


def read_each(n: int, read: Callable[[int], Result], progress: CountCallback) -> Rows[Result]:
    """Return what ``read(i)`` returns for each of n sources, and what it raises; called in several threads."""
    done: dict[int, Result | DataError] = {}

    def attempt(i: int) -> Result | DataError:
        try:
            return read(i)
        except DataError as error:
            return error

    n_threads = min(allowed_threads(), MOST_THREADS, n)
    results = jobs_on_threads(attempt, range(n), n_threads) if n > 1 else ((i, attempt(i)) for i in range(n))
    with quiet, closing(results):
        for i, result in results:
            done[i] = result
            progress(len(done), n)
    ordered = sorted(done.items())
    faults = {i: result for i, result in ordered if isinstance(result, DataError)}
    return Rows({i: result for i, result in ordered if not isinstance(result, DataError)}, faults)


class Room:
    """A number of pixels that may be decoded at the same time; a picture that is larger is decoded alone.

    Parameters
    ----------
    size : int

    Examples
    --------
    >>> room = Room(100)
    >>> with room.taken(60), room.taken(40):
    ...     room.used
    100
    """

    def __init__(self, size: int) -> None:
        self.size, self.used = size, 0
        self._left = threading.Condition()

    @contextmanager
    def taken(self, n: int) -> Iterator[None]:
        """Wait until there is room for n pixels, and keep it in this block."""
        with self._left:
            self._left.wait_for(lambda: not self.used or self.used + n <= self.size)
            self.used += n
        try:
            yield
        finally:
            with self._left:
                self.used -= n
                self._left.notify_all()


ROOM = Room(MOST_PIXELS)
