"""Neighbouring layers that are faster done together; what they compute is the same."""

from collections.abc import Sequence
from typing import final

from pellucid.nn.convolution import Conv2D
from pellucid.nn.layers import Layer
from pellucid.nn.normalization import Activation, BatchNorm
from pellucid.nn.pooling import MaxPool2D
from pellucid.ops.norm_pool import norm_relu_pool_backward, norm_relu_pool_forward
from pellucid.types import Array


@final
class NormReluPool(Layer):
    """BatchNorm, relu and 2x2 max pooling behind a convolution, in training: see :mod:`pellucid.ops.norm_pool`.

    It has no parameters of its own: it works on those of the layers that it stands for.
    """

    def __init__(self, norm: BatchNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, X: Array, *, training: bool = True) -> Array:
        """Return the pooled output; X, the convolution's own buffer, is overwritten."""
        norm = self.norm
        A, mean, var, count, self._cache = norm_relu_pool_forward(
            X,
            norm.params["gamma"],
            norm.params["beta"],
            epsilon=norm.epsilon,
            reduce=norm.reduce,
            workspace=norm.workspace,
        )
        norm.record(mean, var, count)
        return A

    def backward(self, dY: Array) -> Array:
        """Write the norm's gradients; return the one for X, in X's place."""
        norm = self.norm
        return norm_relu_pool_backward(
            dY,
            self._cache,
            dgamma=norm.grads["gamma"],
            dbeta=norm.grads["beta"],
            reduce=norm.reduce,
            workspace=norm.workspace,
        )[0]


def fused(layers: Sequence[Layer]) -> list[Layer]:
    """Return the steps of a training pass through layers that follow one another.

    Every run of Conv2D (without activation), BatchNorm, relu and a 2x2 MaxPool2D over even sides has its last three
    replaced by one NormReluPool; all other layers are steps of their own.
    """
    steps: list[Layer] = []
    i = 0
    while i < len(layers):
        steps.append(layers[i])
        run = layers[i : i + 4]
        if len(run) == 4 and _fits(*run):
            norm = run[1]
            assert isinstance(norm, BatchNorm)
            steps.append(NormReluPool(norm))
            i += 4
        else:
            i += 1
    return steps


def _fits(conv: Layer, norm: Layer, bend: Layer, pool: Layer) -> bool:
    return (
        isinstance(conv, Conv2D)
        and conv.activation is None  # else its backward needs the output that is overwritten
        and isinstance(norm, BatchNorm)
        and isinstance(bend, Activation)
        and bend.activation == "relu"
        and isinstance(pool, MaxPool2D)
        and (pool.size, pool.stride, pool.pads) == ((2, 2), (2, 2), ((0, 0), (0, 0)))
        and pool.input_shape[0] % 2 == 0
        and pool.input_shape[1] % 2 == 0
    )
