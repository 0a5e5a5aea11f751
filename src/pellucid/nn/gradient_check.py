"""Are a model's gradients right? Each is compared with the slope of the loss along random directions."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.nn.layers import Layer
from pellucid.nn.model import Model
from pellucid.ops.losses import Loss, get_loss
from pellucid.rng import stream
from pellucid.types import Array, map_arrays

TOLERANCE = 1e-6
STEPS = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 1e-7, 1e-7)  # tried in turn, each in a new direction
N_DIRECTIONS = 2


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


@dataclass(frozen=True)
class ModelCheck:
    """A model's gradients, checked one by one.

    Attributes
    ----------
    rows : tuple of GradientRow
        In the order of the layers, the input first.
    loss : str
        What was differentiated.
    n_samples, seed : int
    tolerance : float
    hint : str
        Where to look if one is wrong, as far as can be told.
    """

    rows: tuple[GradientRow, ...]
    loss: str
    n_samples: int
    seed: int
    tolerance: float = TOLERANCE
    hint: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether every gradient is right."""
        return all(row.is_ok for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it: an error that is not a number is None."""
        rows = [asdict(row) | {"error": row.error if math.isfinite(row.error) else None} for row in self.rows]
        return asdict(self) | {"is_ok": self.is_ok, "rows": rows}


def check_gradients(
    model: Model,
    input_shape: Any = None,
    *,
    loss: str | None = None,
    loss_options: Mapping[str, Any] | None = None,
    n_samples: int = 4,
    seed: int = 0,
) -> ModelCheck:
    """Compare every gradient of a model's structure with numerical ones, at random weights, in float64.

    Parameters
    ----------
    model : Model
        Not changed: a copy is initialized anew.
    input_shape : tuple of int or mapping of str to tuple, optional
        Default: the model's own.
    loss : str, optional
        Default: the model's, where it suits the outputs. Outputs that no loss takes (pictures, or several by
        name) are added up with random weights instead.
    loss_options : mapping, optional
        Of that loss.
    n_samples : int, optional
        Random samples; BatchNorm sees them as its batch.
    seed : int, optional
        Of weights, samples, targets, directions and what Dropout drops.

    Raises
    ------
    OptionError, ShapeError
        If a shape is not known or does not fit, or there is no such loss.

    Notes
    -----
    The weights are moved a little off their start, because zeros and ones hide faults. For a parameter x and a
    random direction v, the slope (f(x + h v) - f(x - h v)) / 2h is compared with v . df/dx. Relu, max pooling and
    the like have kinks, where a slope means nothing if one lies between both points. So h starts at 1e-4 of the
    parameter's size; where the two disagree, the slope at h/2 is asked too. If both slopes agree with one another,
    there was no kink and the gradient is wrong; if not, a new direction and a smaller h are tried. Differences
    below what the rounding of f explains are counted as none: its rounding is measured first, by how f jitters
    along a line (as in Moré and Wild, 2011). Dropout drops the same numbers each time, and BatchNorm is in its
    training mode.

    Examples
    --------
    >>> from pellucid.nn.layers import Dense
    >>> from pellucid.nn.model import Sequential
    >>> result = check_gradients(Sequential([Dense(3, activation="relu"), Dense(1)]), (4,))
    >>> result.is_ok, [row.name for row in result.rows]
    (True, ['input', 'dense_1.W', 'dense_1.b', 'dense_2.W', 'dense_2.b'])
    """
    if n_samples < 1:
        raise OptionError(f"check: expected n_samples of 1 or more, got {n_samples}.")
    shape = model.input_shape if input_shape is None else input_shape
    if not shape:
        raise OptionError("check: the shape of the input is not known. Give one, such as (64, 64, 3).")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        twin = _twin(model, shape, seed)
        objective = _objective(twin, loss, loss_options or {}, n_samples, stream(seed, "targets"))
        probe = _Probe(twin, objective, n_samples, seed)
        rows = tuple(probe.rows(stream(seed, "directions")))
    return ModelCheck(rows, objective.name, n_samples, seed, hint=_hint(twin, rows))


def _twin(model: Model, shape: Any, seed: int) -> Model:
    """Return a copy in float64 whose weights are near their start and nowhere special."""
    twin = copy.deepcopy(model)
    twin.initialize(shape, seed=seed, dtype="float64")
    twin.mark_input_gradient(True)
    rng = stream(seed, "weights")
    for leaf in twin.leaves():
        for array in leaf.params.values():
            fan_in = array.size / array.shape[-1] if array.ndim > 1 else 1
            spread = float(array.std()) or (0.1 if array.any() or array.ndim == 1 else 1.0) / fan_in**0.5
            array += (0.1 if array.std() else 1.0) * spread * rng.standard_normal(array.shape)
    return twin


@dataclass(frozen=True)
class _Objective:
    """What is differentiated: outputs to a number, and to its gradient."""

    name: str
    value: Callable[[Any], float]
    gradient: Callable[[Any], Any]


def _objective(
    model: Model, loss: str | None, options: Mapping[str, Any], m: int, rng: np.random.Generator
) -> _Objective:
    shape: Any = model.output_shape
    if isinstance(shape, Mapping) or len(shape) != 1:
        shapes = shape if isinstance(shape, Mapping) else {"": shape}
        upstream = {name: rng.standard_normal((m, *one)) / m for name, one in shapes.items()}
        U = upstream if isinstance(shape, Mapping) else upstream[""]
        return _Objective("outputs, added up with random weights", lambda Y: _dot(U, Y), lambda Y: U)
    name = loss or model.loss
    if loss is None and name == "binary_cross_entropy" and shape[0] > 1:
        name = "categorical_cross_entropy"
    chosen = get_loss(name, **(options if loss else model.loss_options))
    T = chosen.encode(_targets(chosen, m, shape[0], rng), shape[0], "float64")
    return _Objective(
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


class _Probe:
    """A model at one point: its loss when one argument is moved, and the gradients that it claims."""

    def __init__(self, model: Model, objective: _Objective, n_samples: int, seed: int) -> None:
        self.model, self.objective, self.seed = model, objective, seed
        rng = stream(seed, "samples")
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

    def rows(self, rng: np.random.Generator) -> Iterator[GradientRow]:
        """Yield a row for each argument."""
        gradients = self.claimed()
        noise = self._noise(rng)
        first = 0  # a step that met kinks before need not be tried again
        for (name, leaf, key, array), gradient in zip(self.arguments, gradients, strict=True):
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
            error = abs(claimed - slope) / size
            if error < TOLERANCE:
                return error, i, ""
            finer = self._slope(array, v, h / 2)
            error_of_finer = abs(claimed - finer) / size
            if error_of_finer < TOLERANCE or abs(slope - finer) < 0.3 * TOLERANCE * size:
                return error_of_finer, i, ""
            best = min(best, (error_of_finer, i))
        return *best, "no step without a kink was found"

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
        return max(jitter, float(np.spacing(abs(values[0]))) / 2)


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


def _hint(model: Model, rows: tuple[GradientRow, ...]) -> str:
    """Return where to look: a layer's own gradient, or what the first right layer after wrong ones hands back."""
    wrong = [i for i, row in enumerate(rows) if not row.is_ok]
    if not wrong:
        return ""
    names = [leaf.name for leaf in model.leaves()]
    bad = list(dict.fromkeys(rows[i].layer for i in wrong))
    if wrong == list(range(len(wrong))) and not any(hasattr(child, "children") for child in model.children()):
        # a chain, and all up to a place is wrong: the flow back to it is
        first = names.index(bad[-1]) + 1 if bad[-1] in names else 0
        trained = [i for i in range(first, len(names)) if names[i] in {row.layer for row in rows}]
        suspects = names[first : trained[0] + 1 if trained else len(names)]
        if suspects:
            return (
                f"Every gradient up to {rows[wrong[-1]].name} is wrong: look at what backward returns in "
                f"{' or '.join(suspects)}."
            )
    return f"Look at what backward writes to grads in {', '.join(bad)}."
