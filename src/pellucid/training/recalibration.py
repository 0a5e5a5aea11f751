"""Running statistics measured anew when a training ends, on samples as prediction will see them."""

from typing import Any, final

from pellucid.errors import OptionError
from pellucid.nn.normalization import BatchNorm
from pellucid.nn.stepper import cut
from pellucid.rng import stream
from pellucid.training.events import Event, StepsEnd
from pellucid.types import Dataset, map_arrays, n_rows, take_rows


@final
class Recalibrate:
    """Measure the running statistics of every BatchNorm anew when the training has ended.

    In training they follow the batches of the last steps: images that were turned, cut and coloured at random, seen
    by weights that still moved. Prediction sees images as they are. As a callback of ``train``, best together with
    ``augment``, this puts in their place the mean over batches of the samples as they are.

    Parameters
    ----------
    data : Dataset
        The training samples, as ``train`` is given them.
    batch_size : int, optional
        How many are looked at together, about.

    Notes
    -----
    Wu and Johnson (2021), "Rethinking 'Batch' in BatchNorm", section 3. Batch i moves the running statistics by
    1 / i of the way, which makes them the plain mean. It costs one forward pass over the data.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.layers import Dense
    >>> from pellucid.nn.model import Sequential
    >>> from pellucid.training.loop import train
    >>> data = Dataset(np.array([[1.0], [2.0], [6.0], [7.0]]), np.array([0, 0, 1, 1]))
    >>> model = Sequential([BatchNorm(), Dense(1)])
    >>> history = train(model, data, n_epochs=3, batch_size=2, callbacks=[Recalibrate(data)])
    >>> model.layers[0].state["running_mean"]
    array([4.], dtype=float32)
    """

    is_last = True  # after averages and best weights have been put in place

    def __init__(self, data: Dataset, batch_size: int = 32) -> None:
        if batch_size < 1:
            raise OptionError(f"batch_size: expected 1 or more, got {batch_size}.")
        self.data, self.batch_size = data, batch_size

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, StepsEnd):
            self.measure(event.run.model)

    def measure(self, model: Any) -> None:
        """Set the running statistics of a model."""
        norms = [leaf for leaf in model.leaves() if isinstance(leaf, BatchNorm)]
        usual = [norm.momentum for norm in norms]
        try:
            for i, X in enumerate(self._batches(model) if norms else (), 1):
                for norm in norms:
                    norm.momentum = 1 / i
                model.seed_step(0, i)
                model.forward(X, training=True)
        finally:
            for norm, momentum in zip(norms, usual, strict=True):
                norm.momentum = momentum

    def _batches(self, model: Any) -> Any:
        """Yield the samples, prepared, in batches as even as can be: a small last one would count as much."""
        m = n_rows(self.data.X)
        order = stream(0, "recalibration", 0).permutation(m)  # a batch of one class has statistics of its own

        for part in cut(m, -(-m // self.batch_size)):
            batch = take_rows(self.data.X, order[part])
            yield map_arrays(lambda array: model.preprocessing.apply(array, model.dtype), batch)
