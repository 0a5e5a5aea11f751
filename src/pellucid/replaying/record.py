"""A step, or a prediction, as data for its page: a header of names and places, and the numbers as blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.formats.html.network import Weights, written
from pellucid.formats.outputs import outputs_of
from pellucid.formats.steps import Step, Steps, steps_of
from pellucid.nn.blocks import merge_backward, merge_forward
from pellucid.nn.layer import Layer
from pellucid.ops.losses.base import Loss
from pellucid.ops.losses.joint import Joint
from pellucid.registry.configurable import plain
from pellucid.replaying.blocks import Blocks
from pellucid.replaying.formulas import mathematics_of
from pellucid.replaying.help import help_texts
from pellucid.replaying.limits import MOST_MB, MOST_SAMPLES, Arrays, leave_out, n_shown
from pellucid.replaying.remarks import remarks_of
from pellucid.replaying.samples import finite, one_hot, samples_of
from pellucid.text import capitalized, join, plural
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.trace import names_of_uses
from pellucid.training.trace_records import LayerTrace, Trace
from pellucid.types import Array, Shape, map_arrays, n_rows

FORMAT = 1
JOINS = {"add": "Sum", "concat": "Concatenation", "mean": "Mean", "multiply": "Product"}
OWN = "its values are shown, without their derivations."
OF_SAMPLES = {"X", "Z", "A", "mask", "dX", "dZ", "dA"}  # arrays with a row for each sample


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


class Flow(NamedTuple):
    """What a network computed: the values by name, and for each step the gradient for what it makes and takes."""

    values: dict[str, Array]
    outputs: dict[int, Array]  # by the number of the step
    inputs: dict[int, list[Array]]  # of joins


def replay_of(
    trace: Trace,
    *,
    title: str = "",
    names: Sequence[str] = (),
    cells: Sequence[Sequence[tuple[str, str]]] = (),
    notes: Sequence[str] = (),
    samples: int = MOST_SAMPLES,
    most_mb: float = MOST_MB,
) -> Replay:
    """Return a step, or a prediction, as data for its page.

    Parameters
    ----------
    trace : Trace
    title : str, optional
    names : sequence of str, optional
        Of the samples of the batch.
    cells : sequence of (column, cell), optional
        Of the samples that are rows of a table, as they stand there.
    notes : sequence of str, optional
        What a reader must know of the step: what of it is not exact.
    samples : int, optional
        How many are shown at most; sums are over all.
    most_mb : float, optional
        Megabytes of the page, at most: samples are left out first, then the largest arrays.
    """
    model, optimizer = trace.model, trace.optimizer
    blocks, m = Blocks(), n_rows(trace.X)
    parts = model._loss.losses.values() if isinstance(model._loss, Joint) else [model._loss]
    losses = [] if trace.loss is None else [one.name for one in parts]
    steps, output, uses = steps_of(model), outputs_of(model), names_of_uses(model)
    layers = {id(use): trace[uses[id(use)]] for use in model._uses()}
    flow = _flow(steps, layers, trace)
    arrays = [_arrays(i, step, layers, flow, trace) for i, step in enumerate(steps.steps)]
    ends = {name: getattr(trace, name) for name in ("Z", "P", "Y", "dZ")}
    if isinstance(trace.Y, dict):
        ends["Y"] = {name: one_hot(Y, trace.Z[name]) for name, Y in trace.Y.items()}
    elif trace.Y is not None:
        ends["Y"] = one_hot(trace.Y, trace.Z)
    n, left_out = n_shown(arrays, m, samples, most_mb)
    named = _names(steps, uses)
    left_out += leave_out(arrays, named, n, most_mb)
    activations: dict[str, str] = {}
    network = [_network_step(step, activations) for step in steps.steps]
    of_steps = [
        {"name": name, **_described(step, own, layers, uses, trace), "arrays": _as_header(each, n, blocks)}
        for step, name, own, each in zip(steps.steps, named, network, arrays, strict=True)
    ]
    remarks = remarks_of(trace, {name: i for i, name in enumerate(named)})
    remarks += [
        {"step": i, "part": "forward", "text": f"{name} is a layer of your own: {OWN}"}
        for i, name in enumerate(named)
        if network[i]["do"] is None
    ]
    header = {
        "format": FORMAT,
        "kind": "prediction" if trace.loss is None else "step",
        "title": title,
        "about": {
            "model": type(model).__name__,
            "n_params": model.n_params,
            "dtype": model.dtype,
            "notes": [*notes, *filter(None, [trace.changed])],
        },
        "classes": {name: list(each.classes) for name, each in output.items()},
        "reads": {name: each.reads for name, each in output.items()},
        "samples": samples_of(trace, output, n, blocks, names, cells),
        "batch": {"m": m, "shown": n},
        "network": {
            "inputs": {name: list(shape) for name, shape in steps.inputs.items()},
            "steps": network,
            "outputs": steps.outputs,
        },
        "activations": activations,
        **mathematics_of(steps, losses, "" if optimizer is None else optimizer.config()["type"]),
        "steps": of_steps,
        "loss": {
            **_loss(trace, n, blocks),
            "arrays": {
                name: None if each is None else map_arrays(lambda array: blocks.put(array[:n]), each)
                for name, each in ends.items()
            },
        },
        "optimizer": None if optimizer is None else _optimizer(optimizer),
        "help": help_texts(),
        "remarks": remarks,
        "left_out": left_out,
        "arrays": blocks.table,
    }
    return Replay(header, blocks.content())


class _Names(Weights):
    """Takes weights and places none: each step has its own arrays."""

    def place(self, name: str, array: Array) -> list[int]:
        return []


def _network_step(step: Step, activations: dict[str, str]) -> dict[str, Any]:
    """Return a step as the page computes it; of a layer that it cannot, "do" is None."""
    try:
        found = written(step, _Names("float32"), activations)
    except OptionError:
        return {"do": None, "from": list(step.sources), "to": step.target, "shape": list(step.shape)}
    found["weights"] = sorted(found["weights"])  # the step's own arrays have them
    return found


def _names(steps: Steps, uses: Mapping[int, str]) -> list[str]:
    """Return a name for each step, those of joins numbered: "add_1"."""
    found, n = [], dict.fromkeys(JOINS, 0)
    for step in steps.steps:
        if isinstance(step.what, str):
            n[step.what] += 1
            found.append(f"{step.what}_{n[step.what]}")
        else:
            found.append(uses[id(step.what)])
    return found


def _flow(steps: Steps, layers: Mapping[int, LayerTrace], trace: Trace) -> Flow:
    """Return every value of the network by name, and the gradients that joins pass back."""
    values: dict[str, Array] = dict(trace.X) if isinstance(trace.X, dict) else {"input": trace.X}
    for step in steps.steps:
        if isinstance(step.what, str):
            values[step.target] = merge_forward([values[name] for name in step.sources], step.what)
        else:
            values[step.target] = layers[id(step.what)]["A"]
    flows: dict[str, Array] = {}

    def add(name: str, part: Array) -> None:
        flows[name] = flows[name] + part if name in flows else part

    if trace.dZ is not None:
        for name, value in steps.outputs.items():
            add(value, trace.dZ[name] if isinstance(trace.dZ, dict) else trace.dZ)
    flow = Flow(values, {}, {})
    for i, step in reversed([*enumerate(steps.steps)]):
        if step.target not in flows:  # no output depends on it, or nothing before it is trained
            continue
        of_output = flows[step.target]
        if isinstance(step.what, str):
            flow.outputs[i] = of_output
            flow.inputs[i] = merge_backward(of_output, [values[name] for name in step.sources], step.what)
            for name, part in zip(step.sources, flow.inputs[i], strict=True):
                add(name, part)
        elif (dX := layers[id(step.what)].arrays.get("dX")) is not None:
            add(step.sources[0], dX)
    return flow


def _arrays(i: int, step: Step, layers: Mapping[int, LayerTrace], flow: Flow, trace: Trace) -> Arrays:
    """Return the arrays of a step by name; one that the page computes of others says how."""
    if isinstance(step.what, str):
        X = [flow.values[name] for name in step.sources]
        found: dict[str, Any] = {"X": X, "A": flow.values[step.target]}
        if i in flow.outputs:
            found |= {"dA": flow.outputs[i], "dX": flow.inputs[i]}
        return Arrays(found, set(found))
    use, layer = step.what, layers[id(step.what)]
    first, found = use._first_use, dict(layer.arrays)
    if first is not None:
        own = {key: layers[id(first)].arrays[key] for key in first.params}  # those that it shares
        found = {"X": found.pop("X"), **own, **found}
    of_samples = OF_SAMPLES | ({"mean", "var"} if layer.kind == "LayerNorm" else set())
    rate = _plain_rate(trace.optimizer)
    for name in () if trace.changed else found:
        is_own = name == "own_dW" or (name == "dW" and not use._further_uses)
        if is_own and layer.kind == "Dense" and "dZ" in found:
            found[name] = {"product": ["X", "dZ"], "of": found[name]}
        elif rate is not None and name.startswith("update_"):
            found[name] = {"scaled": name.replace("update_", "d", 1), "by": -rate, "of": found[name]}
    found |= {f"memory_{name}": array for name, array in layer.memory.items()}
    return Arrays(found, of_samples)


def _plain_rate(optimizer: Optimizer | None) -> float | None:
    """Return the learning rate where an update is the gradient times that, and nothing else; otherwise None."""
    if optimizer is None or optimizer.config()["type"] != "sgd":
        return None
    others = ("momentum", "weight_decay", "clip_value", "clip_norm", "ntk")
    return None if any(getattr(optimizer, name) for name in others) else optimizer.learning_rate


def _as_header(step: Arrays, n: int, blocks: Blocks) -> dict[str, Any]:
    """Put a step's arrays into blocks, and return their numbers by name."""
    found: dict[str, Any] = {}
    for name, given in step.by_name.items():
        if isinstance(given, list):
            found[name] = [blocks.put(array[:n]) for array in given]
        elif isinstance(given, dict):
            found[name] = {key: value for key, value in given.items() if key != "of"}
        elif isinstance(given, np.ndarray):
            found[name] = blocks.put(given[:n] if name in step.of_samples else given)
        else:  # left out, or what a layer of one's own keeps
            found[name] = None
    return found


