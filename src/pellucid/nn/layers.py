"""Layers: thin shells over the ops, which keep what a step needs from forward to backward."""

import math
from collections.abc import Callable
from typing import Any, final

import numpy as np

from pellucid.errors import OptionError, ShapeError, unknown_name
from pellucid.nn.initializers import StartRandom, get_initializer
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.linear import linear_backward, linear_forward
from pellucid.types import Array, LayerRow, Shape
from pellucid.workspace import Workspace


class Layer:
    """What every layer is: parameters, their gradients, a forward and a backward.

    To write one, derive from it, fill ``params`` and ``output_shape`` in ``build``, and let ``backward`` write
    every array of ``grads`` and return the gradient for the input.

    Attributes
    ----------
    params, grads : dict of str to Array
        The same keys; once the model is initialized, views into its flat ``theta`` and ``grad``.
    state : dict of str to Array
        What is kept with the model but not trained, such as running statistics.
    input_shape, output_shape : tuple of int
        Without the samples axis; known after ``build``.
    needs_input_gradient : bool
        False where nothing before this layer is trained: ``backward`` may then return None.
    undecayed : frozenset of str
        The parameters that weight decay leaves alone.
    """

    undecayed: frozenset[str] = frozenset({"b"})

    def __init__(self) -> None:
        self.name = ""
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.state: dict[str, Array] = {}
        self.input_shape: Shape = ()
        self.output_shape: Shape = ()
        self.needs_input_gradient = True
        self.workspace = Workspace()

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Learn the shape of the input, and draw the first parameters in float64."""
        self.input_shape = self.output_shape = input_shape

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the output for X, (m, *input_shape); it is valid until the next forward."""
        raise NotImplementedError

    def backward(self, dY: Array) -> Array | None:
        """Write ``grads`` and return the gradient for the input of the last forward; dY may be overwritten."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return what the constructor needs to make this layer again, as JSON can hold it."""
        return {"type": type(self).__name__}

    @classmethod
    def from_config(cls, options: dict[str, Any], make: Callable[[dict[str, Any]], "Layer"]) -> "Layer":
        """Return the layer of these options; ``make`` makes the layers inside it from theirs."""
        return cls(**options)

    def mark_input_gradient(self, needed: bool) -> None:
        """Say whether the gradient for the input is used: see ``needs_input_gradient``."""
        self.needs_input_gradient = needed

    def decay_mask(self, key: str) -> Array:
        """Return 1 where weight decay shrinks that parameter, else 0, in its shape."""
        return np.full_like(self.params[key], key not in self.undecayed)

    def leaves(self) -> list["Layer"]:
        """Return the layers that hold parameters of their own: this one, or those inside it."""
        return [self]

    def rows(self) -> list[LayerRow]:
        """Return this layer's lines of the model's summary."""
        n_params = sum(array.size for array in self.params.values())
        activation = getattr(self, "activation", None) or ""
        kind = type(self).__name__
        return [LayerRow(self.name, kind, activation, self.output_shape, n_params, self.n_operations)]

    @property
    def n_operations(self) -> int:
        """Multiplications and additions of one sample's forward pass."""
        return 0


@final
class Flatten(Layer):
    """Lay each sample out as one row: (m, h, w, c) becomes (m, h w c), in the order row, column, channel."""

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Learn the shape of the input."""
        self.input_shape, self.output_shape = input_shape, (math.prod(input_shape),)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return X as rows, without a copy where it is contiguous."""
        return X.reshape(len(X), -1)

    def backward(self, dY: Array) -> Array:
        """Return dY in the shape of the input."""
        return dY.reshape(len(dY), *self.input_shape)


@final
class Dense(Layer):
    """Every output sees every input: A = activation(X W + b).

    Parameters
    ----------
    units : int
        How many outputs, n_out.
    activation : str, optional
        A name of :data:`pellucid.ops.activations.ACTIVATIONS`; default: none.
    initializer : str, optional
        A name of :data:`pellucid.nn.initializers.INITIALIZERS` for W; default: ``"he"`` before relu, else
        ``"glorot"``. Biases start at zero.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Dense(2, activation="relu")
    >>> layer.build((3,), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((4, 3))).shape
    (4, 2)
    """

    def __init__(self, units: int, activation: str | None = None, initializer: str | None = None) -> None:
        super().__init__()
        if units < 1:
            raise OptionError(f"Dense: expected units of 1 or more, got {units}.")
        if activation is not None and activation not in ACTIVATIONS:
            raise OptionError(f"Dense: {unknown_name('activation', activation, ACTIVATIONS)}")
        self.units = units
        self.activation = activation
        self.initializer = initializer or ("he" if activation == "relu" else "glorot")
        self._draw = get_initializer(self.initializer)
        self.bend = ACTIVATIONS[activation] if activation else None

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Draw W (n_in, units); b is zero."""
        if len(input_shape) != 1:
            raise ShapeError(
                f"{self.name or 'Dense'}: expected samples of shape (n_in,), got {input_shape}. "
                "Put Flatten() before it."
            )
        self.input_shape, self.output_shape = input_shape, (self.units,)
        W = self._draw(rng, (input_shape[0], self.units))
        self.params = {"W": W, "b": W[0] * 0}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return activation(X W + b), shape (m, units)."""
        Z = self.workspace.take("Z", (len(X), self.units), X.dtype)
        Z, self._linear = linear_forward(X, self.params["W"], self.params["b"], out=Z)
        if self.bend is None:
            return Z
        A, self._bend_cache = self.bend.forward(Z, out=Z)
        return A

    def backward(self, dY: Array) -> Array | None:
        """Write dW and db; return dX, shape (m, n_in), or None where nothing needs it."""
        dZ = dY if self.bend is None else self.bend.backward(dY, self._bend_cache, dZ=dY)
        dX = self.workspace.take("dX", self._linear.X.shape, dZ.dtype) if self.needs_input_gradient else None
        grads = self.grads
        linear_backward(
            dZ, self._linear, dX=dX, dW=grads["W"], db=grads["b"], needs_dX=self.needs_input_gradient
        )
        return dX

    def config(self) -> dict[str, Any]:
        """Return units, activation and initializer."""
        return {
            "type": "Dense",
            "units": self.units,
            "activation": self.activation,
            "initializer": self.initializer,
        }

    @property
    def n_operations(self) -> int:
        """2 n_in n_out."""
        return 2 * self.input_shape[0] * self.units
