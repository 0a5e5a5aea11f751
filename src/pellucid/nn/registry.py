"""Layers by name: how a model is made from its configuration, of a file or a table."""

from typing import Any, TypeVar

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.graph import Graph
from pellucid.nn.layers import Dense, Flatten, Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.nn.pooling import AvgPool2D, GlobalAvgPool2D, MaxPool2D, UpSample2D, ZeroPad2D
from pellucid.nn.sequential import Sequential

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Activation,
        AvgPool2D,
        BatchNorm,
        Conv2D,
        Dense,
        Dropout,
        Flatten,
        GlobalAvgPool2D,
        Graph,
        LayerNorm,
        MaxPool2D,
        Parallel,
        Residual,
        Sequential,
        UpSample2D,
        ZeroPad2D,
    )
}

L = TypeVar("L", bound=type[Layer])


def register_layer(cls: L) -> L:
    """Make a layer of your own known by its class name, so that models with it can be saved and loaded.

    Use as a decorator. Its ``config`` returns {"type": class name, **constructor options}.

    Examples
    --------
    >>> @register_layer
    ... class Double(Layer):
    ...     def forward(self, X, *, training=False):
    ...         return 2 * X
    >>> type(layer_from_config({"type": "Double"})).__name__
    'Double'
    """
    LAYERS[cls.__name__] = cls
    return cls


def layer_from_config(config: dict[str, Any]) -> Layer:
    """Return the layer that ``config`` describes; the inverse of ``Layer.config``.

    Raises
    ------
    OptionError
        If its type or an option is not known, or a value is out of range.

    Examples
    --------
    >>> layer_from_config({"type": "Dense", "units": 3}).units
    3
    """
    options = dict(config)
    kind = options.pop("type", None)
    if kind not in LAYERS:
        raise OptionError(unknown_name("layer", kind, LAYERS))
    try:
        return LAYERS[kind].from_config(options, layer_from_config)
    except (TypeError, KeyError) as error:
        raise OptionError(f"{kind}: {error}. Given: {', '.join(options) or 'nothing'}.") from None


def model_from_config(config: dict[str, Any], *, dtype: str | None = None) -> Model:
    """Return the model that ``config`` describes, not yet initialized; the inverse of ``Model.config``."""
    model = layer_from_config(config)
    if not isinstance(model, Model):
        raise OptionError(
            f"expected a structure such as Sequential at the top, got the layer {config['type']}."
        )
    if dtype is not None:
        model.set_dtype(dtype)
    return model
