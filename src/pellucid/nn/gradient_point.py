"""Slopes of a function along random directions, and claimed gradients compared with them."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.nn.model import Model
from pellucid.ops.losses.base import Loss
from pellucid.rng import stream
from pellucid.types import Array, map_arrays

TOLERANCE = 1e-6
GOOD = TOLERANCE / 10  # an error small enough to try no smaller step
STEPS = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 1e-7, 1e-7)  # tried in turn, each in a new direction
# Of a network whose layers are right, one finds all
N_DIRECTIONS = {"layer alone": 2, "network": 1, "loss": 2}
MOST_NOISE = 1e-12  # of a loss around 1: anything above is not rounding error
SMALLEST = 1e-290  # taken for a loss of 0, so that no error is divided by 0
UNDECIDED = "no step without a kink was found"


@dataclass(frozen=True)
class GradientRow:
    """What was checked, and what came out.

    Attributes
    ----------
    stage : {"layer alone", "network", "loss"}
    name : str
        What the gradient is for: ``"dense_1.W"``, ``"input"``. Of a call that failed: ``"dense_1.forward"``.
    layer : str
        The layer's name; empty for the network's input and for the loss.
    shape : tuple of int
    error : float
        The worst over the directions: how far the gradient is from the slope, relative to the larger of both.
        NaN where there is no gradient to compare.
    step : float
        The half distance, relative to the array's size, at which that was seen.
    is_ok : bool
        Whether the error is below the tolerance.
    note : str
        What is wrong, what was expected and what to try; or that nothing could be decided.
    """

    stage: str
    name: str
    layer: str
    shape: tuple[int, ...]
    error: float
    step: float
    is_ok: bool
    note: str = ""

    @property
    def outcome(self) -> str:
        """In a word: "ok", "WRONG" or "undecided"."""
        return "ok" if self.is_ok else "undecided" if self.note == UNDECIDED else "WRONG"


def moved_copy(model: Model, shape: Any, seed: int, number: int, dtype: str = "float64") -> Model:
    """Return an initialized copy with weights near their initial values, at no special point."""
    twin = copy.deepcopy(model)
    twin.initialize(shape, seed=seed, dtype=dtype)
    twin._mark_input_gradient(True)
    rng = stream(seed, "weights", number)
    for leaf in twin._leaves():
        for array in leaf.params.values():
            array += (_spread(array) * rng.standard_normal(array.shape)).astype(array.dtype)
    return twin


def _spread(array: Array) -> float:
    """Return how far parameters are moved: a tenth of their own spread, or of what keeps outputs near 1."""
    if array.std() > 0:
        return 0.1 * float(array.std())
    fan_in = array.size / array.shape[-1] if array.ndim > 1 else 1.0
    is_zero_matrix = array.ndim > 1 and not array.any()  # which passes nothing on: a tenth would hide much
    return (1.0 if is_zero_matrix else 0.1) / math.sqrt(fan_in)


class Argument(NamedTuple):
    """An array that the function is moved along, and the gradient that is claimed for it."""

    name: str
    layer: str
    array: Array
    gradient: Array | None


class Slopes:
    """A function at one point: claimed gradients of its arguments, compared with slopes.

    Parameters
    ----------
    stage : str
        Of the rows.
    value : callable
        Returns the function's value for what the arrays hold.
    arguments : sequence of Argument
    line : Array
        What is moved to measure the rounding of the function.
    """

    def __init__(
        self, stage: str, value: Callable[[], float], arguments: Sequence[Argument], line: Array
    ) -> None:
        self.stage, self.value, self.arguments, self.line = stage, value, arguments, line

    def rows(self, rng: np.random.Generator, done: set[str]) -> Iterator[GradientRow]:
        """Yield a row for each argument that is not done."""
        noise = self._noise(rng)
        first = 0  # a step that met kinks before need not be tried again
        for name, layer, array, gradient in self.arguments:
            if name in done:
                continue
            place = (self.stage, name, layer, array.shape)
            if gradient is None:
                gradient = np.zeros_like(array)
            if gradient.shape != array.shape:
                note = f"Expected a gradient of shape {array.shape}, got {gradient.shape}."
                yield GradientRow(*place, math.nan, 0.0, False, note)
                continue
            if not np.isfinite(gradient).all():
                yield GradientRow(*place, math.nan, 0.0, False, "Never written, or not finite.")
                continue
            worst, note, factors = (-1.0, 0), "", []
            for _ in range(N_DIRECTIONS[self.stage]):
                error, used, doubt, factor = self._compare(array, gradient, noise, rng, first)
                worst, note = max(worst, (error, used)), note or doubt
                factors.append(factor)
                first = max(0, used - 1)
            is_ok = not note and worst[0] < TOLERANCE
            if not is_ok and not note and len(factors) > 1 and np.ptp(factors) < 1e-4 * abs(factors[0]):
                note = f"It is {factors[0]:.4g} times what it should be"
            yield GradientRow(*place, worst[0], STEPS[worst[1]], is_ok, note)

    def _compare(
        self, array: Array, gradient: Array, noise: float, rng: np.random.Generator, first: int
    ) -> tuple[float, int, str, float]:
        """Return the relative error along a direction, its step, a doubt, and the gradient over the slope."""
        scale = min(1.0, max(1e-3, float(np.sqrt(np.mean(array**2)))))
        best = (math.inf, first)
        for i in range(first, len(STEPS)):
            h = STEPS[i] * scale
            v = rng.standard_normal(array.shape)
            claimed, slope = _dot(gradient, v), self._slope(array, v, h)
            least = 20 * noise / h / TOLERANCE  # below it, rounding hides what the tolerance would show
            size = max(abs(claimed), abs(slope), least)
            best = min(best, (abs(claimed - slope) / size, i))
            if best[0] < GOOD:
                break
            finer = self._slope(array, v, h / 2)
            error = abs(claimed - finer) / size
            best = min(best, (error, i))
            if error >= TOLERANCE and abs(slope - finer) < 0.3 * TOLERANCE * size:
                return error, i, "", claimed / finer if finer else 0.0  # no kink, and yet they disagree
            if best[0] < GOOD:
                break
        return *best, "" if best[0] < TOLERANCE else UNDECIDED, 1.0

    def _slope(self, array: Array, v: Array, h: float) -> float:
        plus, minus = self._losses_along(array, v, (h, -h))
        return (plus - minus) / (2 * h)

    def _noise(self, rng: np.random.Generator) -> float:
        """Return the rounding noise of the loss: its second differences along a line of tiny steps."""
        v = rng.standard_normal(self.line.shape)
        values = self._losses_along(self.line, v, [i * 1e-12 for i in range(12)])
        jitter = float(np.std(np.diff(values, 2))) / 6**0.5
        size = abs(values[0])
        return max(min(jitter, MOST_NOISE * max(1.0, size)), float(np.spacing(max(size, SMALLEST))) / 2)

    def _losses_along(self, array: Array, v: Array, distances: Sequence[float]) -> list[float]:
        """Return the loss with an argument moved along v by each distance, and put it back."""
        start, losses = array.copy(), []
        try:
            for distance in distances:
                array[...] = start + distance * v
                losses.append(self.value())
        finally:
            array[...] = start
        return losses


class ModelPoint:
    """A model at one point: random samples, and random weights for the sum of its outputs.

    Attributes
    ----------
    X, U : Array or dict of Array
        Samples, and the gradient of that sum for the outputs: what ``backward`` is given.
    """

    def __init__(self, model: Model, m: int, seed: int, number: int = 0, *, positive: bool = False) -> None:
        self.model, self.seed = model, seed

        def draw(shape: Any, purpose: str) -> Any:
            rng = stream(seed, purpose, number)
            return map_arrays(lambda one: rng.standard_normal((m, *one)).astype(model.dtype), shape)

        self.X, self.U = draw(model.input_shape, "samples"), draw(model.output_shape, "upstream")
        if positive:
            self.X = map_arrays(lambda array: np.abs(array) + 0.1, self.X)

    def outputs(self) -> Any:
        """Return the outputs; random layers do the same each time."""
        self.model._seed_step(self.seed, 0)
        return self.model.forward(map_arrays(np.copy, self.X), training=True)

    def value(self) -> float:
        """Return the sum of the outputs, weighted."""
        return _dot(self.U, self.outputs())

    @property
    def is_repeatable(self) -> bool:
        """Whether the outputs are reproducible, as they must be: a layer that draws needs ``set_step_rng``."""
        first, again = self.value(), self.value()
        return abs(first - again) <= MOST_NOISE * max(1.0, abs(first)) or not np.isfinite(first)

    def slopes(self, stage: str, input_name: str = "input", layer: str = "") -> Slopes:
        """Return what compares its gradients; NaN stands where the model writes none."""
        self.outputs()
        self.model.grad.fill(np.nan)
        dX = map_arrays(_copied, self.model.backward(map_arrays(np.copy, self.U)))
        inputs = self.X if isinstance(self.X, dict) else {"": self.X}
        flows = dX if isinstance(dX, dict) else {"": dX}
        found = [
            Argument(f"{input_name} {key}".rstrip(), layer, array, flows[key])
            for key, array in inputs.items()
        ]
        for leaf in self.model._leaves():
            for key, array in leaf.params.items() if not leaf._is_frozen else ():
                name = layer or leaf.name
                found.append(Argument(f"{name}.{key}", name, array, _copied(leaf.grads.get(key))))
        return Slopes(stage, self.value, found, self.model.theta if self.model.theta.size else found[0].array)


def loss_slopes(loss: Loss, k: int, m: int, seed: int, number: int) -> Slopes:
    """Return what compares a loss's gradient, at random outputs (m, k) and random targets."""
    rng = stream(seed, "targets", number)
    y = {
        "classification": lambda: rng.integers(0, max(2, k), m),
        "multi_label": lambda: rng.integers(0, 2, (m, k)),
    }.get(loss.kind, lambda: np.abs(rng.standard_normal((m, k))))()  # some losses want none below 0
    T, Z = loss.encode(y, k, "float64"), rng.standard_normal((m, k))
    dZ = np.array(loss.backward(loss.forward(Z, T)[1]))
    return Slopes("loss", lambda: loss.forward(Z, T)[0], [Argument("outputs", "", Z, dZ)], Z)


def _copied(array: Array | None) -> Array | None:
    return None if array is None else np.array(array)


def _dot(U: Any, Y: Any) -> float:
    if isinstance(U, Mapping):
        return sum(_dot(U[name], Y[name]) for name in U)
    return float((U * Y).sum())  # in pairs: of large outputs less rounding than a dot product, and no threads
