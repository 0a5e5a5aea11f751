"""A factor and a shift for each channel, as a layer."""

from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.errors import ShapeError
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer
from pellucid.ops.affine import AffineCache, affine_backward, affine_forward
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@final
@register
@dataclass(eq=False, repr=False)
class Affine(Layer):
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

    _undecayed = frozenset({"gamma", "beta"})
    _operations_per_value = 2

    shift: bool = option(True, help="Add beta.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._cache: AffineCache | None = None

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Start with gamma 1 and beta 0."""
        super().build(input_shape, rng)
        if not input_shape:
            raise ShapeError(f"{self._label}: expected samples with channels, got single numbers.")
        self.params = {"gamma": rng.ones(input_shape[-1])}
        if self.shift:
            self.params["beta"] = np.zeros(input_shape[-1])

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
