"""A model at one random point: its gradients, compared with slopes of its loss."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.rng import stream
from pellucid.types import Array, map_arrays

TOLERANCE = 1e-6
GOOD = TOLERANCE / 10  # an error small enough to try no smaller step
STEPS = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 1e-7, 1e-7)  # tried in turn, each in a new direction
N_DIRECTIONS = 2
MOST_NOISE = 1e-12  # of a loss around 1: anything above is not rounding error
SMALLEST = 1e-290  # taken for a loss of 0, so that no error is divided by 0
UNDECIDED = "no step without a kink was found"


@dataclass(frozen=True)
class GradientRow:
    """The check of one parameter's gradient, or of the input's.

    Attributes
    ----------
    name : str
        ``"dense_1.W"``; ``"input"`` for the gradient that the whole model returns.
    layer : str
        The layer's name; "input" for the input.
    shape : tuple of int
    error : float
        The worst over the directions: how far the gradient is from the slope, relative to the larger of both.
        NaN where the gradient is not finite, has another shape or was never written.
    step : float
        The half distance, relative to the parameter's size, at which that was seen.
    is_ok : bool
        Whether the error is below the tolerance.
    note : str
        Why it could not be decided, or what is wrong besides the error.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    error: float
    step: float
    is_ok: bool
    note: str = ""


def moved_copy(model: Model, shape: Any, seed: int, number: int) -> Model:
    """Return a copy in float64 with weights near their initial values, at no special point."""
    twin = copy.deepcopy(model)
    twin.initialize(shape, seed=seed, dtype="float64")
    twin._mark_input_gradient(True)
    rng = stream(seed, "weights", number)
    for leaf in twin._leaves():
        for array in leaf.params.values():
            array += _spread(array) * rng.standard_normal(array.shape)
    return twin


def _spread(array: Array) -> float:
    """Return how far parameters are moved: a tenth of their own spread, or of what keeps outputs near 1."""
    if array.std() > 0:
        return 0.1 * float(array.std())
    fan_in = array.size / array.shape[-1] if array.ndim > 1 else 1.0
    is_zero_matrix = array.ndim > 1 and not array.any()  # which passes nothing on: a tenth would hide much
    return (1.0 if is_zero_matrix else 0.1) / math.sqrt(fan_in)


class OutputFunction(NamedTuple):
    """What is differentiated: a function from outputs to a number, with its gradient."""

    name: str
    value: Callable[[Any], float]
    gradient: Callable[[Any], Any]


def make_output_function(model: Model, loss: Any, m: int, rng: np.random.Generator) -> OutputFunction:
    """Return the loss for random targets or, where no loss takes the outputs, a random sum of them."""
    shape: Any = model.output_shape
    if isinstance(shape, Mapping) or len(shape) != 1:
        U = map_arrays(lambda one: rng.standard_normal((m, *one)) / m, shape)
        return OutputFunction("outputs, summed with random weights", lambda Y: _dot(U, Y), lambda Y: U)
    if loss is None and model.loss == "binary_cross_entropy" and shape[0] > 1:
        loss = "categorical_cross_entropy"
    chosen, k = LOSSES.resolve(model.loss_config if loss is None else loss), shape[0]
    draw: dict[str, Callable[[], Array]] = {
        "classification": lambda: rng.integers(0, max(2, k), m),
        "multi_label": lambda: rng.integers(0, 2, (m, k)),
    }
    y = draw.get(chosen.kind, lambda: np.abs(rng.standard_normal((m, k))))()  # some losses want none below 0
    T = chosen.encode(y, k, "float64")
    return OutputFunction(
        chosen.name, lambda Y: chosen.forward(Y, T)[0], lambda Y: chosen.backward(chosen.forward(Y, T)[1])
    )


