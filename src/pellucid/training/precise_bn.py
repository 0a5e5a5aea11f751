"""Running statistics measured anew when a training ends, on samples as prediction will see them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, final

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.nn.hooks import hooked
from pellucid.nn.model import PREDICT_ROWS, Model
from pellucid.nn.norm import BatchNorm
from pellucid.training.events import Event, StepsEnd
from pellucid.types import Array, map_arrays, n_rows, take_rows


@final
class PreciseBatchNorm:
    """Measure the running statistics of every BatchNorm anew when the training has ended.

    In training they follow the batches of the last steps: images that were turned, cut and coloured at random, a
    few at a time, seen by weights that still moved. Prediction sees images as they are. As a callback of ``train``
    this puts in their place the mean and the variance over all samples, as the trained network sees them.

    Parameters
    ----------
    data : Dataset
        The training samples, as ``train`` is given them.

    Notes
    -----
    Wu and Johnson (2021), "Rethinking 'Batch' in BatchNorm", section 3, average over batches. Here one layer is
    measured after another, each fed by those measured before, so that the result is exact and does not depend on
    batches. It costs a forward pass over the data for each BatchNorm.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> from pellucid.training.fit import train
    >>> data = Dataset(np.array([[1.0], [2.0], [6.0], [7.0]]), np.array([0, 0, 1, 1]))
    >>> model = Sequential([BatchNorm(), Dense(1)])
    >>> history = train(model, data, n_epochs=3, batch_size=2, callbacks=[PreciseBatchNorm(data)])
    >>> model.layers[0].state["running_mean"]
    array([4.], dtype=float32)
    """

    is_last = True  # after averages and best weights have been put in place

    def __init__(self, data: Dataset) -> None:
        self.data = data

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, StepsEnd):
            self.measure(event.run.model)

    def measure(self, model: Model) -> None:
        """Set the running statistics of a model, from its input to its output."""
        for norm in [leaf for leaf in model.leaves() if isinstance(leaf, BatchNorm)]:
            with _tapped(norm) as moments:
                for start in range(0, n_rows(self.data.X), PREDICT_ROWS):
                    model.forward(self._prepared(model, slice(start, start + PREDICT_ROWS)))
            n, total, squares = moments
            if n > 1:
                mean = total / n
                norm.state["running_mean"][...] = mean
                norm.state["running_var"][...] = (squares - n * mean**2) / (n - 1)

    def _prepared(self, model: Model, rows: slice) -> Any:
        rule = model.preprocessing
        assert rule is not None, "train sets it"
        return map_arrays(lambda array: rule.apply(array, model.dtype), take_rows(self.data.X, rows))


@contextmanager
def _tapped(norm: BatchNorm) -> Iterator[list[Any]]:
    """Add up what a layer is fed meanwhile: the number of values a channel, their sum and that of their squares."""
    moments: list[Any] = [0, 0.0, 0.0]

    def tap(plain: Callable[..., Array], X: Array, training: bool) -> Array:
        Z = X.reshape(-1, X.shape[-1]).astype(np.float64)
        moments[0] += len(Z)
        moments[1] += Z.sum(axis=0)
        moments[2] += np.einsum("ij,ij->j", Z, Z)
        return plain(X, training=training)

    with hooked(norm, forward=tap):
        yield moments
