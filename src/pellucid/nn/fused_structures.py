"""Structures that run as one step in a prediction, where kernels are compiled; the results are the same."""

from typing import final

from pellucid.dispatch import ops as chains
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel
from pellucid.nn.dense import Dense
from pellucid.nn.fusion import Chain, are_hooked
from pellucid.nn.layer import Layer
from pellucid.nn.pooling import GlobalAvgPool2D
from pellucid.nn.sequential import Sequential
from pellucid.ops.fused import DenseLink
from pellucid.types import Array


def step_of(layer: Layer) -> Layer:
    """Return what stands for a structure in a prediction: perhaps itself."""
    return SqueezeExcite(layer) if _is_squeeze(layer) else layer


@final
class SqueezeExcite(Chain):
    """An image times what dense layers make of its channels' means, in a prediction of one sample.

    Parameters
    ----------
    layer : Parallel
        The image itself, and a Sequential of GlobalAvgPool2D and Dense layers, multiplied.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__([layer])
        self._inner = _all_places(layer)
        self._dense = [place for place in self._inner if isinstance(place, Dense)]
        self._links: list[DenseLink] = []

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the layer's output."""
        if len(X) == 1 and not training and not are_hooked(self._inner):
            return super().forward(X)
        self._predicted = None
        return self._by_layers(X, training)

    def _predict(self, X: Array) -> Array:
        params = [(layer.params["W"], layer.params["b"]) for layer in self._dense]
        if not self._links or any(
            W is not link.W or b is not link.b for (W, b), link in zip(params, self._links, strict=True)
        ):
            ops = [layer.activation_op for layer in self._dense]
            self._links = [DenseLink(W, b, op) for (W, b), op in zip(params, ops, strict=True)]
        return chains.squeeze_excite(X, self._links, workspace=self._workspace)


def _all_places(layer: Layer) -> list[Layer]:
    return [layer, *(each for place in layer._places for each in _all_places(place))]


def _is_squeeze(layer: Layer) -> bool:
    """Return whether a layer is an image times what dense layers make of its channels' means."""
    if not isinstance(layer, Parallel) or layer.merge != "multiply" or len(layer._places) != 2:
        return False
    image, weights = layer._places
    is_image = isinstance(image, Activation) and image.activation == "linear"
    if not is_image or not isinstance(weights, Sequential):
        return False
    mean, *dense = weights._places
    is_plain = isinstance(mean, GlobalAvgPool2D) and len(dense) > 0
    return is_plain and all(isinstance(each, Dense) for each in dense)
