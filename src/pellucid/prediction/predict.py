"""What a model predicts for a data set: one pass, and everything downstream takes it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.data.stored.base import choose_rows
from pellucid.errors import DataError, OptionError, PellucidError, ShapeError
from pellucid.nn.model import Model, number_of_class, numbers_of
from pellucid.ops.activations import sigmoid_forward
from pellucid.ops.losses.base import LOSSES
from pellucid.prediction.confusion import ConfusionMatrix, confusion_matrix
from pellucid.prediction.predicted import check_scores
from pellucid.progress import CountCallback
from pellucid.stats.paired import too_few
from pellucid.text import join_some
from pellucid.types import Array, n_rows

if TYPE_CHECKING:
    from pellucid.data.copies.duplicates import Leak

PIECE = 1024  # samples between two reports of progress
RARER = 1.1  # times as many samples of the other class: below it both are taken as equally common
Compute: TypeAlias = Callable[[Model, Any, CountCallback], Array]  # of a model and its inputs: all outputs
NO_PROBABILITIES = "predictions: the model's loss gives no probabilities. Train on a cross-entropy."


def compute_here(model: Model, X: Any, progress: CountCallback) -> Array:
    """Return a model's outputs for samples, (m, ...), computed in pieces so that progress can be shown.

    Quantities as `model.predict` gives them, else what `model.decision_function` gives.
    """
    output = model.predict if model._loss.kind == "regression" else model.decision_function
    parts, m = [], n_rows(X)
    for start in range(0, m, PIECE):
        progress(start, m)
        with np.errstate(over="ignore", invalid="ignore"):  # reported by who asked, with the sample
            parts.append(output(choose_rows(X, slice(start, start + PIECE))))
    progress(m, m)
    return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model predicts for a data set, next to the truth.

    Attributes
    ----------
    kind : {"classification", "multi_label", "regression"}
    y_true, y_pred : Array
        Classification: integers (m,), in the order of ``classes``. Multi-label: 0 and 1, (m, k). Regression:
        float64 (m, n).
    scores : Array, shape (m, k), float64
        Of each class or label: the higher, the more likely. Regression: (m, 0).
    has_probabilities : bool
        Whether a score is the logit log(p / (1 - p)) of a probability p. A hinge loss gives none.
    classes : tuple of str
        The k names; numbers where the model has no names.
    leaks : tuple of Leak
        Samples that are training samples too, exactly or, of images, nearly, where the training part is known; a
        sample may have several such twins.
    trained_majority : int or None
        Classification: the class most common in the training part, where that is known.
    positive : int or None
        Of two classes the one that sensitivity is of.
    """

    kind: str
    y_true: Array
    y_pred: Array
    scores: Array
    has_probabilities: bool
    classes: tuple[str, ...]
    leaks: "tuple[Leak, ...]" = ()
    trained_majority: int | None = None
    positive: int | None = None

    def __len__(self) -> int:
        return len(self.y_true)

    def take(self, rows: Array) -> "Predictions":
        """Return those of the chosen samples, without leaks."""
        parts = {name: getattr(self, name)[rows] for name in ("y_true", "y_pred", "scores")}
        return replace(self, **parts, leaks=())

    @cached_property
    def probabilities(self) -> Array:
        """The probability of each class or label, (m, k) float64; an OptionError where the loss gives none."""
        if not self.has_probabilities:
            raise OptionError(NO_PROBABILITIES)
        return sigmoid_forward(self.scores)[0]

    @cached_property
    def losses(self) -> Array:
        """The cross-entropy of each sample, (m,): exact where a probability is rounded to 0 or 1.

        Examples
        --------
        >>> scores = np.array([[1000.0, -1000.0], [0.0, 0.0]])
        >>> found = Predictions("classification", np.array([1, 1]), np.array([0, 0]), scores, True, ("a", "b"))
        >>> found.losses.round(4).tolist()
        [1000.0, 0.6931]
        """
        if not self.has_probabilities:
            raise OptionError(NO_PROBABILITIES)
        return np.logaddexp(0, -self.scores[np.arange(len(self)), self.y_true])  # -log(sigmoid(score))

    @cached_property
    def confidences(self) -> Array:
        """The probability of each predicted class, (m,)."""
        return self.probabilities[np.arange(len(self)), self.y_pred]

    @cached_property
    def is_correct(self) -> Array:
        """Whether each sample is classified correctly, (m,) bool."""
        return self.y_true == self.y_pred

    @cached_property
    def confusion(self) -> ConfusionMatrix:
        """The confusion matrix, with accuracy, balanced accuracy and the majority-class baseline."""
        return confusion_matrix(self.y_true, self.y_pred, self.classes, self.trained_majority)

    @property
    def too_few(self) -> str:
        """That so few samples can show no model to be better than the baseline; "" where they can."""
        return too_few(len(self), int(self.is_majority.sum()), self.confusion.majority_class)

    @property
    def is_majority(self) -> Array:
        """Whether the majority-class baseline is correct on each sample, (m,) bool."""
        return self.y_true == self.confusion.majority


