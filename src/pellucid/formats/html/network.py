"""A network as data that the page's JavaScript runs: steps in order, and one array of float32 with all weights."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.formats.expressions import expression_of, function_name, javascript_of
from pellucid.formats.outputs import ARRAYS, TABLE, kind_of_samples, outputs_of, rule_of
from pellucid.formats.steps import Step, Steps, steps_of
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.affine import Affine
from pellucid.nn.blocks import MERGES
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.nn.pooling import (
    AvgPool2D,
    GlobalAvgPool2D,
    MaxPool2D,
    Pooling,
    ReflectPad2D,
    Resize2D,
    UpSample2D,
    ZeroPad2D,
)
from pellucid.nn.windows import pair
from pellucid.ops.losses.regression import MeanSquaredError, Poisson
from pellucid.text import join
from pellucid.types import Array


class Page(NamedTuple):
    """What a page has of a model."""

    network: dict[str, Any]
    weights: Array  # (n,) float32, lowest byte first
    activations: dict[str, str]  # each as an expression of z in JavaScript


def page_of(model: Model) -> Page:
    """Return a model as the page's data.

    Raises
    ------
    OptionError
        If a page can have no such network, with the reason.
    """
    kind, outputs = kind_of_samples(model), outputs_of(model)
    shapes: Any = model.input_shape
    if kind == ARRAYS or "" not in outputs:
        what = "is trained on numbers that are neither photos nor columns of a table"
        if isinstance(shapes, dict) or "" not in outputs:
            what = "has several inputs or outputs"
        raise OptionError(
            f"export: a page takes a photo or a row of a table, and the network {what}. Try --to script."
        )
    if len(steps_of(model).steps[-1].shape) != 1:
        raise OptionError(
            "export: a page needs a network whose outputs are a row. End it with Flatten and Dense."
        )
    steps, output = steps_of(model), outputs[""]
    weights, written = _Weights(), []
    activations: dict[str, str] = {}
    for step in steps.steps:
        written.append({**_written(step, weights), **_activation(step.what, activations)})
    loss = output.loss
    spread, centre = [1.0], [0.0]
    if isinstance(loss, MeanSquaredError) and loss.centre:  # outputs are standardized targets
        spread, centre = (np.atleast_1d(part).astype(float).tolist() for part in (loss.spread, loss.centre))
    rule = rule_of(model)
    prepares: dict[str, Any] = {"divisor": rule.divisor if rule.kind == "divide" else 1.0}
    if rule.kind == "standardize":
        prepares |= {"mean": list(rule.mean), "scale": list(rule.scale)}
    network: dict[str, Any] = {
        "input": list(shapes),
        "steps": written,
        "output": steps.outputs[""],
        "classes": list(output.classes),
        "prepares": prepares,
        "columns_first": begins_with_columns(),
        "reads": {
            "kind": output.kind,
            "spread": spread,
            "centre": centre,
            "is_rate": isinstance(loss, Poisson),
        },
    }
    if kind == TABLE:
        network["columns"] = _columns(model)
    return Page(network, weights.flat(), activations)


@cache
def begins_with_columns() -> bool:
    """Return whether this Pillow resizes the columns of a picture first where that is less work, as some do."""
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (40, 12, 3), np.uint8)
    image = Image.fromarray(pixels)
    one_by_one = image.resize((12, 16)).resize((16, 16))
    return one_by_one.tobytes() == image.resize((16, 16)).tobytes()


def _columns(model: Model) -> list[dict[str, Any]]:
    """Return the columns of the table, each with the value that its field begins with."""
    means, found, start = rule_of(model).mean, [], 0
    for column in model.schema.columns:
        mean = means[start] if means else 0.0
        start += column.width
        usual = float(f"{mean:.4g}")
        found.append({"name": column.name, "words": list(column.categories), "usual": usual})
    return found


class _Weights:
    """All arrays one after another; one of a layer that is used again, once."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._places: dict[str, list[int]] = {}
        self._n = 0

    def place(self, name: str, array: Array) -> list[int]:
        """Return where an array is: [start, length]."""
        if name not in self._places:
            self.arrays.append(np.ascontiguousarray(array, "<f4").ravel())
            self._places[name] = [self._n, array.size]
            self._n += array.size
        return self._places[name]

    def flat(self) -> Array:
        return np.concatenate([np.zeros(0, "<f4"), *self.arrays])


