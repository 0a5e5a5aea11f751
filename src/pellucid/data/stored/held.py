"""An array in memory, as one that stays in a file: for what reads both a block at a time."""

from typing import Any, final

from pellucid.data.stored.base import StoredArray
from pellucid.types import Array


@final
class HeldArray(StoredArray):
    """An array in memory.

    Parameters
    ----------
    X : Array, shape (m, ...)
    where : str, optional
        Its name in messages.
    """

    has_cheap_columns = True

    def __init__(self, X: Array, where: str = "X") -> None:
        super().__init__(where, X.shape, X.dtype)
        self.X = X

    def read_rows(self, rows: Array) -> Array:
        """Return a copy of rows by their numbers."""
        return self.X[rows]

    def read_columns(self, start: int, stop: int, rows: Array) -> Array:
        """Return a copy of columns of rows by their numbers, each row flattened.

        Examples
        --------
        >>> import numpy as np
        >>> HeldArray(np.arange(8).reshape(2, 2, 2)).read_columns(1, 3, np.array([1]))
        array([[5, 6]])
        """
        flat: Array = self.X.reshape(len(self.X), -1)
        return flat[rows, start:stop]


def stored(X: Any) -> StoredArray:
    """Return an array as a stored one, which it may be already.

    Examples
    --------
    >>> import numpy as np
    >>> stored(np.arange(3))[1:]
    array([1, 2])
    """
    return X if isinstance(X, StoredArray) else HeldArray(X)
