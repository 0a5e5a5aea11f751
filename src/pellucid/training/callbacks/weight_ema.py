"""Weight averaging: a smoother, often better network than the last step's, for a pass a step."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from pellucid.errors import PellucidError
from pellucid.nn.model import Model
from pellucid.registry import option, register
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import StepEnd, StepsEnd, TrainStart
from pellucid.training.saved_state import check_array, check_keys, saved_number
from pellucid.types import Array

BLOCK = 16384  # values that are averaged at a time, so that they stay in a cache


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
    As an update: A <- A + c (theta - A) with c = (1 - d) / (1 - d^t), kept in float64, since in float32 steps of
    c (theta - A) below half a unit in the last place of A are lost, and with them all that is slow. In the dual
    form, whose weights are linear in its parameters, it holds as it is. Averaging goes back to Polyak and Juditsky
    (1992).

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
        self._average: Array | None = None

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
        self.n_steps, self._dtype = 0, theta.dtype
        self._average = np.zeros(theta.size + sum(array.size for array in more))

    def update(self, theta: Array, *more: Array) -> None:
        """Count the parameters after a step."""
        average = self._started("update")
        self.n_steps += 1
        towards = (1 - self.decay) / (1 - self.decay**self.n_steps)
        for part, array in self._parts(average, theta, *more):
            for start in range(0, part.size, BLOCK):
                block = slice(start, start + BLOCK)
                part[block] += towards * (array[block] - part[block])

    def _parts(self, flat: Array, *arrays: Array) -> Iterator[tuple[Array, Array]]:
        """Yield the stretch of a flat array that belongs to each array, with that array, flat."""
        stop = 0
        for array in arrays:
            start, stop = stop, stop + array.size
            yield flat[start:stop], array.reshape(-1)

    @property
    def theta(self) -> Array:
        """The average, shape (p,), a new array; what else was given to ``update`` follows after it."""
        average = self._started("theta")
        if not self.n_steps:
            raise PellucidError("WeightEMA: there is no average before the first update.")
        return average.astype(self._dtype)

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
        return {"n_steps": self.n_steps, "average": self._started("state").copy()}

    def load_state(self, state: Mapping[str, Array | float | int]) -> None:
        """Go on from a ``state()``; call it after ``start``.

        Raises
        ------
        FormatError
            If it does not fit. Nothing has been changed then.
        """
        where = "WeightEMA.load_state"
        average = self._started("load_state")
        if state.keys() == {"n_steps", "sum"}:  # of earlier runs: S <- d S + theta, in the model's dtype
            n_steps = saved_number(f"{where}: n_steps", state["n_steps"], 0)
            check_array(f"{where}: sum", state["sum"], np.zeros(average.shape, self._dtype))
            weight = (1 - self.decay) / (1 - self.decay ** max(n_steps, 1))
            state = {"n_steps": n_steps, "average": np.multiply(state["sum"], weight, dtype=np.float64)}
        check_keys(where, state, ("n_steps", "average"))
        n_steps = saved_number(f"{where}: n_steps", state["n_steps"], 0)
        check_array(f"{where}: average", state["average"], average)
        average[...] = state["average"]
        self.n_steps = n_steps

    def _started(self, asked: str) -> Array:
        if self._average is None:
            raise PellucidError(f"WeightEMA.{asked}: call start first.")
        return self._average


def _averaged(model: Model) -> list[Array]:
    """Return what is averaged of a model: its parameters, and the state of its layers, but for frozen ones."""
    trained = [leaf for leaf in model._leaves() if not leaf._is_frozen]
    return [model.theta, *(array for leaf in trained for array in leaf.state.values())]
