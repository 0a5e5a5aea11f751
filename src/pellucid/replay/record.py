"""A training step as data for its page: a header of names and places, and the numbers as blocks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.formats.html.network import Weights, written
from pellucid.formats.outputs import outputs_of
from pellucid.formats.steps import Step, Steps, steps_of
from pellucid.replay.blocks import Blocks
from pellucid.replay.formulas import mathematics_of
from pellucid.training.trace_records import LayerTrace, Trace
from pellucid.types import Array

FORMAT = 1
JOINS = ("add", "concat", "multiply")


@dataclass(frozen=True)
class Replay:
    """One step or one prediction with every number of it.

    Attributes
    ----------
    header : dict
        JSON-serializable; see docs/replay.md.
    content : bytes
        The arrays that the header names, one after another.
    """

    header: dict[str, Any]
    content: bytes


def replay_of(trace: Trace) -> Replay:
    """Return a step as data for its page."""
    model, blocks = trace.model, Blocks()
    steps = steps_of(model)
    layers = {id(use): trace[use.name] for use in model._uses()}
    values, gradients = _values(steps, layers, trace)
    weights, activations = Weights("float32"), dict[str, str]()
    network = [_network_step(step, weights, activations) for step in steps.steps]
    output = outputs_of(model)
    header = {
        "format": FORMAT,
        "kind": "step",
        "title": "",
        "about": {"model": type(model).__name__, "n_params": model.n_params, "dtype": model.dtype},
        "classes": {name: list(each.classes) for name, each in output.items()},
        "reads": {name: each.reads for name, each in output.items()},
        "samples": [],
        "network": {
            "inputs": {name: list(shape) for name, shape in steps.inputs.items()},
            "steps": network,
            "outputs": steps.outputs,
        },
        "activations": activations,
        **mathematics_of(steps, _losses(trace.model._loss), trace.optimizer.config()["type"]),
        "steps": [_step(step, layers, values, gradients, blocks, trace) for step in steps.steps],
        "loss": {
            "name": trace.model._loss.name,
            "options": trace.model._loss.config(),
            "value": trace.loss,
            "arrays": {name: _put(blocks, getattr(trace, name)) for name in ("Z", "P", "Y", "dZ")},
        },
        "optimizer": trace.optimizer.config(),
        "remarks": trace.remarks(),
        "left_out": [],
        "arrays": blocks.table,
    }
    return Replay(header, blocks.content())


def _losses(loss: Any) -> list[str]:
    return [one.name for one in loss.losses.values()] if hasattr(loss, "losses") else [loss.name]


def _put(blocks: Blocks, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, dict):
        return {name: blocks.put(array) for name, array in value.items()}
    return blocks.put(np.asarray(value))


def _network_step(step: Step, weights: Weights, activations: dict[str, str]) -> dict[str, Any]:
    """Return a step as the page computes it; of a layer that it cannot, "do" is None."""
    try:
        found = written(step, weights, activations)
    except OptionError:
        return {"do": None, "from": list(step.sources), "to": step.target, "shape": list(step.shape)}
    found["weights"] = sorted(found["weights"])  # the step's own arrays have them
    return found


def _values(
    steps: Steps, layers: dict[int, LayerTrace], trace: Trace
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return every value of the network by name, and the gradient of the loss for it where there is one."""
    values: dict[str, Array] = dict(trace.X) if isinstance(trace.X, dict) else {"input": trace.X}
    for step in steps.steps:
        if not isinstance(step.what, str):
            values[step.target] = layers[id(step.what)]["A"]
            continue
        parts = [values[name] for name in step.sources]
        joined = np.concatenate(parts, axis=-1) if step.what == "concat" else parts[0]
        for part in parts[1:] if step.what != "concat" else []:
            joined = joined + part if step.what == "add" else joined * part
        values[step.target] = joined
    gradients: dict[str, Array] = {}
    for step in reversed(steps.steps):
        if not isinstance(step.what, str):
            arrays = layers[id(step.what)].arrays
            if "dA" in arrays:
                gradients[step.target] = arrays["dA"]
    return values, gradients


def _step(
    step: Step,
    layers: dict[int, LayerTrace],
    values: dict[str, Array],
    gradients: dict[str, Array],
    blocks: Blocks,
    trace: Trace,
) -> dict[str, Any]:
    if isinstance(step.what, str):
        return {"name": step.what, "kind": step.what, "arrays": {"A": blocks.put(values[step.target])}}
    layer = layers[id(step.what)]
    arrays: dict[str, Any] = {}
    for name, array in layer.arrays.items():
        is_product = name == "dW" and layer.kind == "Dense"
        if is_product and not step.what._further_uses:
            arrays[name] = {"product": ["X", "dZ"]}
        elif name.startswith("update_") and trace.optimizer.config()["type"] == "sgd":
            arrays[name] = {"scaled": name.replace("update_", "d"), "by": -trace.optimizer.learning_rate}
        else:
            arrays[name] = blocks.put(array)
    return {"name": layer.name, "kind": layer.kind, "arrays": arrays}
