"""Neighbouring layers that run as one step where kernels are compiled; the results are the same."""

from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any, final

import numpy as np

from pellucid.dispatch import ops as chains
from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import MaxPool2D, ZeroPad2D
from pellucid.nn.windows import pair
from pellucid.ops.activations import Activation as ActivationOp
from pellucid.ops.conv_geometry import NO_PADDING
from pellucid.ops.fused import Link, bounds_of
from pellucid.types import Array

FEWEST_CHANNELS = 12  # of a convolution by Winograd
MOST_WEIGHTS = 2**15  # whose 36 numbers each stay in a cache: a product of few tiles reads them all


@final
class ConvBlock(Layer):
    """A convolution and what follows it: batch norm, relu, 2x2 max pooling; see :mod:`pellucid.ops.fused`.

    It has no parameters of its own: it uses those of the layers that it stands for. Where one of them is hooked, it
    runs them one after another.

    Parameters
    ----------
    layers : sequence of Layer
        Conv2D, then perhaps BatchNorm, relu as an Activation or as the convolution's own, and MaxPool2D. In a
        ConvRun perhaps ZeroPad2D first, and any activation that has bounds; no MaxPool2D.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers = list(layers)
        conv = next(layer for layer in layers if isinstance(layer, Conv2D))
        self.conv, self._is_frozen = conv, conv._is_frozen
        self.norm = next((layer for layer in layers if isinstance(layer, BatchNorm)), None)
        self.is_pooled = isinstance(layers[-1], MaxPool2D)
        self.has_relu = conv.activation == "relu" or any(isinstance(layer, Activation) for layer in layers)
        self.activation = next((a for a in map(_activation_of, reversed(layers)) if a is not None), None)
        self._cache: Any = None
        self._predicted: Array | None = None  # X of a forward outside training
        self._fold: tuple[Any, Array, Array] | None = None  # of the norm: its numbers, scale and shift

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the last layer's output."""
        self._cache = self._predicted = None
        if are_hooked(self.layers):
            return self._forward_by_layers(X, training)
        if training:
            return self._forward_with_norm(X) if self.norm is not None else self._forward_with_relu(X)
        self._predicted = X
        return self._predict(X)

    def _forward_by_layers(self, X: Array, training: bool) -> Array:
        for layer in self.layers:
            X = layer.forward(X, training=training)
        return X

    def _forward_with_norm(self, X: Array) -> Array:
        norm = self.norm
        assert norm is not None
        A: Array
        A, moments, self._cache = chains.conv_norm_forward(
            X,
            self.conv.params["W"],
            norm.params["gamma"],
            norm.params["beta"],
            **self.conv.window,
            epsilon=norm.epsilon,
            relu=self.has_relu,
            pool=self.is_pooled,
            reduce=norm.reduce,
            workspace=self._workspace,
        )
        if moments.n == 1:  # no variance
            self._cache = None
            return self._forward_by_layers(X, training=True)
        norm.record(moments._replace(mean=moments.mean + self.conv.params.get("b", 0)))
        return A

    def _forward_with_relu(self, X: Array) -> Array:
        params = self.conv.params
        A: Array
        A, self._cache = chains.conv_relu_forward(
            X,
            params["W"],
            params.get("b"),
            **self.conv.window,
            pool=self.is_pooled,
            workspace=self._workspace,
        )
        return A

    def _scale_and_shift(self) -> tuple[Array | None, Array | None]:
        return (None, self.conv.params.get("b")) if self.norm is None else self._folded(self.norm)

    def link(self) -> Link:
        """Return what it computes outside training."""
        return Link(
            self.conv.params["W"], *self._scale_and_shift(), **self._window, activation=self.activation
        )

    @cached_property
    def _window(self) -> dict[str, Any]:
        window, pad = self.conv.window, self.layers[0]
        if isinstance(pad, ZeroPad2D):
            both = tuple((a + c, b + d) for (a, b), (c, d) in zip(pad.pads, window["padding"], strict=True))
            window = {**window, "padding": both}
        return window

    def _predict(self, X: Array) -> Array:
        A: Array = chains.conv_affine(
            X,
            self.conv.params["W"],
            *self._scale_and_shift(),
            **self.conv.window,
            relu=self.has_relu,
            pool=self.is_pooled,
            workspace=self._workspace,
        )
        return A

    def _folded(self, norm: BatchNorm) -> tuple[Array, Array]:
        """Return the norm as a scale and a shift: read-only, the same arrays until one of its numbers changes."""
        b, gamma, beta = self.conv.params.get("b"), norm.params["gamma"], norm.params["beta"]
        mean, var = norm.state["running_mean"], norm.state["running_var"]
        numbers = (
            norm.epsilon,
            *(array.tobytes() for array in (gamma, beta, mean, var)),
            b is not None and b.tobytes(),
        )
        if self._fold is None or self._fold[0] != numbers:
            scale = gamma / np.sqrt(var + norm.epsilon)
            shift = beta - scale * (mean if b is None else mean - b)
            scale.flags.writeable = shift.flags.writeable = False
            self._fold = numbers, scale, shift
        return self._fold[1:]

    def backward(self, dY: Array) -> Array | None:
        """Write the layers' gradients; return the one for X, or None where it is not needed."""
        if self._predicted is not None:  # nothing was kept for a backward: take the steps that keep it
            self._forward_by_layers(self._predicted, training=False)
            self._predicted = None
        if self._cache is None:
            dX: Array | None = dY
            for layer in reversed(self.layers):
                assert dX is not None
                dX = layer.backward(dX)
            return dX
        needs_dX, grads = self.conv._needs_input_gradient, self.conv.grads
        dX = self._workspace.take("dX", (len(dY), *self.conv.input_shape), dY.dtype) if needs_dX else None
        if self.norm is None:
            chains.conv_relu_backward(
                dY, self._cache, dX=dX, dW=grads["W"], db=grads.get("b"), needs_dX=needs_dX
            )
            return dX
        if "b" in grads:  # the norm subtracts it again
            grads["b"].fill(0)
        chains.conv_norm_backward(
            dY,
            self._cache,
            dX=dX,
            dW=grads["W"],
            dgamma=self.norm.grads["gamma"],
            dbeta=self.norm.grads["beta"],
            needs_dX=needs_dX,
            reduce=self.norm.reduce,
        )
        return dX


