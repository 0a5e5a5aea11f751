"""Elementwise layers: activation functions and dropout."""

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from pellucid.dispatch.ops import bias_activation_backward, bias_activation_forward
from pellucid.errors import OptionError, PellucidError
from pellucid.nn.layer import Layer
from pellucid.ops.activations import get_activation
from pellucid.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from pellucid.registry import SetOnceMapping, check_option, option, register
from pellucid.text import shown
from pellucid.types import Array


@final
@register
@dataclass(eq=False, repr=False)
class Dropout(Layer):
    """While training, set each value to 0 with probability ``rate`` and divide the others by 1 - rate.

    Attributes
    ----------
    rng : numpy.random.Generator or None
        The generator of the next training forward; the training loop sets a new one each step.
    part : tuple of (slice, int) or None
        Where X is a part of a batch: its rows' places in the batch, and the batch's size. What is dropped is then
        what the whole batch would drop there.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.initializers import StartRandom
    >>> layer = Dropout(0.5)
    >>> layer.build((4,), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((1, 4)))
    array([[1., 1., 1., 1.]])
    >>> layer.set_step_rng(np.random.default_rng(0))
    >>> set(layer.forward(np.ones((5, 4)), training=True).ravel().tolist()) == {0.0, 2.0}
    True
    """

    rate: float = option(0.5, at_least=0, below=1, help="Probability that a value is set to 0.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rng: np.random.Generator | None = None
        self.part: tuple[slice, int] | None = None
        self._cache: DropoutCache | None = None

    def set_step_rng(self, generator: "np.random.Generator | None") -> None:
        """Draw from this generator from now on; with None, a training forward raises."""
        self.rng = generator

    def step_rng(self) -> "np.random.Generator":
        """Return the generator of this step; PellucidError where none is set."""
        if self.rng is None:
            raise PellucidError(
                f"{self._label}: training needs a random generator, and none is set. "
                "train() sets one each step; elsewhere call set_step_rng(generator) before forward."
            )
        return self.rng

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return X itself, or while training X with values dropped."""
        if not training or self.rate == 0:
            self._cache = None
            return X
        first = 0 if self.part is None else self.part[0].start
        skip, take = first * math.prod(X.shape[1:]), self._workspace.take
        out, mask = take("Y", X.shape, X.dtype), take("mask", X.shape, X.dtype)
        Y, self._cache = dropout_forward(X, self.rate, self.step_rng(), skip=skip, out=out, mask=mask)
        return Y

    def backward(self, dY: Array) -> Array:
        """Return dY with the same values dropped, in place."""
        return dY if self._cache is None else dropout_backward(dY, self._cache, dX=dY)


def _of_the_function(name: str) -> property:
    """Return an attribute that is an option of the activation function: read, and refused where it is set."""

    def refuse(layer: "Activation", value: Any) -> None:
        raise OptionError(
            f"Activation: {name} is set by the constructor alone. Make another: "
            f"Activation({layer.activation!r}, {name}={shown(value)})."
        )

    return property(lambda layer: layer.options.get(name), refuse)


@final
@register
class Activation(Layer):
    """An activation function, such as relu, as a separate layer.

    Parameters
    ----------
    activation : str
        A name of :data:`pellucid.ops.activations.ACTIVATIONS`.
    **options : float
        The function's options: ``slope`` of leaky_relu and hard_sigmoid, ``alpha`` of elu, ``high`` of relu6.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.initializers import StartRandom
    >>> layer = Activation("leaky_relu", slope=0.5)
    >>> layer
    Activation(activation='leaky_relu', slope=0.5)
    >>> layer.build((2,), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.array([[-1.0, 2.0]]))
    array([[-0.5,  2. ]])
    """

    _operations_per_value = 1  # whatever the function costs
    slope, alpha, high = map(_of_the_function, ("slope", "alpha", "high"))

    def __init__(self, activation: str, **options: float) -> None:
        super().__init__()
        self.activation = check_option("Activation", "activation", activation, str)
        checked = {name: check_option("Activation", name, value, float) for name, value in options.items()}
        self.options = SetOnceMapping(checked)
        try:
            self.activation_op = get_activation(activation, **self.options)
        except OptionError as error:
            raise OptionError(f"Activation: {error}") from None

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the function of X; X itself where that is what it returns."""
        if self.activation == "linear":
            return X
        out, op = self._workspace.take("A", X.shape, X.dtype), self.activation_op
        A, self._cache = bias_activation_forward(X, None, op, out=out, workspace=self._workspace)
        return A

    def backward(self, dY: Array) -> Array:
        """Return dX, written over dY."""
        if self.activation == "linear":
            return dY
        return bias_activation_backward(dY, self._cache, dZ=dY)[0]
