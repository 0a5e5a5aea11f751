"""What all losses have in common: their record, their options, and how a batch is averaged.

A loss is a pair of functions. The forward takes raw outputs ``Z`` (logits, for a classifier) and targets ``Y`` and
returns one number and a cache; the backward takes that cache and returns the gradient for Z. The mean over the
samples is taken here and nowhere else in the backward pass. Losses of one-hot or probability targets are linear in
them: the loss of a mixture of two targets is the mixture of their losses.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from pellucid.errors import DataError, ShapeError
from pellucid.types import Array


class Option(Protocol):
    """An option of a loss: what it may be, in words and as a function."""

    @property
    def wanted(self) -> str:
        """What the value has to be, in words."""

    def read(self, value: Any) -> Any:
        """Return the value as JSON can hold it; TypeError or ValueError if it is not allowed."""


class Number(NamedTuple):
    """An option that is one finite number.

    Examples
    --------
    >>> Number("a number from 0 to below 1", 0, 1).read(0.5)
    0.5
    """

    wanted: str
    low: float
    below: float = math.inf
    is_low_allowed: bool = True

    def read(self, value: Any) -> float:
        """Return the value as a float."""
        number = float(value)
        is_above = number >= self.low if self.is_low_allowed else number > self.low
        if isinstance(value, bool | str) or not (is_above and number < self.below):
            raise ValueError
        return number


class Numbers(NamedTuple):
    """An option that is None, a number from 0 to ``highest``, or a list of finite numbers of 0 or more.

    Examples
    --------
    >>> Numbers("weights", 1.0).read((1, 2))
    [1.0, 2.0]
    """

    wanted: str
    highest: float

    def read(self, value: Any) -> float | list[float] | None:
        """Return the value as None, a float or a list of floats."""
        if value is None:
            return None
        array = np.asarray(value, np.float64)
        highest = self.highest if array.ndim == 0 else np.inf
        is_right = (array >= 0) & (array <= highest) & np.isfinite(array)
        if isinstance(value, bool | str) or array.ndim > 1 or not is_right.all():
            raise ValueError
        numbers: float | list[float] = array.tolist()
        return numbers


ABOVE_ZERO = Number("a number above 0", 0, is_low_allowed=False)
SMOOTHING = {"label_smoothing": Number("a number from 0 to below 1", 0, 1)}
NO_OPTIONS: Mapping[str, Any] = {}


class Loss(NamedTuple):
    """A loss as models and the training loop see it.

    Attributes
    ----------
    forward : callable
        ``(Z, Y, *, weights=None, normalizer=None) -> (loss, cache)``, and options by keyword.
    backward : callable
        ``(cache, *, dZ=None) -> dZ``.
    encode : callable
        ``(y, n_out, dtype) -> Y``: checks labels or targets and returns them as ``forward`` wants them.
    probabilities : callable or None
        Logits (m, n_out) to (m, k); None where the loss gives no probabilities.
    kind : {"classification", "multi_label", "regression"}
        One class a sample, any number of them, or quantities.
    options : mapping of str to Option
        What may be set.
    bound : mapping of str to JSON value
        What was set.
    mean : callable or None
        Raw outputs to the expected target, where they are not the same (Poisson); regression only.
    """

    forward: Callable[..., tuple[float, Any]]
    backward: Callable[..., Array]
    encode: Callable[[Array, int, Any], Array]
    probabilities: Callable[[Array], Array] | None
    kind: str = "classification"
    options: Mapping[str, Option] = NO_OPTIONS
    bound: Mapping[str, Any] = NO_OPTIONS
    mean: Callable[[Array], Array] | None = None


class ByWidth(NamedTuple):
    """Two losses that go by one name: ``one`` for models with one output, ``many`` for those with several."""

    one: Loss
    many: Loss

    def pick(self, n_out: int) -> Loss:
        """Return the loss for so many outputs."""
        return self.one if n_out == 1 else self.many

    def forward(self, Z: Array, Y: Array, **keywords: Any) -> tuple[float, Any]:
        """Return the loss and a cache that knows which loss it was."""
        loss = self.pick(Z.shape[1])
        value, cache = loss.forward(Z, Y, **keywords)
        return value, (loss, cache)

    def backward(self, cache: tuple[Loss, Any], *, dZ: Array | None = None) -> Array:
        """Return the gradient for the outputs."""
        loss, inner = cache
        return loss.backward(inner, dZ=dZ)

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return the targets."""
        return self.pick(n_out).encode(y, n_out, dtype)

    def probabilities(self, Z: Array) -> Array:
        """Return the probability of each class."""
        loss = self.pick(Z.shape[1])
        assert loss.probabilities is not None
        return loss.probabilities(Z)

    def merge(self) -> Loss:
        """Return both as one loss, of the kind and options of ``one``."""
        probabilities = None if self.one.probabilities is None else self.probabilities
        return self.one._replace(
            forward=self.forward, backward=self.backward, encode=self.encode, probabilities=probabilities
        )