def _written(step: Step, weights: _Weights) -> dict[str, Any]:
    """Return a step as the page has it."""
    given = {"from": list(step.sources), "to": step.target, "shape": list(step.shape), "weights": {}}
    if isinstance(step.what, str):
        if step.what not in MERGES:
            raise OptionError(
                f"export: a page cannot join values by {step.what!r}. Take one of {join(MERGES)}."
            )
        return {"do": step.what, **given}
    layer, kind = step.what, type(step.what)
    if kind not in WRITERS:
        raise OptionError(
            f"export: {layer.label} is a layer that a page does not have, {kind.__name__}. Take one of "
            f"{join([known.__name__ for known in WRITERS])}."
        )
    name, options = WRITERS[kind](layer)
    arrays = {**layer.params, **layer.state}
    given["weights"] = {key: weights.place(f"{step.key}.{key}", array) for key, array in arrays.items()}
    return {"do": name, **given, **options}


def _activation(layer: Any, activations: dict[str, str]) -> dict[str, Any]:
    """Return what a step says of its activation, and enter that into ``activations``; softmax is in network.js."""
    if not isinstance(layer, Activation | Conv2D | Dense) or layer.activation in (None, "linear"):
        return {}
    options = layer.options if isinstance(layer, Activation) else {}
    called = function_name(layer.activation, options)
    if called != "softmax":
        activations[called] = javascript_of(expression_of(layer.activation, options, layer.label))
    return {"activation": called}


Options = dict[str, Any]


def _conv(layer: Conv2D) -> tuple[str, Options]:
    return "conv2d", {
        "size": pair(layer.kernel_size),
        "stride": pair(layer.stride),
        "padding": layer.pads,
        "dilation": pair(layer.dilation),
        "groups": layer.groups,
    }


def _pool(name: str) -> Callable[[Any], tuple[str, Options]]:
    def write(layer: Pooling) -> tuple[str, Options]:
        size, stride = layer.size_and_stride
        counts = isinstance(layer, AvgPool2D) and layer.count_include_pad
        return name, {"size": size, "stride": stride, "padding": layer.pads, "counts_padding": counts}

    return write


WRITERS: dict[type, Callable[[Any], tuple[str, Options]]] = {
    Activation: lambda layer: ("activation", {}),
    Affine: lambda layer: ("affine", {}),
    AvgPool2D: _pool("average_pool"),
    BatchNorm: lambda layer: ("batch_norm", {"epsilon": layer.epsilon}),
    Conv2D: _conv,
    Dense: lambda layer: ("dense", {}),
    Dropout: lambda layer: ("same", {}),
    Flatten: lambda layer: ("same", {}),
    GlobalAvgPool2D: lambda layer: ("global_average", {}),
    LayerNorm: lambda layer: ("layer_norm", {"epsilon": layer.epsilon}),
    MaxPool2D: _pool("max_pool"),
    ReflectPad2D: lambda layer: ("reflect_pad", {"padding": layer.pads}),
    Resize2D: lambda layer: ("resize", {"align_corners": layer.align_corners}),
    UpSample2D: lambda layer: ("upsample", {"factor": pair(layer.factor)}),
    ZeroPad2D: lambda layer: ("zero_pad", {"padding": layer.pads}),
}


def script_of(activations: dict[str, str]) -> str:
    """Return activations as the JavaScript that ``network.js`` calls.

    Examples
    --------
    >>> print(script_of({"relu": "Math.max(z, 0)"}))
    const ACTIVATIONS = {
      relu: (z) => Math.max(z, 0),
    };
    """
    lines = [f"  {name}: (z) => {text},\n" for name, text in activations.items()]
    return f"const ACTIVATIONS = {{\n{''.join(lines)}}};"


def table_of_layers(steps: Steps) -> list[tuple[str, str, str]]:
    """Return each step's name, output and number of parameters, as the page shows them."""
    rows = []
    for step in steps.steps:
        name = step.what if isinstance(step.what, str) else type(step.what).__name__
        if activation := getattr(step.what, "activation", None):
            name += f", {activation}"
        n = 0 if isinstance(step.what, str) else sum(array.size for array in step.what.params.values())
        shape = " × ".join(map(str, step.shape))
        rows.append((name, shape if math.prod(step.shape) else "", f"{n:,}" if n else ""))
    return rows
