"""The objective of an estimator: scikit-learn's names and scales for pellucid's losses."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from scipy.special import xlogy

from pellucid.errors import OptionError, unknown_name
from pellucid.ops.losses.base import LOSSES, Loss
from pellucid.ops.losses.cross_entropy import BinaryCrossEntropy
from pellucid.ops.losses.multi_label import MultiLabel
from pellucid.ops.losses.regression import MeanSquaredError, Poisson
from pellucid.registry import options_of
from pellucid.types import Array

_LOG_LOSSES = {
    "binary": "binary_cross_entropy",
    "multiclass": "categorical_cross_entropy",
    "multilabel": "multi_label",
}
_OF_SKLEARN = {"squared_error": "mean_squared_error", "absolute_error": "mean_absolute_error"}


def classifier_losses() -> tuple[str, ...]:
    """Return the names of the losses that a classifier takes."""
    return ("log_loss", *(name for name, loss in LOSSES.items() if loss.kind != "regression"))


def regressor_losses() -> tuple[str, ...]:
    """Return the names of the losses that a regressor takes: scikit-learn's and pellucid's."""
    return (*_OF_SKLEARN, *(name for name, loss in LOSSES.items() if loss.kind == "regression"))


class Objective(NamedTuple):
    """A loss as an estimator uses it.

    Attributes
    ----------
    loss : Loss
        What is minimized.
    stored : Loss
        The closest loss that a model's file can name.
    out_activation : {"softmax", "logistic", "identity", "exp"}
        From raw outputs to predictions, by scikit-learn's names.
    factor : float
        Factor of the minimized loss in reports.
    """

    loss: Loss
    stored: Loss
    out_activation: str
    factor: float = 1.0


def split_options(loss: str | Mapping[str, Any] | Loss) -> tuple[str, dict[str, Any]]:
    """Return a loss's name and its options, from a name, ``{"type": name, **options}`` or a registered Loss.

    Examples
    --------
    >>> split_options({"type": "huber", "delta": 2.0})
    ('huber', {'delta': 2.0})
    """
    if isinstance(loss, Loss):
        return loss.name, loss._changed_options()
    return LOSSES.split(loss)


def objective_of(loss: Any, kind: str, detail: float) -> Objective:
    """Return what an estimator minimizes.

    Parameters
    ----------
    loss : str, dict or Loss
    kind : {"binary", "multiclass", "multilabel", "regression"}
    detail : float
        A classifier's label smoothing; a regressor's number of outputs.

    Raises
    ------
    OptionError
        If the loss does not suit the targets.
    """
    objective = _named_objective if isinstance(loss, str) else _objective
    return objective(loss, kind, detail)


def _objective(loss: Any, kind: str, detail: float) -> Objective:
    if kind == "regression":
        return regressor_objective(loss, int(detail))
    return classifier_objective(loss, kind, detail)


_named_objective = lru_cache(maxsize=32)(_objective)  # made once, since predictions use it too


def classifier_objective(loss: Any, kind: str, label_smoothing: float) -> Objective:
    """Return what a classifier minimizes.

    Parameters
    ----------
    loss : str, dict or Loss
        One of ``classifier_losses()``, ``{"type": name, **options}``, or such as ``Focal(gamma=1)``.
    kind : {"binary", "multiclass", "multilabel"}
    label_smoothing : float
        The fraction by which targets are moved towards uniform ones; for cross-entropies only.

    Examples
    --------
    >>> classifier_objective("log_loss", "multiclass", 0.1).loss
    CategoricalCrossEntropy(label_smoothing=0.1)
    """
    name, options = split_options(loss)
    custom = loss if isinstance(loss, Loss) and not loss._registered_as else None
    if custom is None and name not in (known := classifier_losses()):
        raise OptionError(unknown_name("loss", name, known))
    out = "softmax" if kind == "multiclass" else "logistic"
    if name != "log_loss" and name not in _LOG_LOSSES.values():  # focal, hinge, or a custom loss
        made = custom or LOSSES.make(name, **options)
        if made.kind == "regression" or (kind == "multilabel") != (made.kind == "multi_label"):
            what = "several labels for each sample" if kind == "multilabel" else f"{kind} targets"
            raise OptionError(f"loss: {name} cannot be used with {what}. Use 'log_loss'.")
        if label_smoothing:
            raise OptionError(f"loss: {name} cannot be used with label_smoothing. Use 'log_loss'.")
        return Objective(made, made, out if made.gives_probabilities else "identity")
    if name not in ("log_loss", _LOG_LOSSES[kind]):
        raise OptionError(f"loss: {name} does not suit {kind} targets. Use 'log_loss'.")
    if label_smoothing:
        options = {**options, "label_smoothing": label_smoothing}
    stored = LOSSES.make(_LOG_LOSSES[kind], **options)
    if kind == "multilabel" and name == "log_loss" and not set(options) - {"label_smoothing"}:
        return Objective(SummedLogLoss(label_smoothing), stored, out)
    return Objective(stored, stored, out)


def regressor_objective(loss: Any, n_outputs: int) -> Objective:
    """Return what a regressor minimizes.

    Parameters
    ----------
    loss : str, dict or Loss
        One of ``regressor_losses()``, ``{"type": name, **options}``, or such as ``Huber(delta=2)``. "squared_error"
        is half the square and "poisson" half the deviance, both summed over the outputs, as in scikit-learn;
        the former is reported as the mean over outputs, as scikit-learn reports it. The others are pellucid's.
    n_outputs : int

    Examples
    --------
    >>> regressor_objective("absolute_error", 1).loss
    MeanAbsoluteError()
    """
    if isinstance(loss, Loss) and not loss._registered_as and loss.kind == "regression":
        return Objective(loss, loss, "identity")
    name, options = split_options(loss)
    if name not in (known := regressor_losses()):
        raise OptionError(unknown_name("loss", name, known))
    made = LOSSES.make(_OF_SKLEARN.get(name, name), **options)
    if name == "squared_error":
        return Objective(HalfSquaredError(), made, "identity", 1 / n_outputs)
    if name == "poisson":
        return Objective(HalfPoissonDeviance(), made, "exp")
    return Objective(made, made, "identity")


def takes_label_smoothing(loss: Any) -> bool:
    """Return whether a classifier's loss has an option for label smoothing, and does not set it.

    Examples
    --------
    >>> takes_label_smoothing("log_loss"), takes_label_smoothing("hinge")
    (True, False)
    """
    name, options = split_options(loss)
    takes_it = name == "log_loss" or (name in LOSSES and "label_smoothing" in options_of(LOSSES[name]))
    return takes_it and "label_smoothing" not in options


@dataclass
class SummedLogLoss(BinaryCrossEntropy):
    """The cross-entropy of several labels per sample, summed over the labels, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> round(SummedLogLoss().forward(np.zeros((1, 2)), np.array([[0.0, 1.0]]))[0], 4)
    1.3863
    """

    kind = "multi_label"

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return a matrix of 0 and 1, (m, n_out), as targets."""
        return MultiLabel().encode(y, n_out, dtype)

    def probabilities(self, Z: Array) -> Array:
        """Return the probability of 1 for each output, (m, k)."""
        return MultiLabel().probabilities(Z)