def _described(
    step: Step,
    network: Mapping[str, Any],
    layers: Mapping[int, LayerTrace],
    uses: Mapping[int, str],
    trace: Trace,
) -> dict[str, Any]:
    """Return what a step is: its kind, title, activation, and of a layer what the optimizer does with it."""
    what = step.what
    if isinstance(what, str):
        title = f"{JOINS[what]} of {plural(len(step.sources), 'value')}: {_by(step.shape)}"
        return {"kind": what, "title": title, "use_of": None, "activation": None, "is_frozen": False}
    first = what._first_use
    found = {
        "kind": layers[id(what)].kind,
        "title": _title(what),
        "use_of": None if first is None else uses[id(first)],
        "activation": network.get("activation"),
        "is_frozen": what._is_frozen,
    }
    optimizer = trace.optimizer
    if optimizer is None or what._is_frozen or not what.params:
        return found
    owner = first or what
    decayed = [key for key in owner.params if optimizer.decay_biases or owner._decay_mask(key).all()]
    found["decays"] = decayed if optimizer.weight_decay else []
    if optimizer.ntk:
        found["rates"] = {key: owner._ntk_rate(key) for key in owner.params}
    return found


def _title(layer: Layer) -> str:
    """Return a layer in a few words: "Dense, relu: 12,288 → 20"."""
    options = layer._changed_options()
    words = [type(layer).__name__]
    if isinstance(size := options.get("kernel_size", options.get("pool_size")), int | tuple | list):
        words.append(_by((size, size) if isinstance(size, int) else tuple(size)))
    words += [str(options["activation"])] if options.get("activation") else []
    words += [f"rate {options['rate']}"] if "rate" in options else []
    return f"{', '.join(words)}: {_by(layer.input_shape)} → {_by(layer.output_shape)}"


