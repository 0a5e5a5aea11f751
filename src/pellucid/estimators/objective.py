"""What an estimator minimizes: scikit-learn's names and scales for pellucid's losses."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

from scipy.special import xlogy

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.model import Model
from pellucid.ops.losses.binary import binary_cross_entropy_backward, binary_cross_entropy_forward
from pellucid.ops.losses.multi_label import sigmoid_probabilities
from pellucid.ops.losses.table import LOSSES, Loss, get_loss
from pellucid.ops.losses.targets import encode_multi_label
from pellucid.types import Array

CLASSIFIER_LOSSES = (
    "log_loss",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "focal",
    "hinge",
    "multi_label",
)
REGRESSOR_LOSSES = (
    "squared_error",
    "poisson",
    "absolute_error",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
)
_LOG_LOSSES = {
    "binary": "binary_cross_entropy",
    "multiclass": "categorical_cross_entropy",
    "multilabel": "multi_label",
}


class Objective(NamedTuple):
    """A loss as an estimator uses it.

    Attributes
    ----------
    name, options :
        The nearest loss of :data:`pellucid.ops.losses.table.LOSSES`, which a model's file can name.
    loss : Loss or None
        The loss itself, where it is not just that one.
    out_activation : {"softmax", "logistic", "identity", "exp"}
        From raw outputs to predictions, in scikit-learn's words.
    share : float
        What the minimized loss is multiplied by in reports.
    """

    name: str
    options: Mapping[str, Any]
    loss: Loss | None
    out_activation: str
    share: float = 1.0

    def give_to(self, model: Model) -> None:
        """Make a model minimize it."""
        if self.loss is None:
            model.set_loss(self.name, **self.options)
        else:
            model.set_loss(self.loss)

    @property
    def rule(self) -> Loss:
        """The loss, for its probabilities and its mean."""
        return get_loss(self.name, **self.options) if self.loss is None else self.loss


def split_options(loss: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a loss's name and its options, from a name or ``{"loss": name, **options}``.

    Examples
    --------
    >>> split_options({"loss": "huber", "delta": 2.0})
    ('huber', {'delta': 2.0})
    """
    if isinstance(loss, str):
        return loss, {}
    options = dict(loss)
    if "loss" not in options:
        raise OptionError(f"loss: expected a name, or a dictionary with 'loss' and options, got {loss!r}.")
    return options.pop("loss"), options


@lru_cache(maxsize=32)
def named_objective(loss: str, kind: str, detail: float) -> Objective:
    """Return what an estimator minimizes by a loss without options; made once, for predictions ask for it too.

    Parameters
    ----------
    loss : str
    kind : {"binary", "multiclass", "multilabel", "regression"}
    detail : float
        A classifier's label smoothing; a regressor's number of outputs.
    """
    if kind == "regression":
        return regressor_objective(loss, int(detail))
    return classifier_objective(loss, kind, detail)


def classifier_objective(loss: str | Mapping[str, Any], kind: str, label_smoothing: float) -> Objective:
    """Return what a classifier minimizes.

    Parameters
    ----------
    loss : str or dict
        One of ``CLASSIFIER_LOSSES``, or ``{"loss": name, **options}``.
    kind : {"binary", "multiclass", "multilabel"}
    label_smoothing : float
        The share by which targets are pulled towards even ones; for cross-entropies only.

    Examples
    --------
    >>> classifier_objective("log_loss", "multiclass", 0.1).options
    {'label_smoothing': 0.1}
    """
    name, options = split_options(loss)
    if name not in CLASSIFIER_LOSSES:
        raise OptionError(unknown_name("loss", name, CLASSIFIER_LOSSES))
    out = "softmax" if kind == "multiclass" else "logistic"
    if name in ("focal", "hinge"):
        if kind == "multilabel" or label_smoothing:
            what = "label_smoothing" if label_smoothing else "several labels for each sample"
            raise OptionError(f"loss: {name} does not go with {what}. Use 'log_loss'.")
        return Objective(name, options, None, "identity" if name == "hinge" else out)
    if name not in ("log_loss", _LOG_LOSSES[kind]):
        raise OptionError(f"loss: {name} does not suit {kind} targets. Use 'log_loss'.")
    if label_smoothing:
        options = {**options, "label_smoothing": label_smoothing}
    custom = None
    if kind == "multilabel" and name == "log_loss" and not set(options) - {"label_smoothing"}:
        forward = partial(binary_cross_entropy_forward, label_smoothing=label_smoothing)  # a sum over labels
        custom = Loss(
            forward, binary_cross_entropy_backward, encode_multi_label, sigmoid_probabilities, "multi_label"
        )
    get_loss(_LOG_LOSSES[kind], **options)  # refuses an option that is not known
    return Objective(_LOG_LOSSES[kind], options, custom, out)


