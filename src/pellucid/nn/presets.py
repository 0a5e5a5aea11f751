"""Networks by name: a preset is one function and a line that describes it."""

from collections.abc import Callable
from pathlib import Path

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, unknown_name
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.layer import Layer
from pellucid.nn.norm import Affine, BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.registry import explain_call, validate_call

PRETRAINED, DEFAULT_BODY = "pretrained", "efficientnet-lite0"
LINEAR, REALMLP, REALMLP_MEAN = "linear", "realmlp", "realmlp-mean"  # of tables
BODY_SIZE = (224, 224)  # of the photos that its body learned from


@validate_call("name", "n_classes", "n_outputs", "pixels")
def preset(
    name: str,
    n_classes: int = 2,
    *,
    n_outputs: int | None = None,
    body: str | Path | None = None,
    pixels: str | None = None,
) -> Sequential:
    """Return a new network of that name, not yet initialized; the published ones are in float64.

    Parameters
    ----------
    name : str
        "logistic", "linear", "two-layer", "mlp", "mlp-small", "mlp-wide", "realmlp", "realmlp-mean", "cnn-small",
        "cnn", "cnn-large", "resnet-small" or "pretrained", whose weights, all but the last layer's, come from the
        package of the extra ``photos``.
    n_classes : int, optional
        Two classes have one output, the logit of the second; more have one each.
    n_outputs : int, optional
        Number of outputs, whatever the classes: for regression or multi-label targets.
    body, pixels : optional
        Of "pretrained": the network that it begins with and what that takes of a photo, as for
        :func:`pellucid.pretrained`. Default: "efficientnet-lite0".

    Raises
    ------
    OptionError
        If there is no such preset; the nearest name is given. If a body does not fit.

    Examples
    --------
    >>> [type(layer).__name__ for layer in preset("two-layer").layers]
    ['Flatten', 'Dense', 'Dense']
    """
    if n_classes < 2:
        raise OptionError(f"preset: expected 2 classes or more, got {n_classes}.")
    if name not in PRESETS:
        raise OptionError(unknown_name("preset", name, PRESETS))
    units = n_outputs or (1 if n_classes == 2 else n_classes)
    if body is not None or pixels is not None:
        check_has_body(name, "body" if body is not None else "pixels")
        model = _pretrained(units, DEFAULT_BODY if body is None else str(body), pixels)
    else:
        model = _NETWORKS[name][1](units)
    model._recipe = name
    return model


@explain_call
def presets() -> dict[str, str]:
    """Return the presets: the name of each, and a line that describes it.

    Examples
    --------
    >>> presets()["logistic"]
    'one sigmoid unit, no hidden layer: [n, 1], from zeros'
    """
    return dict(PRESETS)


def n_outputs_for(data: Dataset) -> int:
    """Return how many outputs a preset has for data: one for two classes or one quantity, else one for each.

    Examples
    --------
    >>> X = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]
    >>> n_outputs_for(Dataset(X, [0, 1, 1])), n_outputs_for(Dataset(X, [0, 1, 2])), n_outputs_for(Dataset(X, X))
    (1, 3, 2)
    """
    y = data.y
    if y.ndim > 1:
        return int(y.shape[1])
    if y.dtype.kind == "f":
        return 1
    n_classes = len(data.classes) or (int(y.max()) + 1 if len(y) else 2)
    return 1 if n_classes <= 2 else n_classes


def _tutorial(hidden: list[int], units: int, initializer: str) -> Sequential:
    layers = [Dense(width, activation="relu", initializer=initializer) for width in hidden]
    return Sequential([Flatten(), *layers, Dense(units, initializer=initializer)], dtype="float64")


def _with_dropout(widths: list[int], units: int) -> Sequential:
    hidden: list[Layer] = []
    for width in widths:
        hidden += [Dense(width, initializer="he"), BatchNorm(), Activation("relu"), Dropout(0.2)]
    return Sequential([Flatten(), *hidden, Dense(units)])


def _realmlp_layers(units: int) -> list[Layer]:
    """RealMLP-TD-S (Holzmueller et al., 2024), narrower, with silu and the larger RealMLP-TD's dropout."""
    hidden: list[Layer] = []
    for _ in range(3):
        hidden += [Dense(128, activation="silu", initializer="lecun"), Dropout(0.15)]
    return [Affine(shift=False), *hidden, Dense(units, initializer="zeros")]


def _realmlp_mean(units: int) -> Sequential:
    branches = [Sequential(_realmlp_layers(units)) for _ in range(4)]
    return Sequential([Flatten(), Parallel(branches, merge="mean")])


def _cnn_small(units: int) -> Sequential:
    layers = [*_convolution(16), MaxPool2D(), *_convolution(32), MaxPool2D(), *_convolution(64)]
    return Sequential([*layers, Flatten(), Dropout(0.3), Dense(units)])