@final
class ConvRun(Layer):
    """Blocks that follow one another in a prediction, without pooling; see :func:`pellucid.ops.fused.conv_run`."""

    def __init__(self, blocks: Sequence[ConvBlock]) -> None:
        super().__init__()
        self.blocks, self._is_frozen = list(blocks), blocks[0]._is_frozen
        self.layers = [layer for block in blocks for layer in block.layers]
        self._predicted: Array | None = None  # X of the last forward, if no layer has seen it

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the last layer's output."""
        self._predicted = None
        if training or are_hooked(self.layers):
            return self._forward_by_layers(X, training)
        self._predicted = X
        A: Array = chains.conv_run(X, [block.link() for block in self.blocks], workspace=self._workspace)
        return A

    def _forward_by_layers(self, X: Array, training: bool) -> Array:
        for layer in self.layers:
            X = layer.forward(X, training=training)
        return X

    def backward(self, dY: Array) -> Array | None:
        """Write the layers' gradients; return the one for X, or None where it is not needed."""
        if self._predicted is not None:
            self._forward_by_layers(self._predicted, training=False)
            self._predicted = None
        dX: Array | None = dY
        for layer in reversed(self.layers):
            assert dX is not None
            dX = layer.backward(dX)
        return dX


def are_hooked(layers: Sequence[Layer]) -> bool:
    """Return whether one of these layers is hooked."""
    return any("forward" in vars(layer) or "backward" in vars(layer) for layer in layers)


def fused(layers: Sequence[Layer]) -> list[Layer]:
    """Return the steps of a pass through layers that follow one another.

    A Conv2D with what follows it becomes a ConvBlock: BatchNorm, then perhaps relu, then perhaps max pooling over
    2x2 of even sides; or without the norm relu, its own or the next layer's, and perhaps that pooling. All other
    layers are separate steps. A frozen layer is fused with frozen ones only.
    """
    steps: list[Layer] = []
    i = 0
    while i < len(layers):
        n = _length(_alike(layers[i : i + 4]))
        steps.append(ConvBlock(layers[i : i + n]) if n else layers[i])
        i += max(1, n)
    return steps