def _by(shape: Shape) -> str:
    """Return a shape as "64 × 64 × 3"."""
    return " × ".join(f"{n:,}" for n in shape) or "1"


def _loss(trace: Trace, n: int, blocks: Blocks) -> dict[str, Any]:
    """Return the loss by name, its options, value and how samples count."""
    loss, weights = trace.model._loss, trace.weights
    if trace.loss is None:
        return {"name": loss.name, "title": "", "options": {}, "value": None, "after": None, "weights": None}
    title = capitalized(loss.name.replace("_", " ").replace("cross entropy", "cross-entropy"))
    if isinstance(loss, Joint):
        title = f"Sum of the losses of {join(list(loss.losses))}"
    return {
        "name": loss.name,
        "title": title,
        "options": _options(loss),
        "value": finite(trace.loss),
        "after": None if trace.loss_after is None else finite(trace.loss_after),
        "weights": None if weights is None else blocks.put(weights[:n]),
        "normalizer": float(n_rows(trace.X) if weights is None else weights.sum(dtype=float)),
    }


def _options(loss: Loss) -> dict[str, Any]:
    """Return the options of a loss, with its name as "type"; of a joint one those of its "losses" by output."""
    if not isinstance(loss, Joint):
        return {"type": loss.name, **plain(loss._option_values())}
    weights = {name: loss.loss_weights.get(name, 1.0) for name in loss.losses}
    return {
        "type": "joint",
        "losses": {name: {**_options(part), "weight": weights[name]} for name, part in loss.losses.items()},
    }


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer's options, and the numbers that it took this step by."""
    numbers = {name: finite(float(getattr(optimizer, name))) for name in optimizer.number_names}
    return {**optimizer.config(), "numbers": {**numbers, "shrink": finite(min(1.0, optimizer._shrink))}}
