"""Networks of the kinds and sizes that people train on a processor, by name."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pellucid as pl
from pellucid.types import Array, Shape


class Network(NamedTuple):
    """A network, the batches that it is trained in, and the shape of a sample."""

    build: Callable[[], pl.Sequential]
    batch: int
    shape: Shape
    what: str

    @property
    def is_for_images(self) -> bool:
        """Whether samples are images, (height, width, channels)."""
        return len(self.shape) == 3

    def samples(self, n: int, n_outputs: int) -> tuple[Array, Array]:
        """Return n random samples and classes; one output means two classes."""
        rng = np.random.default_rng(0)
        return rng.random((n, *self.shape), dtype=np.float32), rng.integers(0, max(2, n_outputs), n)


NETWORKS: dict[str, Network] = {}


def network(name: str, batch: int, shape: Shape, what: str) -> Callable[[Callable[[], list[pl.Layer]]], None]:
    """Return a decorator that enters a function that returns layers."""

    def enter(layers: Callable[[], list[pl.Layer]]) -> None:
        NETWORKS[name] = Network(lambda: pl.Sequential(layers()), batch, shape, what)

    return enter


def conv(filters: int, size: int = 3, act: str | None = "relu", **options: Any) -> list[pl.Layer]:
    """Convolution, batch norm, activation."""
    padding = options.pop("padding", size // 2)
    layers: list[pl.Layer] = [
        pl.Conv2D(filters, size, padding=padding, use_bias=False, **options),
        pl.BatchNorm(),
    ]
    return layers if act is None else [*layers, pl.Activation(act)]


def residual(
    body: list[pl.Layer], shortcut: list[pl.Layer] | None = None, act: str | None = "relu"
) -> pl.Layer:
    """A block with a shortcut, and an activation after it."""
    block = pl.Residual(pl.Sequential(body), None if shortcut is None else pl.Sequential(shortcut))
    return block if act is None else pl.Sequential([block, pl.Activation(act)])


NETWORKS["cnn"] = Network(
    lambda: pl.preset("cnn"), 32, (64, 64, 3), "the preset: [3x3, norm, relu, max pool] x 4"
)
NETWORKS["resnet-small"] = Network(
    lambda: pl.preset("resnet-small", 10), 32, (64, 64, 3), "the preset: residual blocks, 16 to 64 channels"
)


@network("lenet", 32, (64, 64, 3), "5x5 kernels with biases, max pools, dense layers")
def _lenet() -> list[pl.Layer]:
    features = [layer for n in (16, 32) for layer in (pl.Conv2D(n, 5, activation="relu"), pl.MaxPool2D())]
    return [*features, pl.Flatten(), pl.Dense(120, activation="relu"), pl.Dense(10)]


@network("plain", 32, (64, 64, 3), "3x3 with biases and max pools, no norms")
def _plain() -> list[pl.Layer]:
    features = [layer for n in (32, 64, 128) for layer in (pl.Conv2D(n, activation="relu"), pl.MaxPool2D())]
    return [*features, pl.GlobalAvgPool2D(), pl.Dense(10)]


@network("vgg", 32, (32, 32, 3), "double 3x3 convolutions with norms, dense head with dropout")
def _vgg() -> list[pl.Layer]:
    stages = [layer for n in (32, 64, 128) for layer in (*conv(n), *conv(n), pl.MaxPool2D())]
    return [*stages, pl.Flatten(), pl.Dense(256, activation="relu"), pl.Dropout(0.5), pl.Dense(10)]


@network(
    "mnist-conv", 128, (28, 28, 1), "the MNIST example of the manuals: two 3x3, max pool, dropout, dense"
)
def _mnist_conv() -> list[pl.Layer]:
    features = [
        pl.Conv2D(32, padding="valid", activation="relu"),
        pl.Conv2D(64, padding="valid", activation="relu"),
    ]
    head = [pl.Dropout(0.25), pl.Flatten(), pl.Dense(128, activation="relu"), pl.Dropout(0.5), pl.Dense(10)]
    return [*features, pl.MaxPool2D(), *head]


@network("all-convolutional", 128, (32, 32, 3), "3x3 with strides in place of pools")
def _all_convolutional() -> list[pl.Layer]:
    stages = [layer for n in (32, 64, 128) for layer in (*conv(n), *conv(n, stride=2))]
    return [*stages, pl.GlobalAvgPool2D(), pl.Dense(10)]


@network("mobilenet", 32, (64, 64, 3), "depthwise 3x3 and 1x1, strides")
def _mobilenet() -> list[pl.Layer]:
    layers, before = conv(32, stride=2), 32
    for n, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        layers += [*conv(before, groups=before, stride=stride), *conv(n, 1)]
        before = n
    return [*layers, pl.GlobalAvgPool2D(), pl.Dense(10)]


@network("resnext", 64, (32, 32, 3), "residual bottlenecks, 3x3 in 8 groups")
def _resnext() -> list[pl.Layer]:
    def block(n: int, stride: int) -> pl.Layer:
        body = [*conv(n, 1), *conv(n, groups=8, stride=stride), *conv(2 * n, 1, act=None)]
        return residual(body, conv(2 * n, 1, act=None, stride=stride) if stride == 2 or n == 32 else None)

    return [*conv(32), block(32, 1), block(64, 2), block(128, 2), pl.GlobalAvgPool2D(), pl.Dense(10)]


@network("convnext", 32, (64, 64, 3), "patches of 4x4, depthwise 7x7, LayerNorm, GELU, residual")
def _convnext() -> list[pl.Layer]:
    def block(n: int) -> pl.Layer:
        body = [
            pl.Conv2D(n, 7, groups=n),
            pl.LayerNorm(),
            pl.Conv2D(4 * n, 1, activation="gelu"),
            pl.Conv2D(n, 1),
        ]
        return residual(body, act=None)

    first = [pl.Conv2D(48, 4, stride=4, padding="valid"), pl.LayerNorm(), block(48), block(48)]
    second = [pl.LayerNorm(), pl.Conv2D(96, 2, stride=2, padding="valid"), block(96), block(96)]
    return [*first, *second, pl.GlobalAvgPool2D(), pl.LayerNorm(), pl.Dense(10)]


@network("squeezenet", 32, (64, 64, 3), "1x1 beside 3x3, joined; max pools of 3x3, no norms")
def _squeezenet() -> list[pl.Layer]:
    def fire(squeeze: int, expand: int) -> list[pl.Layer]:
        branches = [pl.Conv2D(expand, size, activation="relu") for size in (1, 3)]
        return [pl.Conv2D(squeeze, 1, activation="relu"), pl.Parallel(branches)]

    def pool() -> pl.Layer:
        return pl.MaxPool2D(3, stride=2, padding=1)

    stem = [pl.Conv2D(64, stride=2, padding=1, activation="relu"), pool()]
    fires = [*fire(16, 64), *fire(16, 64), pool(), *fire(32, 128), *fire(32, 128)]
    return [*stem, *fires, pl.GlobalAvgPool2D(), pl.Dense(10)]


@network("silu-average", 16, (64, 64, 3), "3x3, norm, SiLU, average pools")
def _silu_average() -> list[pl.Layer]:
    stages = [layer for n in (32, 64, 128) for layer in (*conv(n, act="silu"), pl.AvgPool2D())]
    return [*stages, pl.GlobalAvgPool2D(), pl.Dense(10)]


@network(
    "large-photos", 8, (128, 128, 3), "7x7 with stride 2, max pool of 3x3, residual blocks of 64 and 128"
)
def _large_photos() -> list[pl.Layer]:
    def block(n: int, stride: int = 1) -> pl.Layer:
        shortcut = conv(n, 1, act=None, stride=2) if stride == 2 else None
        return residual([*conv(n, stride=stride), *conv(n, act=None)], shortcut)

    stem = [*conv(64, 7, stride=2), pl.MaxPool2D(3, stride=2, padding=1)]
    return [*stem, block(64), block(64), block(128, 2), pl.GlobalAvgPool2D(), pl.Dense(10)]


@network("wide-dense", 128, (256,), "256-2048-2048-10, relu")
def _wide_dense() -> list[pl.Layer]:
    return [pl.Dense(2048, activation="relu"), pl.Dense(2048, activation="relu"), pl.Dense(10)]


@network("deep-dense", 128, (100,), "ten layers of 256, batch norm, relu")
def _deep_dense() -> list[pl.Layer]:
    hidden = [layer for _ in range(10) for layer in (pl.Dense(256), pl.BatchNorm(), pl.Activation("relu"))]
    return [*hidden, pl.Dense(10)]


@network("dense-layer-norm", 64, (256,), "three layers of 512, LayerNorm, GELU, dropout")
def _dense_layer_norm() -> list[pl.Layer]:
    hidden = [(pl.Dense(512), pl.LayerNorm(), pl.Activation("gelu"), pl.Dropout(0.1)) for _ in range(3)]
    return [*(layer for group in hidden for layer in group), pl.Dense(10)]


def _digits() -> list[pl.Layer]:
    return [pl.Dense(128, activation="relu"), pl.Dense(64, activation="relu"), pl.Dense(10)]


network("mlp-32", 32, (784,), "784-128-64-10, relu")(_digits)
network("mlp-128", 128, (784,), "784-128-64-10, relu")(_digits)
NETWORKS["table"] = Network(
    lambda: pl.preset("mlp-wide", 7), 256, (54,), "the preset mlp-wide on 54 columns: norms, dropout"
)
