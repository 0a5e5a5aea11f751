"""A model at one random point: its loss where one argument is moved, and the gradients that it claims."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.ops.losses.table import Loss, get_loss
from pellucid.rng import stream
from pellucid.types import Array, map_arrays

TOLERANCE = 1e-6
STEPS = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 1e-7, 1e-7)  # tried in turn, each in a new direction
N_DIRECTIONS = 2
UNDECIDED = "no step without a kink was found"
MOST_NOISE = 1e-12  # of a loss around 1: more than that is no rounding, and hides no fault
GOOD = TOLERANCE / 10  # an error that no smaller step need improve


@dataclass(frozen=True)
class GradientRow:
    """What came of one parameter, or of the input.

    Attributes
    ----------
    name : str
        ``"dense_1.W"``; ``"input"`` for the gradient that the whole model returns.
    layer, kind, parameter : str
        The layer's name and class, and the parameter's key.
    shape : tuple of int
    error : float
        The worst over the directions: how far the gradient is from the slope, relative to the larger of both.
        NaN where the gradient is not a number or was never written.
    step : float
        The half distance, relative to the parameter's size, at which that was seen.
    is_ok : bool
        Whether the error is below the tolerance.
    note : str
        What else there is to say.
    """

    name: str
    layer: str
    kind: str
    parameter: str
    shape: tuple[int, ...]
    error: float
    step: float
    is_ok: bool
    note: str = ""


def moved_twin(model: Model, shape: Any, seed: int, point: int) -> Model:
    """Return a copy in float64 whose weights are near their start and nowhere special."""
    twin = copy.deepcopy(model)
    twin.initialize(shape, seed=seed, dtype="float64")
    twin.mark_input_gradient(True)
    rng = stream(seed, "weights", point)
    for leaf in twin.leaves():
        for array in leaf.params.values():
            array += _spread(array) * rng.standard_normal(array.shape)
    return twin


def _spread(array: Array) -> float:
    """Return how far parameters are moved: a tenth of their own spread, or of what keeps outputs near 1."""
    if array.std() > 0:
        return 0.1 * float(array.std())
    fan_in = array.size / array.shape[-1] if array.ndim > 1 else 1.0
    is_zero_matrix = array.ndim > 1 and not array.any()  # which lets nothing through: a tenth would hide much
    return (1.0 if is_zero_matrix else 0.1) / math.sqrt(fan_in)


@dataclass(frozen=True)
class Objective:
    """What is differentiated: outputs to a number, and to its gradient."""

    name: str
    value: Callable[[Any], float]
    gradient: Callable[[Any], Any]


def make_objective(
    model: Model, loss: str | None, options: Mapping[str, Any], m: int, rng: np.random.Generator
) -> Objective:
    """Return the loss for random targets or, where no loss takes the outputs, a random sum of them."""
    shape: Any = model.output_shape
    if isinstance(shape, Mapping) or len(shape) != 1:
        shapes = shape if isinstance(shape, Mapping) else {"": shape}
        upstream = {name: rng.standard_normal((m, *one)) / m for name, one in shapes.items()}
        U = upstream if isinstance(shape, Mapping) else upstream[""]
        return Objective("outputs, added up with random weights", lambda Y: _dot(U, Y), lambda Y: U)
    name = loss or model.loss
    if loss is None and name == "binary_cross_entropy" and shape[0] > 1:
        name = "categorical_cross_entropy"
    chosen = get_loss(name, **(options if loss else model.loss_options))
    T = chosen.encode(_targets(chosen, m, shape[0], rng), shape[0], "float64")
    return Objective(
        name,
        lambda Y: chosen.forward(Y, T)[0],
        lambda Y: chosen.backward(chosen.forward(Y, T)[1]),
    )


def _targets(loss: Loss, m: int, n_out: int, rng: np.random.Generator) -> Array:
    if loss.kind == "classification":
        return rng.integers(0, max(2, n_out), m)
    if loss.kind == "multi_label":
        return rng.integers(0, 2, (m, n_out))
    return np.abs(rng.standard_normal((m, n_out)))  # quantities; some losses want none below 0


class Probe:
    """A model at one point: its loss when one argument is moved, and the gradients that it claims."""

    def __init__(self, model: Model, objective: Objective, n_samples: int, seed: int, point: int) -> None:
        self.model, self.objective, self.seed = model, objective, seed
        rng = stream(seed, "samples", point)
        shape: Any = model.input_shape
        shapes = shape if isinstance(shape, Mapping) else {"": shape}
        inputs = {name: rng.standard_normal((n_samples, *one)) for name, one in shapes.items()}
        self.X: Any = inputs if isinstance(shape, Mapping) else inputs[""]
        self.arguments: list[tuple[str, Layer | None, str, Array]] = [
            (f"input {name}".rstrip(), None, name, array) for name, array in inputs.items()
        ]
        self.arguments += [
            (f"{leaf.name}.{key}", leaf, key, array)
            for leaf in model.leaves()
            for key, array in leaf.params.items()
        ]

    def loss(self) -> float:
        """Return the loss here; random layers do the same each time."""
        return self.objective.value(self._outputs())

    @property
    def is_repeatable(self) -> bool:
        """Whether the loss comes out the same again, as it must: a layer that draws needs ``set_step_rng``."""
        first, again = self.loss(), self.loss()
        return abs(first - again) <= MOST_NOISE * max(1.0, abs(first)) or not np.isfinite(first)

    def _outputs(self) -> Any:
        self.model.seed_step(self.seed, 0)
        return self.model.forward(map_arrays(np.copy, self.X), training=True)

    def claimed(self) -> list[Array]:
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
        gradients = self.claimed()
        noise = self._noise(rng)
        first = 0  # a step that met kinks before need not be tried again
        for (name, leaf, key, array), gradient in zip(self.arguments, gradients, strict=True):
            if name in done:
                continue
            place = (name, leaf.name if leaf else name, type(leaf).__name__ if leaf else "", key, array.shape)
            if gradient.shape != array.shape or not np.isfinite(gradient).all():
                is_shape = gradient.shape != array.shape
                note = (
                    f"its gradient has shape {gradient.shape}" if is_shape else "never written, or not finite"
                )
                yield GradientRow(*place, math.nan, 0.0, False, note)
                continue
            worst, note = (-1.0, 0), ""
            for _ in range(N_DIRECTIONS):
                error, used, said = self._verdict(array, gradient, noise, rng, first)
                worst, note = max(worst, (error, used)), note or said
                first = max(0, used - 1)
            yield GradientRow(*place, worst[0], STEPS[worst[1]], not note and worst[0] < TOLERANCE, note)

    def _verdict(
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
        with _kept(array) as start:
            array[...] = start + h * v
            plus = self.loss()
            array[...] = start - h * v
            return (plus - self.loss()) / (2 * h)

    def _noise(self, rng: np.random.Generator) -> float:
        """Return how much the loss jitters by rounding: its second differences along a line of tiny steps."""
        x = self.X[next(iter(self.X))] if isinstance(self.X, Mapping) else self.X
        array = self.model.theta if self.model.theta.size else x
        v = rng.standard_normal(array.shape)
        with _kept(array) as start:
            values = []
            for i in range(12):
                array[...] = start + i * 1e-12 * v
                values.append(self.loss())
        jitter = float(np.std(np.diff(values, 2))) / 6**0.5
        size = abs(values[0])
        return max(min(jitter, MOST_NOISE * max(1.0, size)), float(np.spacing(size)) / 2)


@contextmanager
def _kept(array: Array) -> Iterator[Array]:
    """Yield a copy, and put it back at the end."""
    start = array.copy()
    try:
        yield start
    finally:
        array[...] = start


def _dot(U: Any, Y: Any) -> float:
    if isinstance(U, Mapping):
        return sum(float(np.vdot(U[name], Y[name])) for name in U)
    return float(np.vdot(U, Y))
