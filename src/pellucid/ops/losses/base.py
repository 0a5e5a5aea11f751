"""The base class of losses, and the mean over a batch.

A loss takes raw outputs ``Z`` (logits, for a classifier) and targets ``Y``. Its formula is a pair of plain
functions: the forward returns the loss of each sample and output with a cache, the backward takes the cache and
returns their gradients for Z. The mean over the samples is taken here and nowhere else. Losses of one-hot or
probability targets are linear in them: the loss of a mixture of two targets is the mixture of their losses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from inspect import signature
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.ops.activations import sigmoid_forward, softmax_forward
from pellucid.ops.losses.targets import encode_binary, encode_classes, encode_labels, encode_quantities
from pellucid.registry import Configurable, Registry, options_of
from pellucid.types import Array

LOSSES: "Registry[Loss]" = Registry("loss", "pellucid.ops.losses")
Pair: TypeAlias = tuple[Callable[..., tuple[Array, Any]], Callable[..., Array]]


class LossCache(NamedTuple):
    """What the backward of a loss needs."""

    backward: Callable[..., Array]
    cache: Any  # of its forward
    scale: float | Array  # 1 / normalizer, or the weights (m, 1) over it


@dataclass
class Loss(Configurable):
    """A loss and its options, as models and the training loop use it.

    To write one, derive from it and let ``pair`` return its forward and backward: see docs/extending.md.

    Attributes
    ----------
    kind : {"classification", "multi_label", "regression", "joint"}
        One class per sample, any number of labels, continuous targets, or several outputs with a loss each.
    averages_outputs : bool
        Whether the loss of a sample is the mean over its outputs; else their sum.
    takes_labels : bool
        Whether Y may be labels of shape (m,) where there are several outputs.
    gives_probabilities : bool
        Whether ``probabilities`` works.
    """

    _registry = LOSSES
    kind: ClassVar[str] = "classification"
    averages_outputs: ClassVar[bool] = False
    takes_labels: ClassVar[bool] = False
    gives_probabilities: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name used in messages."""
        return _name_of(type(self))  # type: ignore[arg-type]  # a class is hashable, whatever its objects are

    def forward(
        self, Z: Array, Y: Array, *, weights: Array | None = None, normalizer: float | None = None
    ) -> tuple[float, Any]:
        """Return the mean loss over the samples, and the cache for ``backward``.

        Parameters
        ----------
        Z : Array, shape (m, n_out)
            Raw outputs of the model.
        Y : Array, shape (m, n_out) of the dtype of Z, or labels of shape (m,)
            What ``encode`` returns.
        weights : Array, shape (m,), optional
            How much each sample counts, 0 or more; default: 1 each.
        normalizer : float, optional
            What the weighted sum is divided by; default: the sum of the weights. Part of a batch takes the
            whole batch's, so that the parts add up to the whole.

        Raises
        ------
        ShapeError, DataError
            If targets or weights do not fit, or there are no samples.

        Examples
        --------
        >>> from pellucid.ops.losses import MeanSquaredError
        >>> loss, cache = MeanSquaredError().forward(np.array([[3.0], [1.0]]), np.array([[1.0], [1.0]]))
        >>> loss
        2.0
        >>> MeanSquaredError().backward(cache)
        array([[2.],
               [0.]])
        """
        m, n_out = Z.shape
        if Y.ndim == 1 and n_out > 1 and self.takes_labels:
            if len(Y) != m:
                raise ShapeError(
                    f"{self.name}: expected {m} labels, one for each row of logits, got {len(Y)}."
                )
            Y = encode_labels(Y, n_out, self.name)
        elif Z.shape != Y.shape:
            # NumPy would broadcast them: (m,) with (m, 1) gives (m, m).
            hint = " Try Y[:, None]." if Y.shape == (m,) and n_out == 1 else ""
            raise ShapeError(
                f"{self.name}: expected targets of shape {Z.shape}, as the outputs, got {Y.shape}.{hint}"
            )
        scale = self.scale(m, n_out, Z.dtype, weights=weights, normalizer=normalizer)
        forward, backward = self.pair(n_out)
        names = _options_for(type(self), forward)  # type: ignore[arg-type]  # a class is hashable
        losses, cache = forward(Z, Y, **{name: getattr(self, name) for name in names})
        total = np.add.reduce(losses if isinstance(scale, float) else losses * scale, axis=None)
        value = float(total * scale if isinstance(scale, float) else total)
        return value, LossCache(backward, cache, scale)

    def backward(self, cache: Any, *, dZ: Array | None = None) -> Array:
        """Return the gradient of the mean loss for Z, shape (m, n_out); written to ``dZ`` where that is given."""
        backward, of_each, scale = cache
        dZ = backward(of_each, dZ=dZ)
        dZ *= scale
        return dZ

    def scale(
        self,
        m: int,
        n_out: int,
        dtype: Any,
        *,
        weights: Array | None = None,
        normalizer: float | None = None,
    ) -> float | Array:
        """Return the factor by which the losses of each sample enter the sum.

        Parameters
        ----------
        m, n_out : int
        dtype : dtype
            Of the result.
        weights, normalizer
            As for ``forward``.

        Returns
        -------
        float, or Array of shape (m, 1) where there are weights
            All 0 if all weights are 0.

        Examples
        --------
        >>> from pellucid.ops.losses import MeanSquaredError
        >>> MeanSquaredError().scale(4, 1, np.float64)
        0.25
        >>> MeanSquaredError().scale(2, 1, np.float64, weights=np.array([1.0, 3.0]))
        array([[0.25],
               [0.75]])
        """
        n_out = n_out if self.averages_outputs else 1
        if weights is None:
            total = float(m if normalizer is None else normalizer)
            if total == 0:
                raise DataError("loss: expected at least one sample, got none.")
            return 1.0 / (total * n_out)
        if weights.shape != (m,):
            raise ShapeError(f"weights: expected shape ({m},), one for each sample, got {weights.shape}.")
        if not (weights >= 0).all() or not np.isfinite(weights).all():
            first = int(np.argmin((weights >= 0) & np.isfinite(weights)))
            raise DataError(
                f"weights: expected finite numbers of at least 0, got {weights[first]} for sample {first}."
            )
        total = float(weights.sum(dtype=np.float64) if normalizer is None else normalizer) * n_out
        return (weights / (total or 1.0)).astype(dtype)[:, None]

    def pair(self, n_out: int) -> Pair:
        """Return the formula, for a model of that many outputs.

        Returns
        -------
        forward : callable
            ``(Z, Y, **options) -> losses, cache``: the loss of each sample and output, (m, n_out), or of each
            sample, (m, 1).
        backward : callable
            ``(cache, *, dZ=None) -> dZ``: their gradients for Z, written to ``dZ`` where that is given; else a new
            array, never one of the cache.
        """
        raise NotImplementedError

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return labels or targets, checked, as ``forward`` takes them."""
        return (encode_binary if n_out == 1 else encode_classes)(y, n_out, dtype, where=self.name)

    def probabilities(self, Z: Array) -> Array:
        """Return probabilities, (m, k), from raw outputs, (m, n_out); one output gives two columns."""
        if not self.gives_probabilities:
            raise OptionError(f"{self.name}: gives no probabilities. Use a cross-entropy.")
        return class_probabilities(Z)

    def mean(self, Z: Array) -> Array:
        """Return the expected targets of raw outputs; regression only."""
        return Z

    def decode(self, Y: Array) -> Array:
        """Return encoded targets as the quantities that they were; regression only."""
        return Y


@dataclass
class RegressionLoss(Loss):
    """A regression loss: the mean over samples and over outputs, like PyTorch's "mean" reduction."""

    kind = "regression"
    averages_outputs = True
    lowest_target: ClassVar[float | None] = None

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return numbers, (m,) for one output or (m, n_out), as targets of shape (m, n_out)."""
        return encode_quantities(y, n_out, dtype, where=self.name, at_least=self.lowest_target)


def class_probabilities(Z: Array) -> Array:
    """Return the probability of each class: sigmoids of -Z and Z, (m, 2), for one output; else softmax(Z), (m, k).

    For one output both are sigmoids, neither is one minus the other, so that tiny ones keep their digits.

    Examples
    --------
    >>> class_probabilities(np.zeros((1, 1))), class_probabilities(np.zeros((1, 2)))
    (array([[0.5, 0.5]]), array([[0.5, 0.5]]))
    """
    if Z.shape[1] == 1:
        return sigmoid_forward(np.hstack([-Z, Z]))[0]
    return softmax_forward(Z)[0]


@lru_cache(maxsize=256)
def _options_for(cls: type[Loss], forward: Callable[..., Any]) -> tuple[str, ...]:
    """Return the options of a loss that its formula takes; what is left is for its targets."""
    taken = signature(forward).parameters
    return tuple(name for name in options_of(cls) if name in taken)


@cache
def _name_of(cls: type) -> str:
    """Return the registered name of a loss, or of the one that it derives from; else its class name."""
    named = (str(name) for one in cls.__mro__ if (name := vars(one).get("_registered_as")))
    return next(named, cls.__name__)