def predict(
    model: Model,
    data: Dataset,
    train: Dataset | None = None,
    *,
    progress: CountCallback = lambda done, total: None,
    compute: Compute = compute_here,
) -> Predictions:
    """Return what a model predicts for a data set, after checking that they fit.

    Parameters
    ----------
    model : Model
        Trained on a loss of one output: classes, labels or quantities.
    data : Dataset
        As loaded; the model prepares it. Classes are matched by name: they may be in another order than the
        model's, or fewer.
    train : Dataset, optional
        What the model was trained on: samples of ``data`` that are in it are listed as ``leaks``, and its most
        common class is the majority-class baseline's; by default the one that the model keeps of its training.
    progress : callable, optional
        Called with the number of samples done and of all.
    compute : callable, optional
        What computes the model's outputs, as :func:`compute_here` does.

    Raises
    ------
    DataError
        If the data are empty, have classes that the model does not know, or labels of another kind.
    ShapeError
        If samples or targets have another shape than those that the model was trained on.
    OptionError
        If the model has several outputs.
    PellucidError
        If the model's weights or scores are NaN or infinite.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> predict(model, Dataset(np.zeros((1, 2)), np.array([1]))).probabilities
    array([[0.5, 0.5]])
    """
    if len(data) == 0:
        raise DataError("evaluate: expected at least one sample, got none. Is this part of the data empty?")
    if not isinstance(data.y, dict) and len(data.y) != len(data):
        raise ShapeError(f"evaluate: got {len(data)} samples with {len(data.y)} labels. Pass one for each.")
    if model._loss.kind == "joint":
        raise OptionError(
            "evaluate: the model has several outputs with a loss each, and there is no one score for them. Take "
            "model.predict and compare each output with its targets."
        )
    leaks: tuple[Leak, ...] = ()
    if train is not None:
        from pellucid.data.copies.duplicates import find_leaks  # here, since `pellucid predict` never asks

        leaks = tuple(find_leaks(train.X, data.X))
    kind = model._loss.kind
    y = _labels_of(model, data) if kind == "classification" else data.y  # refused before anything is computed
    check_weights("evaluate", model)
    with dispatch.use_for(float(len(data)) * model._n_operations):
        Z = compute(model, data.X, progress)
    check_scores("evaluate", Z, range(len(Z)))
    found = (_regression if kind == "regression" else _classes)(model, data, y, Z.astype(np.float64))
    if kind != "classification":
        return replace(found, leaks=leaks)
    majority = majority_in_training(model, train, y)
    return replace(found, leaks=leaks, trained_majority=majority, positive=positive_class(model, train))


def majority_in_training(model: Model, train: Dataset | None = None, y: Any = ()) -> int | None:
    """Return the most common class of the training part, given or as the model keeps it; None where it is unknown.

    Of equally common ones it is the one more common in ``y``: the better of two baselines.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> model = preset("logistic")
    >>> history = train(model, (np.zeros((3, 2)), np.array([0, 1, 1])), n_epochs=1)
    >>> majority_in_training(model), majority_in_training(preset("logistic"))
    (1, None)
    """
    counts = _class_counts(model, train)
    if not 0 < len(counts) <= max(2, model.output_shape[-1]):
        return None
    return int(max(np.flatnonzero(counts == np.max(counts)), key=lambda c: np.count_nonzero(np.equal(y, c))))


def positive_class(model: Model, train: Dataset | None = None) -> int | None:
    """Return which of two classes sensitivity is of: as the training was asked, the clearly rarer, or the second.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> model, data = preset("logistic"), (np.zeros((3, 2)), np.array([0, 1, 1]))
    >>> history = train(model, data, n_epochs=1)
    >>> positive_class(model)
    0
    >>> history = train(model, data, n_epochs=1, positive="1")
    >>> positive_class(model)
    1
    """
    if len(numbers_of(model._loss, model.output_shape[-1])) != 2:
        return None
    if (named := model._summary_of_training.get("positive")) is not None:
        return number_of_class(model, named, () if train is None else train.classes)
    counts = _class_counts(model, train)
    return 0 if len(counts) == 2 and RARER * counts[0] < counts[1] else 1


