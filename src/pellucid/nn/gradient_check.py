"""Check gradients against slopes: of each layer alone first, then of the whole network, then of the loss."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from pellucid.errors import OptionError, PellucidError
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.gradient_point import (
    TOLERANCE,
    UNDECIDED,
    GradientRow,
    ModelPoint,
    Slopes,
    loss_slopes,
    moved_copy,
)
from pellucid.nn.layer import Layer
from pellucid.nn.layer_contract import DRAWS, LayerFault, broken_promises, build_watched, point_alone
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.base import LOSSES, Loss
from pellucid.ops.losses.joint import Joint
from pellucid.registry import explain_call
from pellucid.rng import stream
from pellucid.text import join, plural
from pellucid.text_blocks import Result

N_POINTS = 3  # other points tried at most where a kink is too close
ALONE, NETWORK, LOSS = "layer alone", "network", "loss"
NO_LOSS = "outputs, summed with random weights"


@dataclass(frozen=True, repr=False)
class GradientCheck(Result):
    """Gradients, checked one by one: of each layer alone, of the whole network, of the loss.

    Attributes
    ----------
    rows : tuple of GradientRow
        In that order. The network and the loss are left out where a layer is wrong, since all would be.
    loss : str
        Its name; or that the network's outputs were summed with random weights, where no loss takes them.
    n_samples, seed : int
    tolerance : float
    hint : str
        Where to look if the network is wrong and each layer is right, as far as the pattern shows.
    """

    columns = "checked", "gradient", "relative error", ""
    in_json = "rows=rows_in_json loss n_samples seed tolerance is_ok headline hint"

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

    @property
    def headline(self) -> str:
        """Whether all are right; else which layer is wrong, and in what."""
        wrong = [row for row in self.rows if row.outcome == "WRONG"]
        if wrong:
            names = join(list(dict.fromkeys(row.layer or row.stage for row in wrong)))
            return f"WRONG: {names} ({join([row.name for row in wrong])})."
        n_open = sum(not row.is_ok for row in self.rows)
        if n_open:
            return f"Undecided: {plural(n_open, 'gradient')}; the others are right."
        n_layers = len({row.layer for row in self.rows if row.stage == ALONE})
        parts = [
            plural(n_layers, "layer") + " alone" if n_layers else "",
            "the network" if any(row.stage == NETWORK for row in self.rows) else "",
            f"{self.loss}" if any(row.stage == LOSS for row in self.rows) else "",
        ]
        return f"Every gradient is right: {join([part for part in parts if part])}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong, row by row, and where to look."""
        found = [f"{row.name}: {row.note}" for row in self.rows if row.note]
        return (*found, *([self.hint] if self.hint else []))

    @property
    def rows_in_json(self) -> list[dict[str, Any]]:
        """The rows; an error that is NaN or infinite is None."""
        rows = self.to_rows()
        return [row | {"error": row["error"] if math.isfinite(row["error"]) else None} for row in rows]

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a dictionary for each row, with its ``outcome``: "ok", "WRONG" or "undecided"."""
        return [vars(row) | {"outcome": row.outcome} for row in self.rows]

    def cells(self, row: dict[str, Any]) -> list[Any]:
        """Return a row as it is printed."""
        error = f"{row['error']:.1e}" if math.isfinite(row["error"]) else ""
        return [row["stage"], row["name"], error, row["outcome"]]


@explain_call
def check_gradients(
    model: ModelLike | Layer,
    input_shape: Any = None,
    *,
    loss: Any = None,
    n_samples: int = 4,
    seed: int = 1,
) -> GradientCheck:
    """Compare gradients with slopes, at random weights in float64: each layer alone, the network, the loss.

    Each layer is given random samples and a random gradient of its outputs. What it breaks besides is a row with
    a sentence, too: a wrong shape or dtype, an entry of ``grads`` that is missing or was replaced, an input
    changed in place, outputs that depend on chance or on the call before.

    Parameters
    ----------
    model : Model, Layer, str or Path
        Not changed: a copy is initialized. A layer is checked alone.
    input_shape : tuple of int or mapping of str to tuple, optional
        Default: the model's own.
    loss : str, dict or Loss, optional
        Default: the model's, where it suits the outputs. Outputs that no loss takes, such as images, have none.
    n_samples : int, optional
        Random samples; BatchNorm sees them as its batch.
    seed : int, optional
        Random seed of weights, samples, targets, directions and what Dropout drops.

    Raises
    ------
    OptionError, ShapeError
        If a shape is unknown or does not fit, or there is no such loss.

    Returns
    -------
    GradientCheck

    Notes
    -----
    The weights are moved slightly off their start, because zeros and ones hide errors. For a parameter x and a
    random direction v, the slope (f(x + h v) - f(x - h v)) / 2h is compared with v . df/dx. Relu, max pooling and
    the like have kinks, where a slope means nothing if one lies between both points. So h starts at 1e-4 of the
    parameter's size; where the two disagree, the slope at h/2 is taken too. If both slopes agree with one another,
    there was no kink and the gradient is wrong; if not, a new direction and a smaller h are tried, and in the end
    other weights and samples. Differences below what the rounding of f explains count as zero: its rounding is
    measured first, by how f jitters along a line (as in Moré and Wild, 2011). Dropout drops the same numbers each
    time, and BatchNorm is in its training mode.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> result = check_gradients(Sequential([Dense(3, activation="relu"), Dense(1)]), (4,))
    >>> result.is_ok, [row.name for row in result.rows]
    (True, ['dense_1 input', 'dense_1.W', 'dense_1.b', ..., 'input', 'dense_1.W', ..., 'binary_cross_entropy'])
    >>> print(check_gradients(Dense(3), (4,)))
    Every gradient is right: 1 layer alone.
    <BLANKLINE>
    checked      gradient       relative error
    layer alone  dense_1 input         ...  ok
    layer alone  dense_1.W             ...  ok
    layer alone  dense_1.b             ...  ok
    """
    if n_samples < 1:
        raise OptionError(f"check: expected n_samples of 1 or more, got {n_samples}.")
    is_part = isinstance(model, Layer) and not isinstance(model, Model)
    network = copy.deepcopy(Sequential([model]) if is_part else as_model(model, "check"))  # type: ignore[arg-type, list-item]
    shape = network.input_shape if input_shape is None else input_shape
    if not shape:
        raise OptionError("check: the shape of the input is not known. Give one, such as (64, 64, 3).")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            twin = _built(network, shape, n_samples, seed)
        except LayerFault as fault:
            return GradientCheck((_row(fault),), NO_LOSS, n_samples, seed)
        chosen = {} if is_part else _losses(twin, loss)
        names = [one.name for one in chosen.values()] or [NO_LOSS]
        name = names[0] if len(names) == 1 else "joint"
        rows = [
            row
            for leaf in twin._leaves()
            if not leaf._is_frozen
            for row in _rows_alone(leaf, n_samples, seed)
        ]
        hint = ""
        if (is_part and not network.children()[0].children()) or not all(row.is_ok for row in rows):
            return GradientCheck(tuple(rows), name, n_samples, seed)
        try:
            found, hint = _rows_of_network(network, shape, n_samples, seed)
            rows += found
        except PellucidError:
            raise
        except Exception as error:
            note = f"Each layer is right alone; together they raise {type(error).__name__}: {error}. Look at how "
            note += f"{type(network).__name__} hands arrays from one to the next."
            rows.append(GradientRow(NETWORK, "forward and backward", "", (), math.nan, 0.0, False, note))
        for key, one in chosen.items():
            rows += _rows_of_loss(one, key, twin.output_shape, n_samples, seed)
    return GradientCheck(tuple(rows), name, n_samples, seed, hint=hint)


def _built(network: Model, shape: Any, m: int, seed: int) -> Model:
    """Return an initialized copy; LayerFault names the layer that cannot be built, or that misleads a later one."""
    for is_strict in (False, True):
        for leaf in network._leaves():
            build = partial(
                build_watched, leaf, m * is_strict, seed
            )  # a copy of the leaf gets one bound to the copy
            leaf.build = build  # type: ignore[method-assign]
        try:
            return moved_copy(network, shape, seed, 0)
        except PellucidError:
            if is_strict:
                raise
        finally:
            for leaf in network._leaves():
                del leaf.build
    raise AssertionError


def _row(fault: LayerFault) -> GradientRow:
    name = f"{fault.layer} input" if fault.what == "input" else f"{fault.layer}.{fault.what}"
    return GradientRow(ALONE, name, fault.layer, (), math.nan, 0.0, False, fault.note)


def _decided(slopes: Callable[[int], Slopes], seed: int) -> list[GradientRow]:
    """Return the rows of slopes at a point or, where kinks are too close, at others."""
    rows: dict[str, GradientRow] = {}
    for number in range(N_POINTS):
        done = {name for name, row in rows.items() if row.note != UNDECIDED}
        rows |= {row.name: row for row in slopes(number).rows(stream(seed, "directions", number), done)}
        if all(row.note != UNDECIDED for row in rows.values()):
            break
    return [*rows.values()]


def _rows_alone(leaf: Layer, m: int, seed: int) -> Iterator[GradientRow]:
    """Yield what a built layer breaks or, if nothing, its gradients."""
    faults = broken_promises(leaf, m, seed)
    yield from map(_row, faults)
    if any(fault.what in ("forward", "backward") for fault in faults):
        return
    known = {_row(fault).name for fault in faults}

    def slopes(number: int) -> Slopes:
        found = point_alone(leaf, m, seed, number).slopes(ALONE, f"{leaf._label} input", leaf._label)
        found.arguments = [argument for argument in found.arguments if argument.name not in known]
        return found

    for row in _decided(slopes, seed):
        yield row if row.is_ok else _explained(row, m)


def _explained(row: GradientRow, m: int) -> GradientRow:
    """Return a wrong row with what to look at."""
    if row.note == UNDECIDED:
        return row
    of = (
        "what backward returns"
        if row.name.endswith(" input")
        else f"what it writes to grads[{row.name.split('.')[-1]!r}]"
    )
    note = f"{row.note}: look at {of}." if row.note else f"Look at {of}."
    factor = row.note.split()[2:3]
    if factor == [f"{1 / m:.4g}"] and m > 1:
        note += " A mean over the samples where the sum is expected?"
    return replace(row, note=note)


def _rows_of_network(network: Model, shape: Any, m: int, seed: int) -> tuple[list[GradientRow], str]:
    """Return the rows of the whole network, for a random gradient of its outputs, and a hint."""
    point: list[ModelPoint] = []

    def slopes(number: int) -> Slopes:
        point[:] = [ModelPoint(moved_copy(network, shape, seed, number), m, seed, number)]
        return point[0].slopes(NETWORK)

    rows = _decided(slopes, seed)
    if all(row.is_ok for row in rows):
        return rows, ""
    if not point[0].is_repeatable:
        return rows, f"Expected the same outputs for the same samples again, got others. {DRAWS}."
    return rows, _hint(point[0].model, rows)


def _losses(model: Model, loss: Any) -> dict[str, Loss]:
    """Return the losses that take the outputs, by output; none where there is none."""
    shape: Any = model.output_shape
    if isinstance(shape, Mapping):
        return dict(model._loss.losses) if isinstance(model._loss, Joint) else {}
    if len(shape) != 1:
        return {}
    if loss is None and model.loss == "binary_cross_entropy" and shape[0] > 1:
        loss = "categorical_cross_entropy"
    return {"": LOSSES.resolve(model.loss_config if loss is None else loss)}


def _rows_of_loss(loss: Loss, key: str, shape: Any, m: int, seed: int) -> list[GradientRow]:
    """Return the row of a loss: its gradient for the outputs."""
    k, name = (shape[key] if key else shape)[0], f"{loss.name} {key}".rstrip()
    try:
        rows = _decided(lambda number: loss_slopes(loss, k, m, seed, number), seed)
    except PellucidError:
        raise
    except Exception as error:
        note = f"For outputs of shape {(m, k)}, expected a result, got {type(error).__name__}: {error}."
        return [GradientRow(LOSS, name, "", (), math.nan, 0.0, False, note)]
    return [replace(row, name=name) for row in rows]


def _hint(model: Model, rows: list[GradientRow]) -> str:
    """Return where to look: a layer's own gradient, or what the first correct layer after wrong ones returns."""
    wrong = [i for i, row in enumerate(rows) if not row.is_ok]
    if not wrong:
        return ""
    names = [leaf.name for leaf in model._leaves()]
    bad = list(dict.fromkeys(rows[i].layer for i in wrong))
    is_chain = not any(child.children() for child in model.children())
    if is_chain and wrong == list(range(len(wrong))):  # all up to a place: the flow back to it is wrong
        first = names.index(bad[-1]) + 1 if bad[-1] in names else 0
        trained = [i for i in range(first, len(names)) if names[i] in {row.layer for row in rows}]
        suspects = names[first : trained[0] + 1 if trained else len(names)]
        if suspects:
            last, where = rows[wrong[-1]].name, " or ".join(suspects)
            return f"Every gradient up to {last} is wrong: look at what backward returns in {where}."
    return f"Look at what backward writes to grads in {', '.join(bad)}."
