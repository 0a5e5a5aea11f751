"""A network as data that the page's JavaScript runs: steps in order, and all weights one after another."""

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.input_spec import white_seen
from pellucid.errors import OptionError
from pellucid.formats.describe import describe
from pellucid.formats.expressions import javascript_of
from pellucid.formats.half_precision import stored
from pellucid.formats.outputs import ARRAYS, TABLE, kind_of_samples, outputs_of, rule_of
from pellucid.formats.steps import Step, Steps, steps_of
from pellucid.nn.model import Model
from pellucid.types import Array


class Page(NamedTuple):
    """What a page has of a model."""

    network: dict[str, Any]
    weights: bytes  # float32, or float16, lowest byte first; network["stored"] says [bytes of one, how many]
    activations: dict[str, str]  # each as an expression of z in JavaScript


def page_of(model: Model, dtype: str = "float32") -> Page:
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
    steps, output = steps_of(model), outputs[""]
    if len(steps.steps[-1].shape) != 1:
        raise OptionError(
            "export: a page needs a network whose outputs are a row. End it with Flatten and Dense."
        )
    weights, activations = Weights(dtype), dict[str, str]()
    written_steps = [written(step, weights, activations) for step in steps.steps]
    rule = rule_of(model)
    prepares: dict[str, Any] = {"divisor": rule.divisor if rule.kind == "divide" else 1.0}
    if rule.scale:
        prepares |= {"middle": list(rule.middle), "scale": list(rule.scale)}
    if rule.kind == "robust":
        prepares["clip"] = rule.clip
    network: dict[str, Any] = {
        "input": list(shapes),
        "steps": written_steps,
        "output": steps.outputs[""],
        "classes": list(output.classes),
        "prepares": prepares,
        "columns_first": begins_with_columns(),
        "fit": white_seen(model.inputs_seen).fit,
        "reads": output.reads,
        "stored": [[array.itemsize, array.size] for array in weights.arrays],
    }
    if kind == TABLE:
        network |= {"columns": _columns(model), "decimal": model._schema.decimal}
    return Page(network, b"".join(array.tobytes() for array in weights.arrays), activations)


@cache
def begins_with_columns() -> bool:
    """Return whether this Pillow resizes the columns of a picture first where that is less work, as some do."""
    from PIL import Image

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 12, 3), np.uint8))
    return image.resize((12, 16)).resize((16, 16)).tobytes() == image.resize((16, 16)).tobytes()


def _columns(model: Model) -> list[dict[str, Any]]:
    """Return the columns of the table, each with the value that its field begins with."""
    means, schema, found = rule_of(model).middle, model._schema, []
    for column, at in zip(schema.columns, schema.slices, strict=True):
        usual = column.usual
        if column.fill is None and column.kind == "numeric":
            usual = column.written(float(f"{means[at.start] if means else 0.0:.4g}"))
        about = {
            "name": column.name,
            "kind": column.kind,
            "words": list(column.categories),
            "fill": column.fill,
            "truths": column.truths,
        }
        found.append(about | {"marks": column.marks_gaps, "parts": list(column.parts), "usual": usual})
    return found


class Weights:
    """All arrays one after another; one of a layer that is used again, once."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.arrays: list[Array] = []
        self._places: dict[str, list[int]] = {}
        self._n = 0

    def place(self, name: str, array: Array) -> list[int]:
        """Return where an array is: [start, length]."""
        if name not in self._places:
            self.arrays.append(stored(array, self.dtype))
            self._places[name] = [self._n, array.size]
            self._n += array.size
        return self._places[name]


def written(step: Step, weights: Weights, activations: dict[str, str]) -> dict[str, Any]:
    """Return a step as the page has it, and enter its activation into ``activations``; softmax is in network.js."""
    given: dict[str, Any] = {"from": list(step.sources), "to": step.target, "shape": list(step.shape)}
    if isinstance(step.what, str):
        return {"do": step.what, **given, "weights": {}}
    what = describe(step.what)
    if what.expression is not None:
        activations[what.activation] = javascript_of(what.expression)
    if what.activation != "linear":
        given["activation"] = what.activation
    given["weights"] = {key: weights.place(f"{step.key}.{key}", array) for key, array in what.arrays.items()}
    if what.name == "conv2d":  # weights are flat in the page
        given["size"] = what.arrays["W"].shape[:2]
    return {"do": what.name or "activation", **given, **what.options}


def script_of(activations: Mapping[str, str], slopes: Mapping[str, str] | None = None) -> str:
    """Return activations, and where wanted their derivatives, as the module that ``network.js`` imports.

    Examples
    --------
    >>> print(script_of({"relu": "Math.max(z, 0)"}), end="")
    import { ndtr, where } from "./functions.js";
    export const ACTIVATIONS = {
      relu: (z, W, i) => Math.max(z, 0),
    };
    """
    tables = {"ACTIVATIONS": ("z, W, i", activations)}
    if slopes is not None:
        tables["DERIVATIVES"] = "z, a, W, i", slopes
    text = 'import { ndtr, where } from "./functions.js";\n'
    for table, (arguments, functions) in tables.items():
        lines = [f"  {name}: ({arguments}) => {body},\n" for name, body in functions.items()]
        text += f"export const {table} = {{\n{''.join(lines)}}};\n"
    return text


def network_modules(
    activations: Mapping[str, str], slopes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the modules that run a network, by file name, with its activations: see ``join_modules``."""
    folder = files("pellucid.formats.html") / "templates"
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in ("functions.js", "network.js")}
    return {**texts, "activations.js": script_of(activations, slopes)}


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
