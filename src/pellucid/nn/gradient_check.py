"""Check a model's gradients: each is compared with the slope of the loss along random directions."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.nn.gradient_point import (
    TOLERANCE,
    UNDECIDED,
    GradientRow,
    Point,
    make_output_function,
    moved_copy,
)
from pellucid.nn.model import Model
from pellucid.rng import stream
from pellucid.text_blocks import Block, Printable

N_POINTS = 3  # other points tried at most where a kink is too close
UNREPEATABLE = (
    "The loss of the same samples differs each time. A layer that draws random numbers needs a method "
    "set_step_rng(generator), which is called before each step, and must draw from that generator."
)


@dataclass(frozen=True, repr=False)
class GradientCheck(Printable):
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
        Where to look if one is wrong, as far as the pattern of wrong ones shows.
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

    def blocks(self) -> list[Block]:
        """Return a table of every gradient, and whether all are right, for a terminal or a notebook."""
        header = ("parameter", "relative error", "", "note")
        rows = [(r.name, f"{r.error:.1e}", "ok" if r.is_ok else "WRONG", r.note) for r in self.rows]
        outcome = "Every gradient is right." if self.is_ok else "A gradient is WRONG."
        return [(header, rows), outcome, *([self.hint] if self.hint else [])]

    def __repr__(self) -> str:
        n_wrong = sum(not row.is_ok for row in self.rows)
        return f"GradientCheck({len(self.rows)} gradients of {self.loss}: {n_wrong or 'none'} wrong)"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary; an error that is NaN or infinite is None."""
        rows = [asdict(row) | {"error": row.error if math.isfinite(row.error) else None} for row in self.rows]
        return asdict(self) | {"is_ok": self.is_ok, "rows": rows}


def check_gradients(
    model: Model,
    input_shape: Any = None,
    *,
    loss: Any = None,
    n_samples: int = 4,
    seed: int = 1,
) -> GradientCheck:
    """Compare every gradient of a model's structure with numerical ones, at random weights, in float64.

    Parameters
    ----------
    model : Model
        Not changed: a copy is initialized.
    input_shape : tuple of int or mapping of str to tuple, optional
        Default: the model's own.
    loss : str, dict or Loss, optional
        Default: the model's, where it suits the outputs. Outputs that no loss takes (images, or several by
        name) are summed with random weights instead.
    n_samples : int, optional
        Random samples; BatchNorm sees them as its batch.
    seed : int, optional
        Random seed of weights, samples, targets, directions and what Dropout drops.

    Raises
    ------
    OptionError, ShapeError
        If a shape is unknown or does not fit, or there is no such loss.

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
    (True, ['input', 'dense_1.W', 'dense_1.b', 'dense_2.W', 'dense_2.b'])
    """
    if n_samples < 1:
        raise OptionError(f"check: expected n_samples of 1 or more, got {n_samples}.")
    shape = model.input_shape if input_shape is None else input_shape
    if not shape:
        raise OptionError("check: the shape of the input is not known. Give one, such as (64, 64, 3).")
    rows: dict[str, GradientRow] = {}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for number in range(N_POINTS):
            twin = moved_copy(model, shape, seed, number)
            objective = make_output_function(twin, loss, n_samples, stream(seed, "targets"))
            point = Point(twin, objective, n_samples, seed, number)
            done = {name for name, row in rows.items() if row.note != UNDECIDED}
            rows |= {row.name: row for row in point.rows(stream(seed, "directions", number), done)}
            if all(row.note != UNDECIDED for row in rows.values()):
                break
        found = tuple(rows.values())
        hint = _hint(twin, found) if point.is_repeatable else UNREPEATABLE
    return GradientCheck(found, objective.name, n_samples, seed, hint=hint)


def _hint(model: Model, rows: tuple[GradientRow, ...]) -> str:
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
