"""What a model answers to a data set, and whether the two fit together at all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import DataError, OptionError, PellucidError, ShapeError
from pellucid.nn.model import Model
from pellucid.ops.losses.table import LOSSES
from pellucid.progress import CountCallback
from pellucid.text import join_some
from pellucid.types import Array, take_rows

PIECE = 1024  # samples between two reports of progress


@dataclass(frozen=True, eq=False)
class Outputs:
    """A model's answers beside the truth.

    Attributes
    ----------
    kind : {"classification", "multi_label", "regression"}
    y, predicted : Array
        Classes: integers (m,), in the order of ``classes``. Several labels: 0 and 1, (m, k). Quantities: (m, n).
    scores : Array, shape (m, k), float64
        What each class or label got: more is more of it. For quantities, (m, 0).
    is_log_odds : bool
        Whether a score is log(p / (1 - p)) of a probability p. A hinge loss gives none.
    classes : tuple of str
        The k names; numbers where the model has no names.
    """

    kind: str
    y: Array
    predicted: Array
    scores: Array
    is_log_odds: bool
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Array) -> "Outputs":
        """Return those of the chosen samples."""
        return Outputs(
            self.kind,
            self.y[rows],
            self.predicted[rows],
            self.scores[rows],
            self.is_log_odds,
            self.classes,
        )


def read_outputs(
    model: Model, data: Dataset, *, progress: CountCallback = lambda done, total: None
) -> Outputs:
    """Return what a model answers to a data set, after checking that they fit.

    Parameters
    ----------
    model : Model
        Trained on a loss of one output: classes, labels or quantities.
    data : Dataset
        As loaded; the model prepares it. Its classes may stand in another order than the model's, or be fewer.
    tell : callable, optional
        Told how many samples are done, and of how many.

    Raises
    ------
    DataError
        If the data is empty, has classes that the model does not know, or labels of another kind.
    ShapeError
        If samples or targets have another shape than those that the model was trained on.
    PellucidError
        If the model's weights or scores are not numbers.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> read_outputs(model, Dataset(np.zeros((1, 2)), np.array([1]))).scores
    array([[-0.,  0.]])
    """
    if len(data) == 0:
        raise DataError("evaluate: expected at least one sample, got none. Is this part of the data empty?")
    if not isinstance(data.y, dict) and len(data.y) != len(data):
        raise ShapeError(f"evaluate: {len(data)} samples came with {len(data.y)} labels. Pass one for each.")
    kind = model.loss_kind
    if kind == "joint":
        raise OptionError(
            "evaluate: the model has several outputs with a loss each, and there is no one score for them. Take "
            "model.predict and compare each output with its targets."
        )
    y = _labels(model, data) if kind == "classification" else data.y
    if kind == "regression":
        return _quantities(y, _answers(model, data, model.predict, progress))
    Z = _answers(model, data, model.decision_function, progress)
    names = _names(model, data)
    if kind == "multi_label":
        Z = Z.reshape(len(Z), -1)
        truth = _yes_or_no(y, Z.shape[1], names, data)
        return Outputs(kind, truth, (Z > 0).astype(np.int64), Z, True, names)
    has_probabilities = model.loss in LOSSES and LOSSES[model.loss].probabilities is not None
    scores = np.stack([-Z, Z], axis=1) if Z.ndim == 1 else log_odds(Z) if has_probabilities else Z
    predicted = (Z > 0).astype(np.int64) if Z.ndim == 1 else Z.argmax(axis=1)
    return Outputs(kind, y, predicted, scores, has_probabilities, names)


def check_weights(where: str, model: Model) -> None:
    """Raise PellucidError unless all of a model's weights are numbers."""
    n_bad = model.theta.size - int(np.isfinite(model.theta).sum())
    if n_bad:
        raise PellucidError(
            f"{where}: {n_bad} of the model's {model.theta.size} weights are NaN or infinite, so that its scores "
            "say nothing. Its training went astray; train it anew with a smaller learning rate."
        )


