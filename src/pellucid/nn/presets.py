"""Networks by name: a preset is one function and a line that describes it."""

from collections.abc import Callable

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, unknown_name
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.registry import validate_call

PRESETS: dict[str, str] = {}  # a line that describes each
_BUILDERS: dict[str, Callable[[int], Sequential]] = {}  # from the number of outputs


def _preset(name: str, description: str) -> Callable[[Callable[[int], Sequential]], None]:
    """Return a decorator that registers a function from the number of outputs to a network."""

    def keep(build: Callable[[int], Sequential]) -> None:
        PRESETS[name], _BUILDERS[name] = description, build

    return keep


@validate_call("name", "n_classes", "n_outputs")
def preset(name: str, n_classes: int = 2, *, n_outputs: int | None = None) -> Sequential:
    """Return a new network of that name, not yet initialized; the published ones are in float64.

    Parameters
    ----------
    name : str
        "logistic", "two-layer", "mlp", "mlp-small", "mlp-wide", "cnn-small", "cnn", "cnn-large" or "resnet-small".
    n_classes : int, optional
        Two classes have one output, the logit of the second; more have one each.
    n_outputs : int, optional
        Number of outputs, whatever the classes: for regression or multi-label targets.

    Raises
    ------
    OptionError
        If there is no such preset; the nearest name is given.

    Examples
    --------
    >>> [type(layer).__name__ for layer in preset("two-layer").layers]
    ['Flatten', 'Dense', 'Dense']
    """
    if n_classes < 2:
        raise OptionError(f"preset: expected 2 classes or more, got {n_classes}.")
    if name not in _BUILDERS:
        raise OptionError(unknown_name("preset", name, PRESETS))
    model = _BUILDERS[name](n_outputs or (1 if n_classes == 2 else n_classes))
    model._recipe = name
    return model


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


@_preset("logistic", "one sigmoid unit, no hidden layer: [n, 1], from zeros")
def _logistic(units: int) -> Sequential:
    return _tutorial([], units, "zeros")


@_preset("two-layer", "the tutorial's two-layer network: [n, 7, 1], relu, from normal * 0.01")
def _two_layer(units: int) -> Sequential:
    return _tutorial([7], units, "published_two_layer")


@_preset(
    "mlp", "the tutorial's four-layer network: [n, 20, 7, 5, 1], relu, from its published initial weights"
)
def _mlp(units: int) -> Sequential:
    return _tutorial([20, 7, 5], units, "published")


def _tutorial(hidden: list[int], units: int, initializer: str) -> Sequential:
    layers = [Dense(width, activation="relu", initializer=initializer) for width in hidden]
    return Sequential([Flatten(), *layers, Dense(units, initializer=initializer)], dtype="float64")


@_preset(
    "mlp-small", "two hidden layers of 64 and 32 units, batch norm, dropout: for tables of under 1,000 rows"
)
def _mlp_small(units: int) -> Sequential:
    return _with_dropout([64, 32], units)


@_preset("mlp-wide", "two hidden layers of 256 and 128 units, batch norm, dropout: for larger tables")
def _mlp_wide(units: int) -> Sequential:
    return _with_dropout([256, 128], units)


def _with_dropout(widths: list[int], units: int) -> Sequential:
    hidden: list[Layer] = []
    for width in widths:
        hidden += [Dense(width, initializer="he"), BatchNorm(), Activation("relu"), Dropout(0.2)]
    return Sequential([Flatten(), *hidden, Dense(units)])


@_preset(
    "cnn-small",
    "three 3x3 convolutions of 16 to 64 channels, batch norm, two max pools, dropout: for pictures under 32x32",
)
def _cnn_small(units: int) -> Sequential:
    layers = [*_convolution(16), MaxPool2D(), *_convolution(32), MaxPool2D(), *_convolution(64)]
    return Sequential([*layers, Flatten(), Dropout(0.3), Dense(units)])


@_preset(
    "cnn", "[3x3 convolution, batch norm, relu, 2x2 max pool] x 4, global average: for photos of 32x32 and up"
)
def _cnn(units: int) -> Sequential:
    return Sequential([*_four_stages(), GlobalAvgPool2D(), Dense(units)])


@_preset("cnn-large", "cnn after one convolution that halves height and width: for photos of 128x128 and up")
def _cnn_large(units: int) -> Sequential:
    return Sequential([*_convolution(16, stride=2), *_four_stages(), GlobalAvgPool2D(), Dense(units)])


def _four_stages() -> list[Layer]:
    return [layer for width in (24, 48, 96, 96) for layer in (*_convolution(width), MaxPool2D())]


def _convolution(width: int, *, stride: int = 1) -> list[Layer]:
    """A 3x3 convolution with batch norm and relu (Ioffe and Szegedy, 2015)."""
    return [
        Conv2D(width, stride=stride, use_bias=False, initializer="he"),
        BatchNorm(),
        Activation("relu"),
    ]


@_preset("resnet-small", "three stages of residual blocks, 16 to 64 channels: for photos of 32x32 and up")
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
