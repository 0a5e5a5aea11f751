"""Networks of every layer and structure, as a training leaves them, for the tests of exports."""

import sys
from typing import Any

import numpy as np

import pellucid as pl
from pellucid.nn.layer import LAYERS


def own_layers() -> set[type[pl.Layer]]:
    """Return the package's own layers, without those that examples of docstrings have registered."""
    return {
        cls
        for name, cls in LAYERS.items()
        if cls.__module__.startswith("pellucid.") and getattr(sys.modules[cls.__module__], name, None) is cls
    }


def shaken(model: pl.Model, shape: Any, seed: int = 1) -> pl.Model:
    """Return a model with random parameters and statistics, as a training leaves them."""
    model.initialize(shape, seed=seed)
    rng = np.random.default_rng(seed)
    model.theta += 0.1 * rng.standard_normal(model.theta.size)
    for leaf in model._leaves():
        for key, array in leaf.state.items():
            array[...] = rng.random(array.shape) + (key == "running_var")
    return model


def of_images(*layers: pl.Layer) -> pl.Model:
    return pl.Sequential([pl.Conv2D(6, activation="relu"), *layers, pl.Flatten(), pl.Dense(3)])


def means(n: int, activation: str | None = None) -> pl.Model:
    """Return layers that give n numbers for an image, of its channels' means."""
    return pl.Sequential([pl.GlobalAvgPool2D(), pl.Dense(n, activation)])


class Reversed(pl.Layer):
    """A layer of one's own that does not compute each number by itself, so that no export can write it."""

    def forward(self, X: Any, *, training: bool = False) -> Any:
        return X[..., ::-1]

    def backward(self, dY: Any) -> Any:
        return dY[..., ::-1]


def activated(name: str, *before: pl.Layer, shape: Any = (4,)) -> pl.Model:
    """Return a network with an activation in both of its places, and outputs on all of its pieces."""
    options = {"leaky_relu": {"slope": 0.3}, "elu": {"alpha": 0.7}, "relu6": {"high": 2.0}}.get(name, {})
    layers = [*before, pl.Dense(9, name), pl.Activation(name, **options), pl.Dense(3)]
    model = shaken(pl.Sequential(layers), shape)
    model.theta *= 5
    return model


NETWORKS: dict[str, tuple[Any, Any]] = {
    "tables": (
        lambda: pl.Sequential(
            [
                pl.Affine(),
                pl.Dense(5, "tanh"),
                pl.BatchNorm(),
                # Second: the page's functions are named by layer, and one test joins pages
                pl.Affine(shift=False),
                pl.LayerNorm(),
                pl.Dense(1),
            ]
        ),
        (7,),
    ),
    "flat images": (lambda: pl.Sequential([pl.Flatten(), pl.Dense(4)]), (5, 6, 3)),
    "strides, dilation, groups": (
        lambda: of_images(
            pl.Conv2D(8, (3, 2), stride=(2, 1), dilation=(1, 2), groups=2, padding="valid"),
            pl.Conv2D(8, groups=8, stride=2, use_bias=False),
            pl.Conv2D(4, 1, padding=((1, 0), (0, 2))),
        ),
        (13, 11, 3),
    ),
    "pools": (
        lambda: of_images(
            *(pl.MaxPool2D(3, stride=2, padding=1), pl.AvgPool2D(2, padding=((1, 0), (0, 1)))),
            pl.UpSample2D((2, 1)),
            pl.AvgPool2D(3, stride=1, padding="same", count_include_pad=False),
            *(pl.ZeroPad2D(((1, 0), (2, 1))), pl.Dropout(0.5)),
        ),
        (12, 12, 3),
    ),
    "resized": (
        lambda: of_images(
            *(pl.Resize2D((7, 16)), pl.ReflectPad2D(((1, 0), (2, 3)))),
            *(pl.Resize2D((11, 5), align_corners=True), pl.ReflectPad2D(1)),
        ),
        (5, 8, 3),
    ),
    "norms": (
        lambda: pl.Sequential(
            *(pl.Conv2D(6), pl.BatchNorm(), pl.Affine(), pl.LayerNorm(), pl.Activation("softmax")),
            *(pl.GlobalAvgPool2D(), pl.Dense(2)),
        ),
        (6, 6, 3),
    ),
    "branches": (
        lambda: pl.Sequential(
            *(pl.Conv2D(4), pl.Parallel([pl.Conv2D(3, 1), pl.Sequential([pl.Conv2D(2), pl.BatchNorm()])])),
            *(pl.Residual(pl.Conv2D(5, activation="silu")), pl.Residual(pl.Conv2D(7), pl.Conv2D(7, 1))),
            pl.Parallel([pl.Conv2D(7), pl.Conv2D(7, 1)], merge="add"),
            pl.Parallel([pl.Conv2D(4), pl.Conv2D(4, 1), pl.Conv2D(4, 3)], merge="mean"),
            *(pl.GlobalAvgPool2D(), pl.Dense(3)),
        ),
        (8, 8, 1),
    ),
    "weighed channels": (
        lambda: pl.Sequential(
            pl.Conv2D(6, activation="hard_swish"),
            pl.Parallel(
                [pl.Activation("linear"), means(6, "hard_sigmoid"), pl.Conv2D(1, 1, activation="sigmoid")],
                merge="multiply",
            ),
            pl.Parallel([pl.Conv2D(4), means(4)], merge="add"),
            *(pl.GlobalAvgPool2D(), pl.Dense(3)),
        ),
        (7, 6, 3),
    ),
    "preset resnet-small": (lambda: pl.preset("resnet-small", 4), (32, 32, 3)),
    "preset mlp, in float64": (lambda: pl.preset("mlp"), (8, 8, 3)),
    "one layer twice": (
        lambda: (lambda tied: pl.Sequential([tied, tied, pl.Dense(2)]))(pl.Dense(7, "relu")),
        (7,),
    ),
}


def two_inputs() -> pl.Model:
    return pl.Graph(
        inputs=["photo", "facts"],
        nodes={
            "seen": (pl.Conv2D(3, activation="relu"), "photo"),
            "more": (pl.Conv2D(3), "seen"),
            "sum": ("add", ["seen", "more"]),
            "pixels": (pl.Flatten(), "sum"),
            "both": ("concat", ["pixels", "facts"]),
            "kind": (pl.Dense(3), "both"),
            "size": (pl.Dense(1), "both"),
        },
        outputs=["kind", "size"],
    )