def regressor_objective(loss: str | Mapping[str, Any], n_outputs: int) -> Objective:
    """Return what a regressor minimizes.

    Parameters
    ----------
    loss : str or dict
        One of ``REGRESSOR_LOSSES``, or ``{"loss": name, **options}``. "squared_error" is half the square and
        "poisson" half the deviance, both summed over the outputs, as scikit-learn steps by; the former is reported
        as the mean over outputs, as scikit-learn reports it. The others are pellucid's.
    n_outputs : int

    Examples
    --------
    >>> regressor_objective("absolute_error", 1).name
    'mean_absolute_error'
    """
    name, options = split_options(loss)
    if name not in REGRESSOR_LOSSES:
        raise OptionError(unknown_name("loss", name, REGRESSOR_LOSSES))
    if name == "squared_error":
        plain = LOSSES["mean_squared_error"]
        half = partial(scaled_forward, inner=plain.forward, factor=n_outputs / 2)
        custom = plain._replace(forward=half)
        return Objective("mean_squared_error", options, custom, "identity", 1 / n_outputs)
    if name == "poisson":
        plain = LOSSES["poisson"]
        custom = plain._replace(forward=partial(deviance_forward, inner=plain.forward))
        return Objective("poisson", options, custom, "exp")
    name = "mean_absolute_error" if name == "absolute_error" else name
    return Objective(name, options, None, "identity")


def scaled_forward(
    Z: Array, Y: Array, *, inner: Any, factor: float, weights: Any = None, normalizer: float | None = None
) -> tuple[float, Any]:
    """Return a loss times a factor, and the cache from which its backward gives the gradient of just that.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.ops.losses.table import LOSSES
    >>> forward = LOSSES["mean_squared_error"].forward
    >>> scaled_forward(np.array([[3.0]]), np.array([[1.0]]), inner=forward, factor=0.5)[0]
    2.0
    """
    total = _total(len(Z), weights, normalizer)
    value: tuple[float, Any] = inner(Z, Y, weights=weights, normalizer=total / factor)
    return value


def deviance_forward(
    Z: Array, Y: Array, *, inner: Any, weights: Any = None, normalizer: float | None = None
) -> tuple[float, Any]:
    """Return half the Poisson deviance, Y log(Y / exp(Z)) - Y + exp(Z), summed over the outputs, and its cache.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.ops.losses.table import LOSSES
    >>> deviance_forward(np.zeros((1, 1)), np.ones((1, 1)), inner=LOSSES["poisson"].forward)[0]
    0.0
    """
    total = _total(len(Z), weights, normalizer)
    loss, cache = inner(Z, Y, weights=weights, normalizer=total / Z.shape[1])
    rest = (xlogy(Y, Y) - Y).sum(axis=1)
    return loss + float(rest.sum() if weights is None else rest @ weights) / total, cache


def _total(m: int, weights: Any, normalizer: float | None) -> float:
    if normalizer is None:
        normalizer = m if weights is None else float(weights.sum())
    return normalizer or 1.0
