"""Neighbouring layers that run as one step where kernels are compiled; the results are the same."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any, final

import numpy as np

from pellucid.dispatch import ops as chains
from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.hooks import is_hooked
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


class Chain(Layer):
    """Layers that run as one step. It has no parameters: where a layer is hooked, they run one after another."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers, self._is_frozen = list(layers), layers[0]._is_frozen
        self._predicted: Array | None = None  # X of the last forward, if no layer has seen it

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the last layer's output."""
        self._predicted = None
        if any(map(is_hooked, self.layers)):
            return self._by_layers(X, training)
        if training:
            return self._train(X)
        self._predicted = X
        return self._predict(X)

    def _by_layers(self, X: Array, training: bool) -> Array:
        for layer in self.layers:
            X = layer.forward(X, training=training)
        return X

    def _train(self, X: Array) -> Array:
        return self._by_layers(X, training=True)

    @abstractmethod
    def _predict(self, X: Array) -> Array:
        """Return the output as one step computes it."""

    def backward(self, dY: Array) -> Any:
        """Write the layers' gradients; return the one for X, or None where it is not needed."""
        if self._predicted is not None:  # nothing was kept for a backward: take the steps that keep it
            self._by_layers(self._predicted, training=False)
            self._predicted = None
        dX: Any = dY
        for layer in reversed(self.layers):
            dX = layer.backward(dX)
        return dX


@final
class ConvBlock(Chain):
    """A convolution and what follows it: batch norm, relu, 2x2 max pooling; see :mod:`pellucid.ops.fused`.

    Parameters
    ----------
    layers : sequence of Layer
        Conv2D, then perhaps BatchNorm, relu as an Activation or as the convolution's own, and MaxPool2D. In a
        ConvRun perhaps ZeroPad2D first, and any activation that has bounds; no MaxPool2D.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__(layers)
        self.conv = conv = next(layer for layer in layers if isinstance(layer, Conv2D))
        self.norm = next((layer for layer in layers if isinstance(layer, BatchNorm)), None)
        self.is_pooled = isinstance(layers[-1], MaxPool2D)
        self.has_relu = conv.activation == "relu" or any(isinstance(layer, Activation) for layer in layers)
        self.activation = next((a for a in map(_activation_of, reversed(layers)) if a is not None), None)
        self._cache: Any = None
        self._link: Link | None = None
        self._fold: tuple[Any, Array, Array] | None = None  # of the norm: its numbers, scale and shift

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the last layer's output."""
        self._cache = None
        return super().forward(X, training=training)

    def _train(self, X: Array) -> Array:
        params, norm = self.conv.params, self.norm
        how: dict[str, Any] = {**self.conv.window, "pool": self.is_pooled, "workspace": self._workspace}
        if norm is None:
            A, self._cache = chains.conv_relu_forward(X, params["W"], params.get("b"), **how)
            return A
        how |= {"epsilon": norm.epsilon, "relu": self.has_relu, "reduce": norm.reduce}
        A, moments, self._cache = chains.conv_norm_forward(
            X, params["W"], norm.params["gamma"], norm.params["beta"], **how
        )
        if moments.n == 1:  # no variance
            self._cache = None
            return self._by_layers(X, training=True)
        norm.record(moments._replace(mean=moments.mean + params.get("b", 0)))
        return A

    def link(self) -> Link:
        """Return what it computes outside training: the same until an array is another, or a norm's values are."""
        W, (scale, shift), kept = self.conv.params["W"], self._scale_and_shift(), self._link
        if kept is None or kept.W is not W or kept.scale is not scale or kept.shift is not shift:
            kept = self._link = Link(W, scale, shift, **self._window, activation=self.activation)
        return kept

    @cached_property
    def _window(self) -> dict[str, Any]:
        window, pad = self.conv.window, self.layers[0]
        if isinstance(pad, ZeroPad2D):
            both = tuple((a + c, b + d) for (a, b), (c, d) in zip(pad.pads, window["padding"], strict=True))
            window = {**window, "padding": both}
        return window

    def _predict(self, X: Array) -> Array:
        return chains.conv_affine(
            X,
            self.conv.params["W"],
            *self._scale_and_shift(),
            **self.conv.window,
            relu=self.has_relu,
            pool=self.is_pooled,
            workspace=self._workspace,
        )

    def _scale_and_shift(self) -> tuple[Array | None, Array | None]:
        """Return the norm as a scale and a shift: read-only, the same arrays until one of its numbers changes."""
        b, norm = self.conv.params.get("b"), self.norm
        if norm is None:
            return None, b
        gamma, beta = norm.params["gamma"], norm.params["beta"]
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

    def backward(self, dY: Array) -> Any:
        """Write the layers' gradients; return the one for X, or None where it is not needed."""
        if self._cache is None:
            return super().backward(dY)
        needs_dX, grads, norm = self.conv._needs_input_gradient, self.conv.grads, self.norm
        dX = self._workspace.take("dX", (len(dY), *self.conv.input_shape), dY.dtype) if needs_dX else None
        how: dict[str, Any] = {"dX": dX, "dW": grads["W"], "needs_dX": needs_dX}
        if norm is None:
            chains.conv_relu_backward(dY, self._cache, db=grads.get("b"), **how)
            return dX
        if "b" in grads:  # the norm subtracts it again
            grads["b"].fill(0)
        how |= {"dgamma": norm.grads["gamma"], "dbeta": norm.grads["beta"], "reduce": norm.reduce}
        chains.conv_norm_backward(dY, self._cache, **how)
        return dX


@final
class ConvRun(Chain):
    """Blocks that follow one another in a prediction, without pooling; see :func:`pellucid.ops.fused.conv_run`."""

    def __init__(self, blocks: Sequence[ConvBlock]) -> None:
        super().__init__([layer for block in blocks for layer in block.layers])
        self.blocks = list(blocks)

    def _predict(self, X: Array) -> Array:
        return chains.conv_run(X, [block.link() for block in self.blocks], workspace=self._workspace)


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
    follows = layers[n] if n < len(layers) else None
    if conv.activation is None and isinstance(follows, Activation) and bounds_of(follows.activation_op):
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
    follows = layers[n : n + 1]
    if not has_relu and any(isinstance(op, Activation) and op.activation == "relu" for op in follows):
        n, has_relu = n + 1, True
    if has_relu and n < len(layers) and _is_plain_pooling(layers[n]):
        n += 1
    return n if has_norm or has_relu else 0


def _is_plain_pooling(layer: Layer) -> bool:
    return (
        isinstance(layer, MaxPool2D)
        and layer.window == {"size": (2, 2), "stride": (2, 2), "padding": NO_PADDING}
        and layer.input_shape[0] % 2 == 0
        and layer.input_shape[1] % 2 == 0
    )