class Point:
    """A model at one point: its loss when one argument is moved, and its gradients."""

    def __init__(self, model: Model, objective: OutputFunction, m: int, seed: int, number: int) -> None:
        self.model, self.objective, self.seed = model, objective, seed
        rng = stream(seed, "samples", number)
        self.X: Any = map_arrays(lambda shape: rng.standard_normal((m, *shape)), model.input_shape)
        inputs = self.X if isinstance(self.X, dict) else {"": self.X}
        self.arguments: list[tuple[str, Layer | None, str, Array]] = [
            (f"input {name}".rstrip(), None, name, array) for name, array in inputs.items()
        ]
        self.arguments += [
            (f"{leaf.name}.{key}", leaf, key, array)
            for leaf in model._leaves()
            if not leaf._is_frozen
            for key, array in leaf.params.items()
        ]

    def loss(self) -> float:
        """Return the loss here; random layers do the same each time."""
        return self.objective.value(self._outputs())

    @property
    def is_repeatable(self) -> bool:
        """Whether the loss is reproducible, as it must be: a layer that draws needs ``set_step_rng``."""
        first, again = self.loss(), self.loss()
        return abs(first - again) <= MOST_NOISE * max(1.0, abs(first)) or not np.isfinite(first)

    def _outputs(self) -> Any:
        self.model._seed_step(self.seed, 0)
        return self.model.forward(map_arrays(np.copy, self.X), training=True)

    def _claimed(self) -> list[Array]:
        """Return the model's own gradient for each argument; NaN where it writes none."""
        self.model.grad.fill(np.nan)
        dX = self.model.backward(map_arrays(np.copy, self.objective.gradient(self._outputs())))
        gradients = []
        for _, leaf, key, array in self.arguments:
            flow = leaf.grads[key] if leaf is not None else dX[key] if isinstance(dX, Mapping) else dX
            gradients.append(np.zeros_like(array) if flow is None else np.array(flow))
        return gradients

    def rows(self, rng: np.random.Generator, done: set[str]) -> Iterator[GradientRow]:
        """Yield a row for each argument that is not done."""
        gradients, noise = self._claimed(), self._noise(rng)
        first = 0  # a step that met kinks before need not be tried again
        for (name, leaf, _, array), gradient in zip(self.arguments, gradients, strict=True):
            if name in done:
                continue
            place = (name, leaf.name if leaf else name, array.shape)
            if gradient.shape != array.shape:
                yield GradientRow(*place, math.nan, 0.0, False, f"its gradient has shape {gradient.shape}")
                continue
            if not np.isfinite(gradient).all():
                yield GradientRow(*place, math.nan, 0.0, False, "never written, or not finite")
                continue
            worst, note = (-1.0, 0), ""
            for _ in range(N_DIRECTIONS):
                error, used, doubt = self._compare(array, gradient, noise, rng, first)
                worst, note = max(worst, (error, used)), note or doubt
                first = max(0, used - 1)
            yield GradientRow(*place, worst[0], STEPS[worst[1]], not note and worst[0] < TOLERANCE, note)

    def _compare(
        self, array: Array, gradient: Array, noise: float, rng: np.random.Generator, first: int
    ) -> tuple[float, int, str]:
        """Return the relative error along a direction, which step showed it, and a note if no step was right."""
        scale = min(1.0, max(1e-3, float(np.sqrt(np.mean(array**2)))))
        best = (math.inf, first)
        for i in range(first, len(STEPS)):
            h = STEPS[i] * scale
            v = rng.standard_normal(array.shape)
            claimed, slope = float(np.vdot(gradient, v)), self._slope(array, v, h)
            least = 20 * noise / h / TOLERANCE  # below it, rounding hides what the tolerance would show
            size = max(abs(claimed), abs(slope), least)
            best = min(best, (abs(claimed - slope) / size, i))
            if best[0] < GOOD:
                break
            finer = self._slope(array, v, h / 2)
            error = abs(claimed - finer) / size
            best = min(best, (error, i))
            if error >= TOLERANCE and abs(slope - finer) < 0.3 * TOLERANCE * size:
                return error, i, ""  # no kink, and yet they disagree
            if best[0] < GOOD:
                break
        return *best, "" if best[0] < TOLERANCE else UNDECIDED

    def _slope(self, array: Array, v: Array, h: float) -> float:
        plus, minus = self._losses_along(array, v, (h, -h))
        return (plus - minus) / (2 * h)

    def _noise(self, rng: np.random.Generator) -> float:
        """Return the rounding noise of the loss: its second differences along a line of tiny steps."""
        array = self.model.theta if self.model.theta.size else self.arguments[0][3]
        values = self._losses_along(array, rng.standard_normal(array.shape), [i * 1e-12 for i in range(12)])
        jitter = float(np.std(np.diff(values, 2))) / 6**0.5
        size = abs(values[0])
        return max(min(jitter, MOST_NOISE * max(1.0, size)), float(np.spacing(max(size, SMALLEST))) / 2)

    def _losses_along(self, array: Array, v: Array, distances: Sequence[float]) -> list[float]:
        """Return the loss with an argument moved along v by each distance, and put it back."""
        start, losses = array.copy(), []
        try:
            for distance in distances:
                array[...] = start + distance * v
                losses.append(self.loss())
        finally:
            array[...] = start
        return losses


def _dot(U: Any, Y: Any) -> float:
    if isinstance(U, Mapping):
        return sum(float(np.vdot(U[name], Y[name])) for name in U)
    return float(np.vdot(U, Y))
