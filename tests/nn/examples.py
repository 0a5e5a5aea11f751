"""Every layer of the library, with options and the shape of its samples: for tests that go through all."""

from typing import Any

import numpy as np

from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer
from pellucid.nn.norm import Affine, BatchNorm, LayerNorm
from pellucid.nn.pooling import (
    AvgPool2D,
    GlobalAvgPool2D,
    MaxPool2D,
    ReflectPad2D,
    Resize2D,
    UpSample2D,
    ZeroPad2D,
)
from pellucid.nn.sequential import Sequential
from pellucid.types import Shape

IMAGE, ROW = (6, 6, 2), (5,)
EXAMPLES: list[tuple[Layer, Shape]] = [
    (Activation("relu"), (40,)),
    (Activation("leaky_relu", slope=0.2), (40,)),
    (Affine(), IMAGE),
    (Affine(shift=False), ROW),
    (AvgPool2D((2, 3)), IMAGE),
    (AvgPool2D(3, 2, "same", count_include_pad=False), IMAGE),
    (BatchNorm(), ROW),
    (BatchNorm(momentum=0.2), IMAGE),
    (Conv2D(4), IMAGE),
    (Conv2D(4, (3, 2), stride=2, padding="valid"), IMAGE),
    (Conv2D(4, 3, dilation=2, padding=((0, 1), (2, 0))), IMAGE),
    (Conv2D(4, (3, 5), stride=2, padding=((0, 1), (1, 0)), groups=2, use_bias=False), IMAGE),
    (Conv2D(5, 1, use_bias=False), IMAGE),
    (Conv2D(17, activation="tanh"), (6, 6, 18)),  # by Winograd
    (Dense(20, activation="relu", initializer="lecun"), ROW),
    (Dropout(0.25), ROW),
    (Flatten(), IMAGE),
    (GlobalAvgPool2D(), IMAGE),
    (Graph(["x"], {"a": (Dense(3, "relu"), "x"), "b": ("multiply", ["a", "a"])}, ["a", "b"]), ROW),
    (LayerNorm(epsilon=1e-3), ROW),
    (MaxPool2D(2, 1), (12, 12, 3)),
    (MaxPool2D(padding=1), IMAGE),
    (MaxPool2D(3, stride=2, padding="same"), IMAGE),
    (Parallel([Dense(2), Sequential([Dense(2, "relu")])], merge="multiply"), ROW),
    (ReflectPad2D(((1, 2), (0, 3))), IMAGE),
    (Residual(Dense(4, activation="relu"), Dense(4)), ROW),
    (Resize2D((3, 4), align_corners=True), IMAGE),
    (Resize2D((4, 9)), IMAGE),
    (Sequential([Dense(2), Residual(Sequential([Dense(2)]))], dtype="float64"), ROW),
    (UpSample2D((2, 1)), IMAGE),
    (ZeroPad2D((1, 2)), IMAGE),
]
IDS = [repr(layer)[:40] for layer, _ in EXAMPLES]


def built(layer: Layer, *shape: int) -> Any:
    """Return a layer that is built, with arrays for its gradients."""
    layer.build(shape, StartRandom(np.random.PCG64(0)))
    layer.grads = {key: np.empty_like(array) for key, array in layer.params.items()}
    return layer