def _class_counts(model: Model, train: Dataset | None) -> Any:
    """Return how often each class is in the training part, given or as the model keeps it; empty where unknown."""
    if train is not None and len(train):
        return np.bincount(_labels_of(model, train), minlength=2)
    return model._summary_of_training.get("class_counts", ())


def _classes(model: Model, data: Dataset, y: Array, Z: Array) -> Predictions:
    names = _class_names(model, data)
    if model._loss.kind == "multi_label":
        Z = Z.reshape(len(Z), -1)
        y = _indicators_of(y, Z.shape[1], names, data)
        return Predictions("multi_label", y, (Z > 0).astype(np.int64), Z, True, names)
    has_probabilities = model.loss in LOSSES and LOSSES[model.loss].gives_probabilities
    scores = np.stack([-Z, Z], axis=1) if Z.ndim == 1 else log_odds(Z) if has_probabilities else Z
    y_pred = (Z > 0).astype(np.int64) if Z.ndim == 1 else Z.argmax(axis=1)
    return Predictions("classification", y, y_pred, scores, has_probabilities, names)


def check_weights(where: str, model: Model) -> None:
    """Raise PellucidError if any of a model's weights is NaN or infinite."""
    n_bad = model.theta.size - int(np.isfinite(model.theta).sum())
    if n_bad:
        raise PellucidError(
            f"{where}: {n_bad} of the model's {model.theta.size} weights are NaN or infinite: its scores are "
            "meaningless. Its training diverged; train it again with a smaller learning rate."
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
    others = E.sum(axis=1, keepdims=True) - E  # at least 1, but for the best class
    others[rows, best] = 1
    logits: Array = S - np.log(others)
    S[rows, best] = -np.inf
    second = S.max(axis=1)
    logits[rows, best] = -second - np.log(np.exp(S - second[:, np.newaxis]).sum(axis=1))
    return logits


def _regression(model: Model, data: Dataset, y: Array, predicted: Array) -> Predictions:
    m = len(y)
    y_pred, y_true = predicted.reshape(m, -1), y.reshape(m, -1).astype(np.float64)
    if y_pred.shape != y_true.shape:
        raise ShapeError(
            f"evaluate: the model predicts {y_pred.shape[1]} quantities a sample, the data have {y_true.shape[1]}. "
            "Use data with the targets that it was trained on."
        )
    return Predictions("regression", y_true, y_pred, np.empty((m, 0)), False, ())


def _class_names(model: Model, data: Dataset) -> tuple[str, ...]:
    """Return the model's class names, else the data's, else numbers."""
    numbers = numbers_of(model._loss, model.output_shape[-1])
    return next((names for names in (model.classes, data.classes) if len(names) == len(numbers)), numbers)


def _labels_of(model: Model, data: Dataset) -> Array:
    """Return the labels as indices into the model's classes."""
    y = data.y
    if y.ndim != 1 or y.dtype.kind not in "bui":
        raise DataError(
            f"evaluate: the model is a classifier, the data have {_what_of(y)}. Use data with one class a sample."
        )
    names = model.classes
    if names and data.classes and tuple(data.classes) != tuple(names):
        _check_known(names, data.classes)
        return np.array([names.index(name) for name in data.classes])[y]
    known = _class_names(model, data)
    if len(y) and (int(y.min()) < 0 or int(y.max()) >= len(known)):
        raise DataError(
            f"evaluate: the model knows {len(known)} classes, labels 0 to {len(known) - 1}, the data have labels "
            f"from {y.min()} to {y.max()}. Use data of the same classes."
        )
    return y.astype(np.int64)


def _check_known(names: tuple[str, ...], given: tuple[str, ...]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise DataError(
            f"evaluate: the model knows the classes {join_some(names)}, the data have {join_some(given)}: "
            f"{join_some(unknown)} cannot be predicted. Use data of the same classes."
        )


def _indicators_of(y: Array, k: int, names: tuple[str, ...], data: Dataset) -> Array:
    """Return several labels a sample as 0 and 1, in the order of the model\'s names."""
    if y.ndim != 2 or y.shape[1] != k or not ((y == 0) | (y == 1)).all():
        raise DataError(
            f"evaluate: the model predicts {k} labels a sample ({join_some(names)}), the data have {_what_of(y)}. "
            "Use data with a column of 0 and 1 for each."
        )
    if not data.classes or tuple(data.classes) == names:
        return y.astype(np.int64)
    _check_known(names, data.classes)
    return y[:, [data.classes.index(name) for name in names]].astype(np.int64)


def _what_of(y: Array) -> str:
    if y.ndim == 2:
        return f"{y.shape[1]} labels or quantities a sample"
    return "quantities" if y.dtype.kind == "f" else "one class a sample"
