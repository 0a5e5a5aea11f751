"""What a file that runs by itself is told of a model: what it takes in, how it is prepared, what comes out."""

from typing import Any, NamedTuple

import numpy as np

from pellucid.data.input_spec import InputsSeen, as_seen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import check_takes_images
from pellucid.data.stored.survey import BYTE
from pellucid.errors import DataError, ShapeError
from pellucid.nn.model import Model
from pellucid.ops.losses.base import Loss
from pellucid.types import Shape

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
        return {name: _output(losses.losses[name], shape, ()) for name, shape in shapes.items()}
    return {"": _output(model._loss, shapes, model.classes)}


def _output(loss: Loss, shape: Shape, classes: tuple[str, ...]) -> Output:
    n_out = shape[-1]
    n = 2 if n_out == 1 and loss.kind == "classification" else n_out
    return Output(loss, classes or tuple(str(i) for i in range(n)))
