"""Dense layers, and the flattening that images need before them."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.dispatch.ops import bias_activation_backward, bias_activation_forward
from pellucid.errors import OptionError, ShapeError
from pellucid.nn.initializers import StartRandom, activation_option, default_initializer, initializer_option
from pellucid.nn.layer import Layer
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.linear import linear_backward, linear_forward
from pellucid.registry import option, register
from pellucid.text import shown
from pellucid.types import Array, Shape


@final
@register
@dataclass(eq=False, repr=False)
class Flatten(Layer):
    """Lay each sample out as one row: (m, h, w, c) becomes (m, h w c), in the order row, column, channel.

    Examples
    --------
    >>> layer = Flatten()
    >>> layer.build((2, 2, 3), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((5, 2, 2, 3))).shape
    (5, 12)
    """

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input."""
        self.input_shape, self.output_shape = input_shape, (math.prod(input_shape),)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return X as rows, without a copy where it is contiguous."""
        return X.reshape(len(X), math.prod(X.shape[1:]))  # -1 is undefined for no samples

    def backward(self, dY: Array) -> Array:
        """Return dY in the shape of the input."""
        return dY.reshape(len(dY), *self.input_shape)

    @property
    def _n_values(self) -> int:
        """0: the output is a view of the input."""
        return 0


@final
@register
@dataclass(eq=False, repr=False)
class Dense(Layer):
    """Every output sees every input: A = activation(X W + b).

    Raises
    ------
    OptionError
        If an option is unknown or out of range.
    ShapeError
        When built for samples that are not rows.

    Examples
    --------
    >>> layer = Dense(2, activation="relu")
    >>> layer
    Dense(units=2, activation='relu')
    >>> layer.build((3,), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((4, 3))).shape
    (4, 2)
    """

    units: int = option(at_least=1, help="Number of outputs, n_out.")
    activation: str | None = activation_option()
    initializer: str | None = initializer_option()

    def __post_init__(self) -> None:
        if isinstance(self.activation, int):
            raise OptionError(
                f"Dense: expected activation to be a name, got {shown(self.activation)}. Give the outputs "
                "alone, Dense(units): the shape of the input comes from the data."
            )
        super().__post_init__()
        self.activation_op = ACTIVATIONS[self.activation] if self.activation else None

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Draw W (n_in, units); b is zero."""
        if len(input_shape) != 1:
            raise ShapeError(
                f"{self._label}: expected samples of shape (n_in,), got {input_shape}. Put Flatten() before it."
            )
        self.input_shape, self.output_shape = input_shape, (self.units,)
        initializer = self.initializer or default_initializer(self.activation)
        W = rng.draw(initializer, (input_shape[0], self.units))
        self.params = {"W": W, "b": np.zeros(self.units)}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return activation(X W + b), shape (m, units)."""
        Z = self._workspace.take("Z", (len(X), self.units), X.dtype)
        W, b, op = self.params["W"], self.params["b"], self.activation_op
        Z, self._linear = linear_forward(X, W, b if op is None else None, out=Z)
        if op is None:
            return Z
        A, self._activation_cache = bias_activation_forward(Z, b, op, out=Z, workspace=self._workspace)
        return A

    def backward(self, dY: Array) -> Array | None:
        """Write dW and db; return dX, shape (m, n_in), or None where it is not needed."""
        dZ, grads = dY, self.grads
        if self.activation_op is not None:
            dZ, _ = bias_activation_backward(dY, self._activation_cache, dZ=dY, db=grads["b"])
        dX = (
            self._workspace.take("dX", self._linear.X.shape, dZ.dtype) if self._needs_input_gradient else None
        )
        linear_backward(
            dZ, self._linear, dX=dX, dW=grads["W"], db=grads["b"], needs_dX=self._needs_input_gradient
        )
        return dX

    @property
    def _n_operations(self) -> int:
        """2 n_in n_out."""
        return 2 * self.input_shape[0] * self.units
