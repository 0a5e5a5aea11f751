"""Normalization layers, BatchNorm and LayerNorm, and Affine: their factor and shift for each channel alone."""

from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.dispatch.ops import (
    batch_moments,
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference_backward,
    batch_norm_inference_forward,
    gradient_sums,
    layer_norm_backward,
    layer_norm_forward,
)
from pellucid.errors import ShapeError
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer
from pellucid.ops.affine import AffineCache, affine_backward, affine_forward
from pellucid.ops.batch_norm import (
    BatchMoments,
    BatchNormCache,
    BatchNormInferenceCache,
    Reduce,
    over_shards,
)
from pellucid.registry import option, register
from pellucid.types import Array, Shape


class ChannelScale(Layer):
    """A layer that ends with a factor gamma and a shift beta for each channel, which start at 1 and 0."""

    _undecayed = frozenset({"gamma", "beta"})

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Start with gamma 1 and beta 0."""
        super().build(input_shape, rng)
        if not input_shape or 0 in input_shape:
            raise ShapeError(f"{self._label}: expected samples of shape (..., channels), got {input_shape}.")
        c = input_shape[-1]
        self.params = {"gamma": rng.ones(c), "beta": np.zeros(c)}


@final
@register
@dataclass(eq=False, repr=False)
class BatchNorm(ChannelScale):
    """Scale every channel to mean beta and deviation gamma, over the batch in training, else by running statistics.

    Attributes
    ----------
    state : dict of str to Array
        ``running_mean`` and ``running_var``, of shape (c,) and the model's dtype: they start at 0 and 1 and move
        with every training forward; the variance is the unbiased one, as in PyTorch. A batch with one value per
        channel has no variance: it is scaled by the running statistics, as in prediction, and updates neither.
    reduce : callable or None
        Where X is a part of a batch, what sums a vector over all its parts.

    Raises
    ------
    OptionError
        If an option is out of range.
    ShapeError
        When built for samples without channels.

    Examples
    --------
    >>> layer = BatchNorm()
    >>> layer.build((1,), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.array([[1.0], [3.0]]), training=True).round(3).ravel()
    array([-1.,  1.])
    >>> layer.state["running_mean"], layer.state["running_var"]
    (array([0.2]), array([1.1]))
    """

    _operations_per_value = 2  # by running statistics: one multiplication and one addition

    momentum: float = option(
        0.1, above=0, at_most=1, help="Fraction by which the running statistics move towards each batch's."
    )
    epsilon: float = option(1e-5, above=0, below=1, help="Added to the variance.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reduce: Reduce | None = None
        self._cache: BatchNormCache | BatchNormInferenceCache | None = None

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Start with gamma 1 and beta 0, running means 0 and variances 1."""
        super().build(input_shape, rng)
        c = input_shape[-1]
        self.state = {"running_mean": np.zeros(c), "running_var": rng.ones(c)}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return X normalized, shape (m, ..., c)."""
        gamma, beta, state = self.params["gamma"], self.params["beta"], self.state
        out = self._workspace.take("Y", X.shape, X.dtype)
        if training:
            moments = None if self.reduce is None else over_shards(batch_moments(X), self.reduce)
            Y, moments, cache = batch_norm_forward(
                X, gamma, beta, epsilon=self.epsilon, moments=moments, out=out
            )
            if moments.n > 1:
                self._cache = cache
                self.record(moments)
                return Y
        Y, self._cache = batch_norm_inference_forward(
            X, gamma, beta, state["running_mean"], state["running_var"], epsilon=self.epsilon, out=out
        )
        return Y

    def record(self, moments: BatchMoments) -> None:
        """Move the running statistics towards those of a batch with n > 1 values per channel."""
        mean, var, n = moments
        running_mean, running_var = self.state["running_mean"], self.state["running_var"]
        running_mean += self.momentum * (mean - running_mean)
        running_var += self.momentum * (var * (n / (n - 1)) - running_var)

    def backward(self, dY: Array) -> Array | None:
        """Write dgamma and dbeta; return dX, written over dY, or None where it is not needed."""
        dgamma, dbeta = self.grads["gamma"], self.grads["beta"]
        if isinstance(self._cache, BatchNormInferenceCache):
            dX = batch_norm_inference_backward(dY, self._cache, dX=dY, dgamma=dgamma, dbeta=dbeta)[0]
            return dX if self._needs_input_gradient else None
        assert self._cache is not None, "backward comes after forward"
        needs_dX = self._needs_input_gradient
        if self.reduce is None:
            return batch_norm_backward(dY, self._cache, dX=dY, dgamma=dgamma, dbeta=dbeta, needs_dX=needs_dX)[
                0
            ]
        own = gradient_sums(dY, self._cache)
        dbeta[...], dgamma[...] = own  # the parts' gradients are added later, as every other parameter's are
        return batch_norm_backward(dY, self._cache, sums=self.reduce(own), dX=dY, needs_dX=needs_dX)[0]


@final
@register
@dataclass(eq=False, repr=False)
class LayerNorm(ChannelScale):
    """Scale every sample to mean 0 and variance 1 along its last axis, then multiply by gamma and add beta.

    Raises
    ------
    ShapeError
        When built for samples with fewer than two channels.

    Examples
    --------
    >>> layer = LayerNorm()
    >>> layer.build((2,), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.array([[1.0, 3.0]])).round(3)
    array([[-1.,  1.]])
    """

    _operations_per_value = 7  # the mean, the squares, their sum, and the result

    epsilon: float = option(1e-5, above=0, below=1, help="Added to the variance.")

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Start with gamma 1 and beta 0."""
        super().build(input_shape, rng)
        if input_shape[-1] == 1:
            raise ShapeError(
                f"{self._label}: expected samples with at least 2 channels, got {input_shape}. A value alone is "
                "its own mean, and would always become beta. Leave the layer out, or take BatchNorm."
            )

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return X normalized, shape (m, ..., n)."""
        out = self._workspace.take("Y", X.shape, X.dtype)
        gamma, beta = self.params["gamma"], self.params["beta"]
        Y, self._cache = layer_norm_forward(
            X, gamma, beta, epsilon=self.epsilon, out=out, workspace=self._workspace
        )
        return Y

    def backward(self, dY: Array) -> Array:
        """Write dgamma and dbeta; return dX, written over dY."""
        grads = self.grads
        return layer_norm_backward(dY, self._cache, dX=dY, dgamma=grads["gamma"], dbeta=grads["beta"])[0]


@final
@register
@dataclass(eq=False, repr=False)
class Affine(ChannelScale):
    """Multiply each channel by a factor gamma and add beta: BatchNorm without statistics.

    Without ``shift`` there is no beta. Before the first Dense layer of a network for tables that is a trained scale
    of each input (Holzmueller et al., 2024, section 3).

    Raises
    ------
    ShapeError
        When built for samples without channels.

    Examples
    --------
    >>> layer = Affine()
    >>> layer.build((2,), StartRandom(np.random.PCG64(1)))
    >>> layer.params["gamma"][...] = 3
    >>> layer.forward(np.ones((1, 2)))
    array([[3., 3.]])
    """

    _operations_per_value = 2

    shift: bool = option(True, help="Add beta.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._cache: AffineCache | None = None

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Start with gamma 1 and, where there is one, beta 0."""
        super().build(input_shape, rng)
        if not self.shift:
            del self.params["beta"]

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return gamma X + beta."""
        out = self._workspace.take("Y", X.shape, X.dtype)
        Y, self._cache = affine_forward(X, self.params["gamma"], self.params.get("beta"), out=out)
        return Y

    def _ntk_rate(self, key: str) -> float:
        """Return 6 for gamma, as RealMLP has it for its inputs, and 0.1 for beta."""
        return 6.0 if key == "gamma" else super()._ntk_rate(key)

    def backward(self, dY: Array) -> Array | None:
        """Write dgamma and dbeta; return dX, written over dY, or None where it is not needed."""
        assert self._cache is not None, "backward comes after forward"
        grads = self.grads
        dX = affine_backward(dY, self._cache, dX=dY, dgamma=grads["gamma"], dbeta=grads.get("beta"))[0]
        return dX if self._needs_input_gradient else None
