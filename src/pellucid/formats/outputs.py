"""What a file that runs by itself takes in, how that is prepared, what comes out, and how far that may be off."""

from typing import Any, NamedTuple

import numpy as np

from pellucid.data.input_spec import InputsSeen, as_seen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import check_takes_images
from pellucid.data.readers.table_schema import Column
from pellucid.data.stored.base import BYTE
from pellucid.errors import DataError, PellucidError, ShapeError
from pellucid.nn.model import Model, numbers_of
from pellucid.ops.losses.base import Loss
from pellucid.ops.losses.regression import MeanSquaredError, Poisson
from pellucid.types import Array, Shape

TOLERANCE = 1e-5  # of probabilities; of other outputs relative to the largest
GAPS = 0.2  # of the cells of random rows
PHOTO, TABLE, ARRAYS = "photo", "table", "array"


class Output(NamedTuple):
    """An output of a network: its loss, and the names of its classes."""

    loss: Loss
    classes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What is made of it: "probabilities", "answers" to yes-or-no questions, "values" or "scores"."""
        if self.loss.kind == "regression":
            return "values"
        if not self.loss.gives_probabilities:
            return "scores"
        return "answers" if self.loss.kind == "multi_label" else "probabilities"

    @property
    def reads(self) -> dict[str, Any]:
        """How raw outputs become that: times "spread", plus "centre", or exp where it "is_rate"."""
        spread, centre = [1.0], [0.0]
        if isinstance(self.loss, MeanSquaredError) and self.loss.centre:  # outputs are standardized targets
            parts = self.loss.spread, self.loss.centre
            spread, centre = (np.atleast_1d(part).astype(float).tolist() for part in parts)
        is_rate = isinstance(self.loss, Poisson)
        return {"kind": self.kind, "spread": spread, "centre": centre, "is_rate": is_rate}


def kind_of_samples(model: Model) -> str:
    """Return what a model predicts for: "photo", "table", or "array" for all else."""
    if model._schema is not None:
        return TABLE
    shape: Any = model.input_shape
    try:
        check_takes_images(shape)
        as_seen(np.full((1, *shape), BYTE, np.uint8), model.inputs_seen, model.preprocessing, "export")
    except (DataError, ShapeError):  # of other sizes; trained on numbers that are no pixels
        return ARRAYS
    return PHOTO


def rule_of(model: Model) -> Preprocessing:
    """Return how samples are prepared; pixels that were divided before the training are divided as well."""
    rule, seen = model.preprocessing or Preprocessing(), model.inputs_seen
    if rule.kind == "none" and isinstance(seen, InputsSeen) and seen.is_divided:
        return Preprocessing("divide", float(BYTE))
    return rule


def outputs_of(model: Model) -> dict[str, Output]:
    """Return the outputs by name; "" where there is one."""
    shapes: Any = model.output_shape
    if isinstance(shapes, dict):
        losses: Any = model._loss
        named = {name: (losses.losses[name], shape[-1]) for name, shape in shapes.items()}
        return {name: Output(loss, numbers_of(loss, n_out)) for name, (loss, n_out) in named.items()}
    return {"": Output(model._loss, model.classes or numbers_of(model._loss, shapes[-1]))}


def gives(output: Output, Z: Array) -> Array:
    """Return what a file gives for raw outputs, (m, n): probabilities, expected values or scores."""
    Z = Z[:, None] if Z.ndim == 1 else Z
    if output.kind == "values":
        return output.loss.mean(Z)
    return Z if output.kind == "scores" else output.loss.probabilities(Z)


def distance(output: Output, Z: Array, theirs: Array, what: str) -> float:
    """Return how far a file's outputs are from what raw outputs of the model stand for.

    PellucidError if they have another shape. Probabilities are compared as they are; of one score both are given.
    """
    ours = gives(output, Z)
    ours = np.hstack([-ours, ours]) if output.kind == "scores" and ours.shape[1] == 1 else ours
    if theirs.shape != ours.shape:
        raise PellucidError(f"export: the {what} gives {theirs.shape}, the model {ours.shape}.")
    return relative(theirs, ours, is_probability=output.loss.gives_probabilities)


def relative(theirs: Array, ours: Array, *, is_probability: bool) -> float:
    """Return the largest difference, relative to the largest number but for probabilities."""
    return float(np.abs(theirs - ours).max()) / (
        1.0 if is_probability else max(1.0, float(np.abs(ours).max()))
    )


def check_near(found: float, what: str) -> None:
    """Raise PellucidError if a file's outputs differ by more than ``TOLERANCE``, or by NaN."""
    if not found <= TOLERANCE:
        raise PellucidError(
            f"export: the {what}'s outputs differ from the model's by {found:.2g}, more than {TOLERANCE:g}. It was "
            "not written."
        )


def random_samples(rng: np.random.Generator, shape: Shape, rule: Preprocessing) -> Array:
    """Return samples of random numbers, (m, ...), such as a rule prepares."""
    if rule.kind == "divide":
        return rng.integers(0, 256, shape, np.uint8)
    if rule.scale:
        return np.asarray(rule.middle) + np.asarray(rule.scale) * rng.standard_normal(shape)
    return rng.random(shape, np.float32)


def random_rows(model: Model, n: int) -> list[dict[str, str]]:
    """Return rows of random values for a model of a table, as they are typed; with gaps where they are filled."""
    rng, rule, schema = np.random.default_rng(0), rule_of(model), model._schema
    rows: list[dict[str, str]] = [{} for _ in range(n)]
    for column, at in zip(schema.columns, schema.slices, strict=True):
        mean, scale = (rule.middle[at.start], rule.scale[at.start]) if rule.scale else (0.0, 1.0)
        for row in rows:
            row[column.name] = _random_cell(column, mean, scale, rng)
    return rows


def _random_cell(column: Column, mean: float, scale: float, rng: np.random.Generator) -> str:
    if column.categories:
        return str(rng.choice(column.categories))
    if column.fill is not None and rng.random() < GAPS:
        return ""
    if column.kind == "boolean":
        return str(rng.choice(column.truths))
    if column.parts:
        return column.written((column.fill or 0.0) + int(rng.integers(-400, 400)))
    return repr(float(mean + scale * rng.standard_normal()))