@dataclass
class HalfSquaredError(MeanSquaredError):
    """Half the squared error, summed over the outputs, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> HalfSquaredError().forward(np.array([[3.0]]), np.array([[1.0]]))[0]
    2.0
    """

    averages_outputs = False

    def scale(self, m: int, n_out: int, dtype: Any, **options: Any) -> float | Array:
        """Return half the factor of the squared error, summed over the outputs."""
        return super().scale(m, n_out, dtype, **options) * 0.5


@dataclass
class HalfPoissonDeviance(Poisson):
    """Half the Poisson deviance, Y log(Y / exp(Z)) - Y + exp(Z), summed over the outputs, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> HalfPoissonDeviance().forward(np.zeros((1, 1)), np.ones((1, 1)))[0]
    0.0
    """

    @property
    def name(self) -> str:
        """The name used in messages."""
        return "poisson"

    def forward(
        self, Z: Array, Y: Array, *, weights: Array | None = None, normalizer: float | None = None
    ) -> tuple[float, Any]:
        """Return the loss, and the cache from which ``backward`` computes the gradient."""
        total = _total(len(Z), weights, normalizer)
        loss, cache = super().forward(Z, Y, weights=weights, normalizer=total / Z.shape[1])
        rest = (xlogy(Y, Y) - Y).sum(axis=1)
        return loss + float(rest.sum() if weights is None else rest @ weights) / total, cache


def _total(m: int, weights: Any, normalizer: float | None) -> float:
    if normalizer is None:
        normalizer = m if weights is None else float(weights.sum())
    return normalizer or 1.0