def fused_for_prediction(layers: Sequence[Layer]) -> list[Layer]:
    """Return the steps of a prediction: as :func:`fused`, and what is no matter of Winograd's as ConvRuns.

    A run ends before a convolution that widens an image.
    """
    steps: list[Layer] = []
    i = 0
    while i < len(layers):
        run: list[ConvBlock] = []
        while n := _link_length(_alike(layers[i : i + 4])):
            block = ConvBlock(layers[i : i + n])
            if run and (
                block.conv.filters > block.conv.input_shape[-1] or block._is_frozen != run[0]._is_frozen
            ):
                break
            run.append(block)
            i += n
        if run:
            steps.append(ConvRun(run))
            continue
        n = _length(_alike(layers[i : i + 4]))
        if not n and isinstance(conv := layers[i], Conv2D) and conv.activation is None:
            n = 1
        steps.append(ConvBlock(layers[i : i + n]) if n else layers[i])
        i += max(1, n)
    return steps


def _link_length(layers: Sequence[Layer]) -> int:
    """Return how many of these layers, from the first on, are one link of a run; 0 if they begin none."""
    n = int(len(layers) > 1 and isinstance(layers[0], ZeroPad2D))
    conv = layers[n] if n < len(layers) else None
    if not isinstance(conv, Conv2D) or _is_for_winograd(conv) or bounds_of(conv.activation_op) is None:
        return 0
    n += 1
    if conv.activation is None and n < len(layers) and isinstance(layers[n], BatchNorm):
        n += 1
    if conv.activation is None and n < len(layers) and (op := _activation_of(layers[n])) and bounds_of(op):
        n += 1
    if n < len(layers) and _is_plain_pooling(layers[n]) and _length(layers) > 1:
        return 0
    return n


def _is_for_winograd(conv: Conv2D) -> bool:
    """Return whether a quarter of the multiplications will do: see kernels/conv_winograd.py."""
    sizes = pair(conv.kernel_size), pair(conv.stride), pair(conv.dilation), conv.groups
    c_in, c_out = conv.input_shape[-1], conv.filters
    is_3x3 = sizes == ((3, 3), (1, 1), (1, 1), 1)
    return is_3x3 and min(c_in, c_out) >= FEWEST_CHANNELS and c_in * c_out <= MOST_WEIGHTS


def _activation_of(layer: Layer) -> ActivationOp | None:
    return layer.activation_op if isinstance(layer, Activation | Conv2D) else None


def _alike(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers up to the first that is frozen where the first of all is not, or the other way round."""
    is_frozen = layers[0]._is_frozen if layers else False
    return list(takewhile(lambda layer: layer._is_frozen == is_frozen, layers))


def _length(layers: Sequence[Layer]) -> int:
    """Return how many of these layers, from the first on, are one block; 0 if it begins none."""
    conv = layers[0]
    if not isinstance(conv, Conv2D) or conv.activation not in (None, "relu"):
        return 0
    n = 1
    has_norm, has_relu = False, conv.activation == "relu"
    if not has_relu and n < len(layers) and isinstance(layers[n], BatchNorm):
        n, has_norm = n + 1, True
    if not has_relu and n < len(layers) and _is_relu(layers[n]):
        n, has_relu = n + 1, True
    if has_relu and n < len(layers) and _is_plain_pooling(layers[n]):
        n += 1
    return n if has_norm or has_relu else 0


def _is_relu(layer: Layer) -> bool:
    return isinstance(layer, Activation) and layer.activation == "relu"


def _is_plain_pooling(layer: Layer) -> bool:
    return (
        isinstance(layer, MaxPool2D)
        and layer.window == {"size": (2, 2), "stride": (2, 2), "padding": NO_PADDING}
        and layer.input_shape[0] % 2 == 0
        and layer.input_shape[1] % 2 == 0
    )