def sample_scale(
    weights: Array | None, normalizer: float | None, m: int, dtype: Any, n_out: int = 1
) -> float | Array:
    """Return what each sample's loss is multiplied by before all are added up.

    Parameters
    ----------
    weights : Array or None, shape (m,)
        How much each sample counts, 0 or more; None: 1 each.
    normalizer : float or None
        What the weighted sum is divided by; None: the sum of the weights. Part of a batch is given the whole
        batch's, so that the parts add up to the whole.
    m : int
        Samples.
    dtype : dtype
        Of the result.
    n_out : int, optional
        Outputs to take the mean over as well.

    Returns
    -------
    float, or Array of shape (m, 1) where there are weights
        All 0 if all the weights are.

    Raises
    ------
    ShapeError, DataError
        If the weights do not fit, or one is negative, infinite or NaN, or there is no sample.

    Examples
    --------
    >>> sample_scale(None, None, 4, np.float64)
    0.25
    >>> sample_scale(np.array([1.0, 3.0]), None, 2, np.float64)
    array([[0.25],
           [0.75]])
    """
    if weights is None:
        total = float(m if normalizer is None else normalizer)
        if total == 0:
            raise DataError("loss: expected at least one sample, got none.")
        return 1.0 / (total * n_out)
    if weights.shape != (m,):
        raise ShapeError(f"weights: expected shape ({m},), one for each sample, got {weights.shape}.")
    if not (weights >= 0).all() or not np.isfinite(weights).all():
        first = int(np.argmin((weights >= 0) & np.isfinite(weights)))
        raise DataError(f"weights: expected numbers from 0 up, got {weights[first]} for sample {first}.")
    total = float(weights.sum(dtype=np.float64) if normalizer is None else normalizer) * n_out
    scale: Array = (weights / (total or 1.0)).astype(dtype)[:, None]
    return scale


def weighted_sum(losses: Array, scale: float | Array) -> float:
    """Return the sum of all losses, shape (m, n), each times its sample's scale.

    Examples
    --------
    >>> weighted_sum(np.array([[1.0], [3.0]]), 0.5)
    2.0
    """
    if isinstance(scale, float):
        return float(np.add.reduce(losses, axis=None) * scale)  # .sum() without its detour through Python
    return float(np.add.reduce(losses * scale, axis=None))


def smooth(Y: Array, label_smoothing: float, k: int) -> Array:
    """Return targets pulled towards even ones, (1 - epsilon) Y + epsilon / k; Y itself where epsilon is 0.

    Szegedy et al. (2016), section 7.

    Examples
    --------
    >>> smooth(np.array([[0.0, 1.0]]), 0.5, 2)
    array([[0.25, 0.75]])
    """
    return (1 - label_smoothing) * Y + label_smoothing / k if label_smoothing else Y


def check_fit(where: str, Z: Array, Y: Array) -> None:
    """Raise ShapeError unless the targets have the shape of the outputs.

    Without it, targets of shape (m,) beside outputs of shape (m, 1) would be spread to (m, m).
    """
    if Z.shape != Y.shape:
        hint = " Try Y[:, None]." if Y.shape == Z.shape[:1] and Z.shape[1:] == (1,) else ""
        raise ShapeError(
            f"{where}: expected targets of shape {Z.shape}, as the outputs, got {Y.shape}.{hint}"
        )
