"""Dense layers one after another, as a prediction runs them: of one sample, calls cost as much as products."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, final

from numpy import add, dot

from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.ops.linear import check_linear
from pellucid.types import Array
from pellucid.workspace import aligned


@final
class DenseChain(Layer):
    """What its Dense layers do one after another, bit for bit, with nothing between them.

    It has no parameters of its own. Where one of its layers is hooked, the layers themselves run; a backward always
    goes by them.

    Parameters
    ----------
    layers : sequence of Dense
    """

    def __init__(self, layers: Sequence[Dense]) -> None:
        super().__init__()
        self.layers, self.is_frozen = list(layers), layers[0].is_frozen
        self._ops = [layer.activation_op and layer.activation_op.forward for layer in layers]
        self._size: Any = None  # samples and dtype that there is room for
        self._room: list[Array] = []
        self._passed: list[tuple[Array, Any]] = []  # each layer's input and its activation's cache

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the last layer's output."""
        self._passed = passed = []
        if any("forward" in vars(layer) for layer in self.layers):
            for layer in self.layers:
                X = layer.forward(X, training=training)
            return X
        check_linear(X, self.layers[0].params["W"])
        size = len(X), X.dtype
        if size != self._size:
            self._size = size
            self._room = [aligned((len(X), layer.units), X.dtype) for layer in self.layers]
        is_one = size[0] == 1
        for layer, activate, Z in zip(self.layers, self._ops, self._room, strict=True):
            params, cache = layer.params, None
            b = params["b"]
            dot(X, params["W"], out=Z)
            A = add(Z, b[None] if is_one else b, out=Z)  # NumPy adds arrays of one shape in half the time
            if activate is not None:
                A, cache = activate(Z, out=Z)
            passed.append((X, cache))
            X = A
        return X

    def backward(self, dY: Array) -> Array | None:
        """Write the layers' gradients; return the one for X, or None where it is not needed."""
        passes = zip(self.layers, self._passed, strict=False)  # none if the layers ran themselves
        for layer, passed in passes:
            layer.remember(*passed)
        dX: Array | None = dY
        for layer in reversed(self.layers):
            assert dX is not None
            dX = layer.backward(dX)
        return dX


def chained(steps: Sequence[Layer]) -> list[Layer]:
    """Return the steps of a pass, each row of Dense layers as one; a frozen layer is joined to frozen ones only."""
    found: list[Layer] = []
    for (is_dense, _), some in groupby(steps, lambda step: (type(step) is Dense, step.is_frozen)):
        row: Any = list(some)
        found += [DenseChain(row)] if is_dense and len(row) > 1 else row
    return found
