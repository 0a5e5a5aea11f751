"""The learning-rate finder: train a copy of the model while the rate grows, and see where its loss falls."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.pairs import as_dataset
from pellucid.errors import OptionError, TrainingError
from pellucid.nn.model import Model
from pellucid.registry import Limits, check_option, validate_call
from pellucid.training.events import Event, StepEnd, TrainStart
from pellucid.training.loop import run_plan
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.resolve import fill_in, make_optimizer, plan_from
from pellucid.types import Array, n_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIVERGED = 4.0  # a loss this many times the best one ends the sweep


@dataclass(frozen=True, eq=False, repr=False)
class RangeTest:
    """What a learning-rate sweep found.

    Attributes
    ----------
    rates : Array, shape (n,), float64
        The learning rate of each step, growing by the same ratio.
    losses : Array, shape (n,), float64
        The batch's loss before that step.
    smoothed : Array, shape (n,), float64
        The same without the noise of the batches.
    suggestion : float or None
        Where the loss falls fastest against log(rate), the noise set aside; None where it never fell.
    has_diverged : bool
        Whether the sweep ended early because the loss exploded.
    """

    rates: Array
    losses: Array
    smoothed: Array
    suggestion: float | None
    has_diverged: bool

    def to_dict(self) -> dict[str, Any]:
        """Return what was found as JSON can hold it; a loss that is no finite number is None."""
        return {
            "suggestion": self.suggestion,
            "has_diverged": self.has_diverged,
            "rates": self.rates.tolist(),
            "losses": [loss if math.isfinite(loss) else None for loss in self.losses.tolist()],
        }

    def plot(self) -> Figure:
        """Return a figure: loss against learning rate, the suggestion marked."""
        from pellucid.plotting.training import learning_rate_curve  # when a picture is asked for

        return learning_rate_curve(self.rates, self.losses, self.smoothed, suggestion=self.suggestion)

    def __str__(self) -> str:
        if self.suggestion is None:
            return "The loss never fell: try lower rates, or more steps."
        return f"The loss falls fastest around a learning rate of {self.suggestion:.2g}."

    def __repr__(self) -> str:
        found = "none" if self.suggestion is None else f"{self.suggestion:.2g}"
        return f"RangeTest({len(self.rates)} rates, suggestion: {found})"

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_html  # when a picture is asked for

        return f"<p>{self}</p>{figure_html(self.plot())}"


@validate_call("model", "optimizer")
def find_learning_rate(
    model: Model,
    data: Dataset | tuple[Any, Any],
    *,
    optimizer: str | Mapping[str, Any] | Optimizer | None = None,
    loss: Any = None,
    batch_size: int | None = None,
    lowest: float = 1e-6,
    highest: float = 10.0,
    n_steps: int = 100,
    seed: int | None = None,
    dtype: str | None = None,
    kernels: str | None = None,
) -> RangeTest:
    """Train a copy of the model with a growing learning rate, and suggest one.

    Parameters
    ----------
    model : Model
        Left as it is; initialized or not.
    data : Dataset
    optimizer : Optimizer, optional
        The rule that will be trained with; left as it is. Default: ``SGD()``.
    loss, batch_size, seed, dtype, kernels : optional
        As :func:`pellucid.training.fit.train` takes them; give those that will be trained with.
    lowest, highest : float, optional
        The first and the last rate, above 0.
    n_steps : int, optional
        At least 10.

    Returns
    -------
    RangeTest

    Raises
    ------
    OptionError
        If an option is out of its bounds.
    TrainingError
        If the loss is not finite from the first steps on.

    Notes
    -----
    Smith (2017), section 3.3, with rates that grow by the same ratio each step. The smoothed curve is a centred
    mean over a fifth of the sweep, so that it does not lag behind. The suggestion is the rate around which a line
    fitted to a fifth of the sweep falls most steeply, searched up to the minimum. The sweep ends where the recent
    losses exceed four times the best: nothing is learned above. The noisier the batches, the more steps it needs.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> data = Dataset(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]))
    >>> found = find_learning_rate(Sequential([Dense(1)]), data, highest=100.0)
    >>> 0.01 < found.suggestion < 10
    True
    """
    where = "find_learning_rate"
    check_option(where, "lowest", lowest, float, Limits(above=0))
    check_option(where, "highest", highest, float, Limits(above=lowest))
    check_option(where, "n_steps", n_steps, int, Limits(at_least=10))
    data = as_dataset(data, "find_learning_rate")
    given = {"optimizer": optimizer, "loss": loss, "batch_size": batch_size, "seed": seed, "dtype": dtype}
    given["kernels"] = kernels
    options, objects = fill_in(model, data, {**given, "n_epochs": n_steps})
    m = n_rows(data.X)
    n_epochs = -(-n_steps // -(-m // (options.batch_size or m)))  # enough: the sweep ends it
    rule = copy.deepcopy(objects.pop("optimizer", None)) or make_optimizer(options)
    if rule.is_full_batch:
        raise OptionError(f"find_learning_rate: {type(rule).__name__} has no learning rate to find.")
    plan = plan_from(
        replace(options, n_epochs=n_epochs, schedule=None, augment=None), optimizer=rule, **objects
    )
    sweep = _Sweep(rule, np.geomspace(lowest, highest, n_steps))
    has_diverged = False
    try:
        run_plan(_copy(model), data, plan, [sweep])
    except TrainingError:  # a loss that is not finite: the end of what can be learned
        has_diverged = True
        if len(sweep.losses) < 3:
            raise
    rates, losses = sweep.rates[: len(sweep.losses)], np.array(sweep.losses)
    half_width = min(max(1, n_steps // 10), (len(losses) - 1) // 2)
    cut = _without_explosion(losses)
    smoothed = _smooth(cut, half_width)
    suggestion = _steepest(rates, cut, half_width)
    return RangeTest(rates, losses, smoothed, suggestion, has_diverged or sweep.has_diverged)


@dataclass
class _Sweep:
    """A callback that sets the rate of the next step, keeps the losses, and ends the training."""

    optimizer: Optimizer
    rates: Array
    losses: list[float] = field(default_factory=list)
    best: float = math.inf
    has_diverged: bool = False

    def __call__(self, event: Event) -> bool:
        if isinstance(event, TrainStart):
            self.optimizer.learning_rate = float(self.rates[0])
        elif isinstance(event, StepEnd):
            self.losses.append(event.loss)
            recent = float(np.mean(self.losses[-max(1, len(self.rates) // 20) :]))
            self.best = min(self.best, recent)
            self.has_diverged = recent > self.best + (DIVERGED - 1) * abs(self.best)
            if self.has_diverged or len(self.losses) == len(self.rates):
                return True
            self.optimizer.learning_rate = float(self.rates[len(self.losses)])
        return False


def _copy(model: Model) -> Model:
    """Return a model of its own memory: a plain deep copy would tear the layers' views from the flat array."""
    twin = copy.deepcopy(model)
    if twin.is_initialized:
        twin.bind()
    return twin


def _without_explosion(losses: Array) -> Array:
    """Return the losses cut at twice their median, so that an explosion does not hide the fall before it."""
    level = float(np.median(losses))
    return np.minimum(losses, level + abs(level))


def _smooth(losses: Array, half_width: int) -> Array:
    """Return the mean over 2 half_width + 1 losses around each, over fewer, still centred, near the ends."""
    n = len(losses)
    widths = [min(half_width, i, n - 1 - i) for i in range(n)]
    return np.array([losses[i - w : i + w + 1].mean() for i, w in enumerate(widths)])


def _steepest(rates: Array, losses: Array, half_width: int) -> float | None:
    """Return the rate where the line fitted to 2 half_width + 1 losses falls most, up to the minimum."""
    away = np.arange(-half_width, half_width + 1)
    slopes = np.correlate(
        losses, away / (away @ away), "valid"
    )  # of the steps half_width ... n - 1 - half_width
    least = int(_smooth(losses, half_width)[half_width : len(losses) - half_width].argmin())
    steepest = int(slopes[: least + 1].argmin())
    return float(rates[half_width + steepest]) if slopes[steepest] < 0 else None
