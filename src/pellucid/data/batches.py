"""Mini-batches: the training rows in a new order each epoch."""

from collections.abc import Iterator

from pellucid.errors import OptionError
from pellucid.rng import stream
from pellucid.types import Array


class Batches:
    """The mini-batches of a training set, shuffled anew each epoch from a stream of their own.

    Parameters
    ----------
    X, Y : Array
        Prepared inputs and targets, m rows each.
    batch_size : int or None
        None is the full batch, in the order of the data and without a copy.
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> batches = Batches(np.arange(5), np.arange(5), 2, seed=0)
    >>> [len(x) for x, y in batches.epoch(0)]
    [2, 2, 1]
    """

    def __init__(self, X: Array, Y: Array, batch_size: int | None, seed: int) -> None:
        if batch_size is not None and not 1 <= batch_size <= len(X):
            raise OptionError(
                f"batch_size: expected 1 to {len(X)}, the number of training samples, got {batch_size}. "
                "Leave it out for the full batch."
            )
        self.X, self.Y, self.batch_size, self.seed = X, Y, batch_size, seed

    @property
    def n_steps(self) -> int:
        """Steps an epoch; the last may be smaller than the others."""
        return 1 if self.batch_size is None else -(-len(self.X) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        """Yield the batches of one epoch; every sample comes once."""
        if self.batch_size is None:
            yield self.X, self.Y
            return
        order = stream(self.seed, "batches", epoch).permutation(len(self.X))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield self.X[rows], self.Y[rows]