def _cnn(before: list[Layer], units: int) -> Sequential:
    stages = [layer for width in (24, 48, 96, 96) for layer in (*_convolution(width), MaxPool2D())]
    return Sequential([*before, *stages, GlobalAvgPool2D(), Dense(units)])


def _convolution(width: int, *, stride: int = 1) -> list[Layer]:
    """A 3x3 convolution with batch norm and relu (Ioffe and Szegedy, 2015)."""
    return [
        Conv2D(width, stride=stride, use_bias=False, initializer="he"),
        BatchNorm(),
        Activation("relu"),
    ]


def _resnet_small(units: int) -> Sequential:
    before, *_ = widths = (16, 32, 64)
    layers = _convolution(before)
    for width in widths:
        layers += [_residual(before, width), _residual(width, width)]
        before = width
    return Sequential([*layers, GlobalAvgPool2D(), Dense(units)])


def _residual(before: int, width: int) -> Sequential:
    """Two 3x3 convolutions with a shortcut (He et al., 2016, figure 2); a wider block halves height and width."""
    stride = 1 if width == before else 2
    body = Sequential(
        [
            *_convolution(width, stride=stride),
            Conv2D(width, use_bias=False, initializer="he"),
            BatchNorm(),
        ]
    )
    shortcut = None
    if stride == 2:
        shortcut = Sequential([Conv2D(width, 1, stride=2, use_bias=False, initializer="he"), BatchNorm()])
    return Sequential([Residual(body, shortcut), Activation("relu")])


def check_has_body(name: str, option: str) -> None:
    """Raise OptionError for an option of pretrained bodies, of a preset that has none."""
    if name != PRETRAINED:
        raise OptionError(
            f"{option}: it is of the model {PRETRAINED!r}, and {name!r} is asked for. Leave one out."
        )


def _pretrained(units: int, body: str = DEFAULT_BODY, pixels: str | None = None) -> Sequential:
    # Here: others need neither its layers nor its reader
    from pellucid.nn.pretrained.body import with_new_head

    return with_new_head(body, units, pixels)


_NETWORKS: dict[
    str, tuple[str, Callable[[int], Sequential]]
] = {  # what each is, and how to make it for n outputs
    "logistic": (
        "one sigmoid unit, no hidden layer: [n, 1], from zeros",
        lambda n: _tutorial([], n, "zeros"),
    ),
    "linear": (
        "logistic or ridge regression: one layer, its penalty chosen by folds; the baseline of tables",
        lambda n: Sequential([Flatten(), Dense(n, initializer="zeros")]),
    ),
    "two-layer": (
        "the tutorial's two-layer network: [n, 7, 1], relu, from normal * 0.01",
        lambda n: _tutorial([7], n, "published_two_layer"),
    ),
    "mlp": (
        "the tutorial's four-layer network: [n, 20, 7, 5, 1], relu, from its published initial weights",
        lambda n: _tutorial([20, 7, 5], n, "published"),
    ),
    "mlp-small": (
        "two hidden layers of 64 and 32 units, batch norm, dropout: for tables of under 1,000 rows",
        lambda n: _with_dropout([64, 32], n),
    ),
    "mlp-wide": (
        "two hidden layers of 256 and 128 units, batch norm, dropout: for larger tables",
        lambda n: _with_dropout([256, 128], n),
    ),
    "realmlp": (
        "three hidden layers of 128 units, a trained scale of each input, dropout: for tables",
        lambda n: Sequential([Flatten(), *_realmlp_layers(n)]),
    ),
    REALMLP_MEAN: (
        "four of realmlp, trained one after another, whose mean predicts: for tables of under 2,000 rows",
        _realmlp_mean,
    ),
    "cnn-small": (
        "three 3x3 convolutions of 16 to 64 channels, batch norm, two max pools, dropout: for pictures under 32x32",
        _cnn_small,
    ),
    "cnn": (
        "[3x3 convolution, batch norm, relu, 2x2 max pool] x 4, global average: for photos of 32x32 and up",
        lambda n: _cnn([], n),
    ),
    "cnn-large": (
        "cnn after one convolution that halves height and width: for photos of 128x128 and up",
        lambda n: _cnn(_convolution(16, stride=2), n),
    ),
    "resnet-small": (
        "three stages of residual blocks, 16 to 64 channels: for photos of 32x32 and up",
        _resnet_small,
    ),
    PRETRAINED: (
        "EfficientNet-Lite0 as it was trained on ImageNet, and a new last layer: for colour photos (extra photos)",
        _pretrained,
    ),
}
PRESETS = {name: words for name, (words, _) in _NETWORKS.items()}
