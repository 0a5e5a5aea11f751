"""Averages that a training ends with: of weights over its steps, and batch norm's statistics over all samples."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.dispatch.ops import batch_moments
from pellucid.errors import PellucidError
from pellucid.nn.hooks import hook
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.registry import option, register
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import StepEnd, StepsEnd, TrainStart
from pellucid.training.loss_setup import in_range_seen
from pellucid.training.saved_state import check_array, check_keys, saved_number
from pellucid.types import Array, map_arrays, n_rows, take_rows


def add_decayed(total: Array, theta: Array, decay: float) -> None:
    """S <- d S + theta, in place.

    Examples
    --------
    >>> total = np.array([2.0])
    >>> add_decayed(total, np.array([1.0]), 0.5)
    >>> total
    array([2.])
    """
    total *= decay
    total += theta


@register
@dataclass(eq=False)
class WeightEMA(Callback):
    """An exponential moving average of the parameters over the steps of a training.

    As a callback of ``train`` it averages after every step, leaves the model with the average when the steps are
    over, and is part of checkpoints; running statistics of normalization layers, which belong to the weights, are
    averaged with them. Or call ``start``, ``update`` and ``write`` yourself.

    Parameters
    ----------
    decay : float, optional
        d, from 0 to below 1: the average looks back about 1 / (1 - d) steps.

    Attributes
    ----------
    n_steps : int
        Updates so far.

    Notes
    -----
    After t steps, the parameters of step i weigh d^(t - i) (1 - d) / (1 - d^t): the weights add up to 1 from the
    first step on (the bias correction of Kingma and Ba, 2015, section 3), and the random start is not among them.
    What is kept is S <- d S + theta. In the dual form, whose weights are linear in its parameters, it holds as it
    is. Averaging goes back to Polyak and Juditsky (1992).

    Examples
    --------
    >>> average, theta = WeightEMA(decay=0.5), np.array([1.0])
    >>> average.start(theta)
    >>> for theta[0] in (4.0, 1.0):
    ...     average.update(theta)
    >>> average.theta  # (0.5 * 4 + 1) / 1.5
    array([2.])
    >>> with average.swapped(theta):
    ...     print(theta)
    [2.]
    >>> theta
    array([1.])
    """

    changes_training = True

    decay: float = option(0.999, at_least=0, below=1, help="Weight of the average so far at each step.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.n_steps = 0
        self._sum: Array | None = None

    def train_start(self, event: TrainStart) -> None:
        """Begin an average."""
        self.start(*_averaged(event.run.model))

    def step_end(self, event: StepEnd) -> None:
        """Count the parameters after a step."""
        self.update(*_averaged(event.run.model))

    def steps_end(self, event: StepsEnd) -> None:
        """Leave the model with the average."""
        if self.n_steps:
            self.write(*_averaged(event.run.model))

    def start(self, theta: Array, *more: Array) -> None:
        """Make ready for parameters like ``theta``, and further arrays of its dtype; no step counts yet."""
        self.n_steps, self._sum = 0, np.zeros(theta.size + sum(array.size for array in more), theta.dtype)

    def update(self, theta: Array, *more: Array) -> None:
        """Count the parameters after a step."""
        total = self._started("update")
        self.n_steps += 1
        for part, array in self._parts(total, theta, *more):
            add_decayed(part, array, self.decay)

    def _parts(self, flat: Array, *arrays: Array) -> Iterator[tuple[Array, Array]]:
        """Yield the stretch of a flat array that belongs to each array, with that array, flat."""
        stop = 0
        for array in arrays:
            start, stop = stop, stop + array.size
            yield flat[start:stop], array.reshape(-1)

    @property
    def theta(self) -> Array:
        """The average, shape (p,), a new array; what else was given to ``update`` follows after it."""
        total = self._started("theta")
        if not self.n_steps:
            raise PellucidError("WeightEMA: there is no average before the first update.")
        return total * ((1 - self.decay) / (1 - self.decay**self.n_steps))

    def write(self, theta: Array, *more: Array) -> None:
        """Write the average into the model's parameters, and what else was given to ``update``, for good."""
        for part, array in self._parts(self.theta, theta, *more):
            array[...] = part

    @contextmanager
    def swapped(self, theta: Array) -> Iterator[None]:
        """Have the average in the model's parameters within the block, and the parameters themselves after it."""
        kept = theta.copy()
        self.write(theta)
        try:
            yield
        finally:
            theta[...] = kept

    def state(self) -> dict[str, Array | float | int]:
        """Return, as copies, what another average of the same decay needs to go on bit for bit."""
        return {"n_steps": self.n_steps, "sum": self._started("state").copy()}

    def load_state(self, state: Mapping[str, Array | float | int]) -> None:
        """Go on from a ``state()``; call it after ``start``.

        Raises
        ------
        FormatError
            If it does not fit. Nothing has been changed then.
        """
        where = "WeightEMA.load_state"
        total = self._started("load_state")
        check_keys(where, state, ("n_steps", "sum"))
        n_steps = saved_number(f"{where}: n_steps", state["n_steps"], 0)
        check_array(f"{where}: sum", state["sum"], total)
        total[...] = state["sum"]
        self.n_steps = n_steps

    def _started(self, asked: str) -> Array:
        if self._sum is None:
            raise PellucidError(f"WeightEMA.{asked}: call start first.")
        return self._sum


def _averaged(model: Model) -> list[Array]:
    """Return what is averaged of a model: its parameters, and the state of its layers, but for frozen ones."""
    trained = [leaf for leaf in model._leaves() if not leaf._is_frozen]
    return [model.theta, *(array for leaf in trained for array in leaf.state.values())]


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