def log_odds(Z: Array) -> Array:
    """Return log(p / (1 - p)) of the softmax of each row, float64: in the order of p, and never rounded to 1.

    Parameters
    ----------
    Z : Array, shape (m, k), k at least 2

    Examples
    --------
    >>> log_odds(np.array([[2.0, 0.0], [1000.0, 0.0]]))
    array([[    2.,    -2.],
           [ 1000., -1000.]])
    """
    Z = Z.astype(np.float64)
    rows, best = np.arange(len(Z)), Z.argmax(axis=1)
    S = Z - Z[rows, best][:, np.newaxis]
    E = np.exp(S)
    others = E.copy()
    others[rows, best] = 0
    rest = S.copy()
    rest[rows, best] = -np.inf
    second = rest.max(axis=1)
    of_best = -second - np.log(np.exp(rest - second[:, np.newaxis]).sum(axis=1))
    without = E.sum(axis=1, keepdims=True) - E  # at least 1 but for the best, which is set beside it
    without[rows, best] = 1
    odds: Array = S - np.log(without)
    odds[rows, best] = of_best
    return odds


def _answers(model: Model, data: Dataset, ask: Callable[[Any], Any], progress: CountCallback) -> Array:
    """Return the model's finite answers, float64, asked for piece by piece so that progress can be told."""
    check_weights("evaluate", model)
    parts, m = [], len(data)
    for start in range(0, m, PIECE):
        progress(start, m)
        with np.errstate(over="ignore", invalid="ignore"):  # told below, with the sample
            parts.append(ask(take_rows(data.X, slice(start, start + PIECE))))
    progress(m, m)
    Z = np.concatenate(parts)
    _refuse_bad(~np.isfinite(Z.reshape(m, -1)).all(axis=1))
    return Z.astype(np.float64)


def _refuse_bad(is_bad: Array) -> None:
    if is_bad.any():
        raise PellucidError(
            f"evaluate: the model's scores of {is_bad.sum()} of {len(is_bad)} samples are NaN or infinite, "
            f"the first those of sample {int(is_bad.argmax())} (counted from 0). Look at it, or train in float64."
        )


def _quantities(y: Array, predicted: Array) -> Outputs:
    m = len(y)
    predicted, truth = predicted.reshape(m, -1), y.reshape(m, -1).astype(np.float64)
    if predicted.shape != truth.shape:
        raise ShapeError(
            f"evaluate: the model gives {predicted.shape[1]} quantities a sample, the data has {truth.shape[1]}. "
            "Use data with the targets that it was trained on."
        )
    return Outputs("regression", truth, predicted, np.empty((m, 0)), False, ())


def _names(model: Model, data: Dataset) -> tuple[str, ...]:
    k = max(2, model.output_shape[-1]) if model.loss_kind == "classification" else model.output_shape[-1]
    numbers = tuple(str(label) for label in range(k))
    return next((names for names in (model.classes, data.classes) if len(names) == k), numbers)


def _labels(model: Model, data: Dataset) -> Array:
    """Return the labels as indices into the model's classes."""
    y = data.y
    if y.ndim != 1 or y.dtype.kind not in "bui":
        raise DataError(
            f"evaluate: the model tells classes apart, and the data has {_what_of(y)}. Use data with one class for "
            "each sample."
        )
    names = model.classes
    if names and data.classes and tuple(data.classes) != tuple(names):
        _check_known(names, data.classes)
        places: Array = np.array([names.index(name) for name in data.classes])[y]
        return places
    known = _names(model, data)
    if len(y) and (int(y.min()) < 0 or int(y.max()) >= len(known)):
        raise DataError(
            f"evaluate: the model knows {len(known)} classes, labels 0 to {len(known) - 1}, the data has labels "
            f"from {y.min()} to {y.max()}. Use data of the same classes."
        )
    return y.astype(np.int64)


def _check_known(names: tuple[str, ...], given: tuple[str, ...]) -> None:
    strange = [name for name in given if name not in names]
    if strange:
        raise DataError(
            f"evaluate: the model knows the classes {join_some(names)}, the data has {join_some(given)}; of "
            f"{join_some(strange)} "
            "it cannot say anything. Use data of the same classes."
        )


def _yes_or_no(y: Array, k: int, names: tuple[str, ...], data: Dataset) -> Array:
    if y.ndim != 2 or y.shape[1] != k or not ((y == 0) | (y == 1)).all():
        raise DataError(
            f"evaluate: the model answers {k} yes-or-no questions a sample ({join_some(names)}), the data has "
            f"{_what_of(y)}. Use data with a column of 0 and 1 for each."
        )
    if not data.classes or tuple(data.classes) == names:
        return y.astype(np.int64)
    _check_known(names, data.classes)
    return y[:, [data.classes.index(name) for name in names]].astype(np.int64)


def _what_of(y: Array) -> str:
    if y.ndim == 2:
        return f"{y.shape[1]} labels or quantities a sample"
    return "quantities" if y.dtype.kind == "f" else "one class a sample"
