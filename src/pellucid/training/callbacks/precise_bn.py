"""Batch-norm statistics measured over all samples when a training ends, as prediction will see them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.dispatch.ops import batch_moments
from pellucid.nn.hooks import hook
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.registry import option, register
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import StepsEnd
from pellucid.training.samples import in_range_seen
from pellucid.types import Array, map_arrays, n_rows, take_rows


@register
@dataclass(eq=False)
class PreciseBatchNorm(Callback):
    """Measure the running statistics of every BatchNorm that is not frozen again when the training has ended.

    In training they follow the batches of the last steps: images that were turned, cut and coloured at random, a
    few at a time, seen by weights that still moved. Prediction sees images as they are. As a callback of ``train``
    this puts in their place the mean and the variance over all samples, as the trained network sees them.

    Parameters
    ----------
    data : Dataset, optional
        Default: the samples that are trained on.

    Notes
    -----
    Wu and Johnson (2021), "Rethinking 'Batch' in BatchNorm", section 3, average over batches. Here one layer is
    measured after another, each fed by those measured before, so that the result is exact and does not depend on
    batches. It costs a forward pass over the data, up to the layer, for each BatchNorm. One that a model uses in
    several places is measured over all of them together; what a later one of them is fed has gone through the
    earlier ones by the statistics of the training.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> from pellucid.training.fit import train
    >>> data = Dataset(np.array([[1.0], [2.0], [6.0], [7.0]]), np.array([0, 0, 1, 1]))
    >>> model = Sequential([BatchNorm(), Dense(1)])
    >>> history = train(model, data, n_epochs=3, batch_size=2, callbacks=[PreciseBatchNorm()])
    >>> model.layers[0].state["running_mean"]
    array([4.], dtype=float32)
    """

    data: Dataset | None = option(None, help="Samples to measure; default: those that are trained on.")

    is_last = True  # after averages and best weights have been put in place
    changes_training = True

    def steps_end(self, event: StepsEnd) -> None:
        """Measure the trained model."""
        measure_batch_norms(event.run.model, self.data or event.run.data)


def measure_batch_norms(model: Model, data: Dataset) -> None:
    """Set the running statistics of a model, from its input to its output, to those of all samples."""
    rule = model.preprocessing
    assert rule is not None, "train sets it"
    data = in_range_seen(model, data, "PreciseBatchNorm")
    step = model._rows_a_piece(data.X)
    for norm in [leaf for leaf in model._leaves() if isinstance(leaf, BatchNorm) and not leaf._is_frozen]:
        moments = Moments(1 + len(norm._further_uses))
        with hook(norm, forward=moments.of_input):
            for start in range(0, n_rows(data.X), step):
                X = take_rows(data.X, slice(start, start + step))
                with suppress(_Reached):
                    model.forward(map_arrays(lambda array: rule.apply(array, model.dtype), X))
        if moments.n > 1:
            norm.state["running_mean"][...] = moments.mean
            norm.state["running_var"][...] = moments.squares / (moments.n - 1)


class _Reached(Exception):
    """The layer that is measured has been fed: what comes after it does not matter."""


class Moments:
    """Mean and summed squared deviations of columns, of rows that come a few at a time.

    Notes
    -----
    Chan, Golub and LeVeque (1983), equations 2.1: with delta = mean_B - mean_A::

        mean    <- mean_A + delta n_B / n
        squares <- squares_A + squares_B + delta^2 n_A n_B / n

    The textbook sum of squares minus n mean^2 cancels where the mean is large: it may even come out negative.

    Examples
    --------
    >>> moments = Moments()
    >>> moments.add(2, np.array([1e9 + 1]), np.array([1.0]))  # 1e9 and 1e9 + 2
    >>> moments.add(1, np.array([1e9 + 4]), np.array([0.0]))
    >>> (moments.mean - 1e9, moments.squares)
    (array([2.]), array([8.]))
    """

    def __init__(self, n_uses: int = 1) -> None:
        self.n_uses, self.n_fed = n_uses, 0
        self.n, self.mean, self.squares = 0.0, np.zeros(1), np.zeros(1)

    def add(self, m: float, mean: Array, var: Array) -> None:
        """Count m rows of that mean and variance, each (c,)."""
        n, delta = self.n + m, mean.astype(np.float64) - self.mean
        self.squares = self.squares + var.astype(np.float64) * m + delta**2 * (self.n * m / n)
        self.mean, self.n = self.mean + delta * (m / n), n

    def of_input(self, plain: Callable[..., Array], X: Array, training: bool) -> Array:
        """Count what a layer is fed, every position of an image as a row; after its last use go no further."""
        mean, var, n = batch_moments(X)
        self.add(n, mean, var)
        self.n_fed += 1
        if self.n_fed % self.n_uses:
            return plain(X, training=training)
        raise _Reached
