"""Neighbouring layers that are faster when fused; the results are the same."""

from collections.abc import Sequence
from typing import final

from pellucid.dispatch import (
    conv_norm_pool_fits,
    conv_norm_relu_pool_backward,
    conv_norm_relu_pool_forward,
    norm_relu_pool_backward,
    norm_relu_pool_forward,
)
from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import MaxPool2D
from pellucid.nn.windows import pair
from pellucid.types import Array


@final
class NormReluPool(Layer):
    """BatchNorm, relu and 2x2 max pooling behind a convolution, in training: see :mod:`pellucid.ops.fused`.

    It has no parameters of its own: it uses those of the layers that it replaces.
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
        """Write the norm's gradients; return the one for X, written over X."""
        norm = self.norm
        return norm_relu_pool_backward(
            dY,
            self._cache,
            dgamma=norm.grads["gamma"],
            dbeta=norm.grads["beta"],
            reduce=norm.reduce,
            workspace=norm.workspace,
        )[0]


@final
class ConvNormReluPool(Layer):
    """A first convolution and all of the above: see :mod:`pellucid.ops.fused`."""

    def __init__(self, conv: Conv2D, norm: BatchNorm) -> None:
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, X: Array, *, training: bool = True) -> Array:
        """Return the pooled output."""
        conv, norm = self.conv, self.norm
        A, mean, var, count, self._cache = conv_norm_relu_pool_forward(
            X,
            conv.params["W"],
            norm.params["gamma"],
            norm.params["beta"],
            padding=conv.pads,
            epsilon=norm.epsilon,
            reduce=norm.reduce,
            workspace=norm.workspace,
        )
        norm.record(mean, var, count)
        return A

    def backward(self, dY: Array) -> None:
        """Write the gradients of convolution and norm; nothing before them needs one."""
        norm = self.norm
        conv_norm_relu_pool_backward(
            dY,
            self._cache,
            dW=self.conv.grads["W"],
            dgamma=norm.grads["gamma"],
            dbeta=norm.grads["beta"],
            reduce=norm.reduce,
            workspace=norm.workspace,
        )


def fused(layers: Sequence[Layer]) -> list[Layer]:
    """Return the steps of a training pass through layers that follow one another.

    Every run of Conv2D (without activation), BatchNorm, relu and a 2x2 MaxPool2D over even sides has its last three
    replaced by one NormReluPool; a convolution of few inputs whose input gradient is not needed is fused
    with them. All other layers are separate steps.
    """
    steps: list[Layer] = []
    i = 0
    while i < len(layers):
        run = layers[i : i + 4]
        if len(run) == 4 and _fits(*run):
            conv, norm = run[:2]
            assert isinstance(conv, Conv2D)
            assert isinstance(norm, BatchNorm)
            steps += [ConvNormReluPool(conv, norm)] if _takes_conv(conv) else [conv, NormReluPool(norm)]
            i += 4
        else:
            steps.append(layers[i])
            i += 1
    return steps


def _takes_conv(conv: Conv2D) -> bool:
    return (
        not conv.needs_input_gradient
        and not conv.use_bias
        and (conv.stride, conv.dilation, conv.groups) == ((1, 1), (1, 1), 1)
        and conv_norm_pool_fits(pair(conv.kernel_size), conv.input_shape[2], conv.output_shape)
    )


def _fits(conv: Layer, norm: Layer, activation: Layer, pool: Layer) -> bool:
    return (
        isinstance(conv, Conv2D)
        and conv.activation is None  # else its backward needs the output that is overwritten
        and isinstance(norm, BatchNorm)
        and isinstance(activation, Activation)
        and activation.activation == "relu"
        and isinstance(pool, MaxPool2D)
        and (*pool.size_and_stride, pool.pads) == ((2, 2), (2, 2), ((0, 0), (0, 0)))
        and pool.input_shape[0] % 2 == 0
        and pool.input_shape[1] % 2 == 0
    )
