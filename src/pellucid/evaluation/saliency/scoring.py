"""The one number that a map explains: the logit of a class, or of the other of two."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import image_to_input, read_original_and_sample, shown_part
from pellucid.errors import DataError, OptionError, ShapeError, unknown_name
from pellucid.nn.hooks import input_gradient
from pellucid.nn.model import Model, check_trained
from pellucid.text import kind_of
from pellucid.types import Array, is_image_shape

ROWS = 32  # samples at a time: large enough for speed, small enough to keep buffers small


@dataclass(frozen=True, eq=False)
class Target:
    """What a map explains.

    Attributes
    ----------
    index : int
        The class; of several labels or of a regression, the output.
    name : str
    weights : Array, shape (n_out,)
        The score is the outputs times these: +1 for the class's own logit. One logit speaks for the second of two
        classes, so that its weight is -1 where the first is meant.
    """

    index: int
    name: str
    weights: Array


class Scorer:
    """A model as a function of prepared images that returns one number each.

    Parameters
    ----------
    model : Model
        Initialized, with one image as input and outputs of shape (n_out,). Its parameters stay as they are.
    weights : Array, shape (n_out,)
        See :class:`Target`.
    """

    def __init__(self, model: Model, weights: Array) -> None:
        self.model, self.weights = model, weights.astype(model.dtype)
        self._last: tuple[Array, Array] | None = None

    def scores(self, X: Array) -> Array:
        """Return the score of each prepared image, shape (m,)."""
        rows = self._rows(X)
        parts = [self.model._raw_outputs(X[i : i + rows]) @ self.weights for i in range(0, len(X), rows)]
        return np.concatenate(parts)

    def gradients(self, X: Array) -> tuple[Array, Array]:
        """Return the score of each prepared image, (m,), and its gradient for the pixels, (m, *input_shape)."""
        scores, gradients, rows = np.empty(len(X), X.dtype), np.empty_like(X), self._rows(X)
        for i in range(0, len(X), rows):
            outputs, gradients[i : i + rows] = input_gradient(self.model, X[i : i + rows], self.weights)
            scores[i : i + rows] = outputs @ self.weights
        return scores, gradients

    def _rows(self, X: Array) -> int:
        """Return how many go through at a time; a backward takes as much memory as the forward before it."""
        return min(ROWS, max(1, self.model._rows_a_piece(X) // 2))

    def gradient(self, x: Array) -> Array:
        """Return the gradient of one image's score for its pixels, computed once: several methods ask for it."""
        if self._last is None or self._last[0] is not x:
            self._last = x, self.gradients(x[None])[1][0]
        return self._last[1]


def check_takes_image(model: Model) -> None:
    """Raise ShapeError unless a model takes one image and gives a row of numbers."""
    check_trained("saliency", model)
    shape: Any = model.input_shape  # of several inputs or outputs a dictionary
    outputs: Any = model.output_shape
    if not is_image_shape(shape) or isinstance(outputs, dict) or len(outputs) != 1:
        raise ShapeError(
            "saliency: expected a model that takes one image, (height, width, channels), and gives (n_out,) "
            f"numbers, got one from {shape} to {outputs}. Only images have saliency maps."
        )


def read_photo(where: str, model: Model, image: str | Path | bytes | Array) -> tuple[Array, Array]:
    """Return a photo as a viewer shows it, and the very pixels that the model is given.

    Parameters
    ----------
    where : str
        For messages.
    model : Model
        Trained on images.
    image : str, Path, bytes or Array
        A file of any size and kind, or its content; or an array, (H, W, 3) of uint8, or one sample of the model's
        input shape.

    Raises
    ------
    DataError
        If it is none of these, or the file cannot be read.
    ShapeError
        If the model does not take images, or the array is none.
    """
    check_takes_image(model)
    if not isinstance(image, str | Path | bytes | np.ndarray):
        raise DataError(
            f"{where}: expected one image, as a file or an array, got {kind_of(image)}. Try data.X[0] of a Dataset."
        )
    shape = model.input_shape
    if not isinstance(image, np.ndarray):
        return read_original_and_sample(image, shape, white_seen(model.inputs_seen))
    if image.shape == shape:
        return (image[..., None] if image.ndim == 2 else image), image
    fit = white_seen(model.inputs_seen).fit
    sample = image_to_input(image, shape, fit)
    return shown_part(image, shape, fit), sample


def prepared_image(model: Model, image: Array) -> Array:
    """Return an image as the model's first layer takes it, shape input_shape; ShapeError if it is none."""
    check_takes_image(model)
    shape = model.input_shape
    if image.shape != shape:
        raise ShapeError(
            f"saliency: expected an image of shape {shape}, as the model takes, got {image.shape}. "
            "pellucid.data.readers.images.image_to_input resizes one."
        )
    rule = model.preprocessing or Preprocessing()
    return rule.apply(image[None], model.dtype)[0]


def target_of(model: Model, outputs: Array, target: int | str | None = None) -> Target:
    """Return what is to be explained: a class by number or name, or by default the prediction.

    Parameters
    ----------
    model : Model
    outputs : Array, shape (n_out,)
        Of the model for the image.
    target : int or str, optional
        Default: the predicted class; of several labels the most probable one; of a regression the first output.

    Raises
    ------
    OptionError
        If there is no such class; the nearest is named.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2, 2, 3))
    >>> model.classes = ("non-cat", "cat")
    >>> target_of(model, np.zeros(1), "non-cat")
    Target(index=0, name='non-cat', weights=array([-1.]))
    """
    n_out = model.output_shape[0]
    is_pair = n_out == 1 and model._loss.kind == "classification"
    n = 2 if is_pair else n_out
    names = model.classes if len(model.classes) == n else tuple(str(i) for i in range(n))
    if target is None:
        index = int(outputs[0] > 0) if is_pair else int(outputs.argmax())
        if model._loss.kind == "regression":
            index = 0
    elif isinstance(target, str):
        if target not in names:
            raise OptionError(unknown_name("class", target, names))
        index = names.index(target)
    else:
        index = int(target)
        if not 0 <= index < n:
            raise OptionError(f"saliency: expected a class from 0 to {n - 1}, got {target}.")
    weights = np.zeros(n_out)
    weights[0 if is_pair else index] = -1.0 if is_pair and index == 0 else 1.0
    return Target(index, names[index], weights)
